use ferromcp::prelude::*;

struct Opaque;

#[tool]
async fn free(count: u32, what: Opaque) -> String {
    drop(what);
    count.to_string()
}

struct Notes;

#[component]
impl Notes {
    #[tool]
    fn method(&self, what: Opaque) -> String {
        drop(what);
        String::new()
    }
}

fn main() {}
