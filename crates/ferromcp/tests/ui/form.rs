use ferromcp::prelude::*;
use ferromcp::Form;

#[derive(Form)]
struct Tuple(String);

#[derive(Form)]
struct Unit;

#[derive(Form)]
struct Empty {}

#[derive(Form)]
union Either {
    one: u8,
    other: i8,
}

#[derive(Form)]
struct Generic<T> {
    what: T,
}

#[derive(Form)]
struct Borrowed<'a> {
    what: &'a str,
}

#[derive(Form)]
#[form(title = "A form")]
struct Options {
    #[form(tilte = "A")]
    slip: String,
    #[form(min_items = 1)]
    other: Vec<Choice>,
    #[form]
    nothing: String,
    #[form(title = "A")]
    #[form(description = "B")]
    twice: String,
    #[form(name = "")]
    nameless: String,
    #[form(title = 5)]
    number: String,
}

#[derive(Form)]
struct Names {
    a: String,
    #[form(name = "a")]
    b: String,
}

#[derive(Form)]
struct Limits {
    #[form(range(1..=2))]
    text: String,
    #[form(length(1..=2))]
    number: Option<u32>,
    #[form(length(1..=2))]
    list: Vec<Choice>,
    #[form(items(1..=2))]
    several: String,
    #[form(range(1..=2))]
    truth: bool,
    #[form(range(2..=1))]
    reversed: u8,
    #[form(range(0.2..=0.1))]
    reversed_too: f64,
    #[form(length(3..3))]
    nothing: String,
    #[form(range(0.0..1.0))]
    open: f32,
    #[form(range = 5)]
    shape: u8,
    #[form(length(5))]
    exact: String,
    #[form(length())]
    missing: String,
}

#[derive(Form)]
struct Formats {
    #[form(format = "emial")]
    slip: String,
    #[form(format = "hostname")]
    unknown: String,
    #[form(format = "date")]
    number: u32,
    #[form(format = FORMAT)]
    constant: String,
}

#[derive(Form)]
struct Defaults {
    #[form(range(1..=10), default = 11)]
    above: u8,
    #[form(range(-1..), default = -2)]
    below: Option<i32>,
    #[form(range(..10), default = 10)]
    at_the_end: i32,
    #[form(length(..=2), default = "long")]
    long: String,
    #[form(default = "5")]
    text: u8,
    #[form(default)]
    none: Option<bool>,
    #[form(default = Some(1))]
    some: Option<u8>,
}

#[derive(Form)]
enum Choice {
    Unit,
    Tuple(u8),
    Struct { field: u8 },
}

#[derive(Form)]
enum Nothing {}

#[derive(Form)]
enum Twins {
    One,
    #[form(name = "One")]
    Other,
    #[form(description = "no such thing")]
    Third,
}

fn used() {
    // Errors above are the only ones.
    let _ = (Tuple::schema(), Unit::schema(), <Twins as Form>::schema());
}

fn main() {
    used();
}
