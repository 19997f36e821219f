use ferromcp::prelude::*;

#[tool(tilte = "Add")]
fn slip() {}

#[tool(colour = "red")]
fn unknown() {}

#[tool(desc = "Add")]
fn abbreviated() {}

#[tool]
fn parameter(#[arg(desc = "A number")] a: u8) {
    drop(a);
}

#[tool(title = "Add", title = "Sum")]
fn twice() {}

#[tool(title)]
fn bare() {}

#[tool(title = 5)]
fn number() {}

#[tool(annotations(readonly))]
fn annotation() {}

#[tool(annotations(read_only, destructive))]
fn contradiction() {}

#[tool(name = "has space")]
fn name() {}

#[tool]
fn größe() {}

#[tool(title = "Add" blocking)]
fn comma() {}

fn main() {}
