use ferromcp::prelude::*;

struct Opaque;

#[tool]
async fn free(count: u32) -> Opaque {
    drop(count);
    Opaque
}

struct Notes;

#[component]
impl Notes {
    #[tool]
    fn method(&self) -> Opaque {
        Opaque
    }
}

fn main() {}
