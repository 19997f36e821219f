use ferromcp::prelude::*;

struct Opaque;

#[tool]
async fn free(count: u32) -> Opaque {
    drop(count);
    Opaque
}

fn main() {}
