use ferromcp::prelude::*;

#[tool]
struct NotAFunction;

struct Notes;

#[tool]
impl Notes {}

impl Notes {
    #[tool]
    fn outside_a_component(&self) {}
}

#[component]
struct NotABlock;

#[component]
impl Clone for Notes {
    fn clone(&self) -> Self {
        Self
    }
}

#[component]
impl Notes {
    fn unmarked(&self) {}
}

fn main() {}
