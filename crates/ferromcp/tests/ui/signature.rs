#![allow(unused_variables)]

use ferromcp::prelude::*;

#[tool]
unsafe fn dangerous() {}

#[tool]
const fn early() {}

#[tool]
extern "C" fn foreign() {}

#[tool]
fn generic<T>(value: T) {}

#[tool(blocking)]
async fn both() {}

#[tool]
#[prompt]
fn two_things() {}

#[tool]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8) {}

struct Notes;

#[component]
impl Notes {
    #[tool]
    fn change(&mut self) {}
}

fn main() {
    let _ = Server::new("names stay", "1").tool::<both>().tool::<many>().mount("", Notes);
}
