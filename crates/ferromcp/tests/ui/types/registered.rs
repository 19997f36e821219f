use ferromcp::prelude::*;

struct Notes;

#[component]
impl Notes {
    #[tool]
    fn method(&self) -> String {
        String::new()
    }
}

fn main() {
    let _ = Server::new("Notes", "1.0.0").tool::<Notes>();
}
