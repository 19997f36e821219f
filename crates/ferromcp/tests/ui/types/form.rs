use ferromcp::prelude::*;
use ferromcp::Form;

struct Opaque;

#[derive(Form)]
struct Address {
    street: String,
}

#[derive(Form)]
enum Color {
    Red,
}

type Number = u32;
type Text = String;

#[derive(Form)]
struct Unfit {
    opaque: Opaque,
    nested: Address,
    maybe: Option<Address>,
    bytes: Vec<u8>,
    texts: Vec<String>,
    unit: (),
    #[form(length(1..=2), format = "email")]
    number: Number,
    #[form(range(1..=2))]
    text: Text,
    #[form(items(1..=2))]
    color: Color,
    #[form(default = 5)]
    name: String,
}

fn form<T: Form>() {}

fn main() {
    form::<Opaque>();
    form::<Address>();
}
