#![allow(unused_variables)]

use std::path::Path;

use ferromcp::prelude::*;

#[tool]
fn borrowed(text: &str, list: &[u8], path: &Path, ctx: &Ctx, maybe: Option<&str>) {}

#[tool]
fn mutable(count: &mut u32, list: &mut [u8], ctx: &mut Ctx) {}

#[tool]
fn opaque(text: impl Into<String>) {}

#[tool]
fn duplicate(a: u8, #[arg(name = "a")] b: u8) {}

#[tool]
fn limits(
    #[arg(range(9..=1))] empty: u8,
    #[arg(range = 1..=9)] shape: u8,
    #[arg(range(1..=9))] text: String,
    #[arg(length(1..=9))] number: u8,
) {
}

#[tool]
fn defaults(
    #[arg(default = None)] already: Option<u8>,
    #[arg(default = Some(5))] plain: Option<u8>,
    #[arg(default = "5")] quoted: u8,
) {
}

#[tool]
fn options(#[arg(rnage(1..=9))] slip: u8, #[arg] nothing: u8, #[cfg(unix)] sometimes: u8) {}

#[tool]
fn default_outside(
    #[arg(range(1..=10), default = 50)] high: u32,
    #[arg(range(1..10), default = 10)] end: Option<i64>,
    #[arg(range(0.5..), default = -1)] low: f64,
    #[arg(length(1..=3), default = "four")] text: String,
    #[arg(range(1..=10), default)] zero: u32,
) {
}

#[tool]
fn two_structs(Args(a): Args<A>, ctx: Ctx, b: ferromcp::server::Args<B>) {}

#[tool]
fn patterns((a, b): (f64, f64), [c, d]: [u8; 2]) {}

fn main() {}
