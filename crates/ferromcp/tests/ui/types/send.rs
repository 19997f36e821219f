use std::rc::Rc;

use ferromcp::prelude::*;

#[tool]
async fn free(count: u32) -> u32 {
    let held = Rc::new(count);
    std::future::ready(()).await;
    *held
}

struct Notes;

#[component]
impl Notes {
    #[tool]
    async fn method(&self) -> u32 {
        let held = Rc::new(1);
        std::future::ready(()).await;
        *held
    }
}

fn main() {}
