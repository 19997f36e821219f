//! Forms as a user of the SDK writes them: what clients are shown, and how their answers are read.

use std::path::PathBuf;

use ferromcp::Form;
use ferromcp::core::RawMap;
use ferromcp::core::Revision;
use ferromcp::model::{Choice, ChoiceItems, FieldType, FormSchema, PrimitiveSchema};
use ferromcp::server::form::{self, FormField as _, check};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Everything a form can hold.
#[derive(Debug, Clone, PartialEq, ferromcp::Form)]
struct Booking {
    /// The name to book under,
    /// as on the door
    #[form(title = "Name", length(1..=20))]
    name: String,
    #[form(format = "email", length(..=40))]
    email: Option<String>,
    #[form(name = "homepage", format = "uri")]
    page: Option<String>,
    #[form(format = "date", description = "The first day")]
    /// Replaced by the description
    from: String,
    #[form(format = "date-time", default = "2024-02-29T12:00:00Z")]
    at: String,
    #[form(range(1..9), default = 2)]
    seats: u8,
    #[form(range(-5..))]
    r#type: Option<i64>,
    #[form(range(0.1..=0.5), default = 0.2)]
    share: f32,
    #[form(range(..=1))]
    ratio: Option<f64>,
    #[form(default)]
    quiet: bool,
    agreed: bool,
    room: Room,
    #[form(default = Size::Small)]
    size: Size,
    extras: Vec<Extra>,
    #[form(items(1..=2))]
    rooms: Vec<Room>,
    #[form(items(2..), default = vec![Size::Small, Size::Large])]
    sizes: Option<Vec<Size>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Form)]
enum Room {
    /// Docs of a variant are for programmers
    #[form(title = "By the window")]
    Window,
    #[form(name = "garden", title = "In the garden")]
    Garden,
    Cellar,
}

#[derive(Debug, Clone, Copy, PartialEq, Form)]
enum Size {
    Small = 1,
    #[form(name = "very large")]
    Large = 7,
}

#[derive(Debug, Clone, Copy, PartialEq, Form)]
enum Extra {
    Breakfast,
    Parking,
}

fn content(value: &Value) -> RawMap {
    serde_json::from_value(value.clone()).unwrap()
}

fn read<T: Form>(value: &Value) -> Result<T, Vec<String>> {
    form::read(&content(value))
}

/// Returns the one error of `{ "value": … }`.
fn error_of<T: Form + std::fmt::Debug>(value: &Value) -> String {
    let errors = read::<T>(&json!({ "value": value })).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

fn one<T: Form>(json: &str) -> Result<T, Vec<String>> {
    form::read(&serde_json::from_str(&format!(r#"{{"value":{json}}}"#)).unwrap())
}

#[test]
fn form_schema_matches_type_when_form_is_derived() {
    // M26-486, M26-487, S-429
    let titled = json!([
        { "const": "Window", "title": "By the window" },
        { "const": "garden", "title": "In the garden" },
        { "const": "Cellar", "title": "Cellar" }
    ]);
    let wanted = json!({
        "type": "object",
        "properties": {
            "name": {
                "type": "string", "title": "Name",
                "description": "The name to book under, as on the door",
                "minLength": 1, "maxLength": 20
            },
            "email": { "type": "string", "maxLength": 40, "format": "email" },
            "homepage": { "type": "string", "format": "uri" },
            "from": { "type": "string", "description": "The first day", "format": "date" },
            "at": { "type": "string", "format": "date-time", "default": "2024-02-29T12:00:00Z" },
            "seats": { "type": "integer", "minimum": 1, "maximum": 8, "default": 2 },
            "type": { "type": "integer", "minimum": -5 },
            "share": { "type": "number", "minimum": 0.1, "maximum": 0.5, "default": 0.2 },
            "ratio": { "type": "number", "maximum": 1.0 },
            "quiet": { "type": "boolean", "default": false },
            "agreed": { "type": "boolean" },
            "room": { "type": "string", "oneOf": titled },
            "size": { "type": "string", "enum": ["Small", "very large"], "default": "Small" },
            "extras": { "type": "array", "items": { "type": "string", "enum": ["Breakfast", "Parking"] } },
            "rooms": { "type": "array", "items": { "anyOf": titled }, "minItems": 1, "maxItems": 2 },
            "sizes": {
                "type": "array", "items": { "type": "string", "enum": ["Small", "very large"] }, "minItems": 2,
                "default": ["Small", "very large"]
            }
        },
        "required": ["name", "from", "agreed", "room", "rooms"]
    });
    assert_eq!(serde_json::to_string(&Booking::schema()).unwrap(), wanted.to_string());
}

#[test]
fn form_has_one_field_named_value_when_type_is_a_field() {
    let shown = |schema: FormSchema| serde_json::to_value(schema).unwrap();
    let form = |field: Value| json!({ "type": "object", "properties": { "value": field }, "required": ["value"] });
    assert_eq!(shown(bool::schema()), form(json!({ "type": "boolean" })));
    assert_eq!(shown(Size::schema()), form(json!({ "type": "string", "enum": ["Small", "very large"] })));
    assert_eq!(
        shown(<Option<String> as Form>::schema()),
        json!({ "type": "object", "properties": { "value": { "type": "string" } } })
    );
    assert_eq!(read::<bool>(&json!({ "value": true })), Ok(true));
    assert_eq!(read::<Option<u8>>(&json!({ "value": null })), Ok(None));
    assert_eq!(read::<Vec<Extra>>(&json!({})), Ok(vec![]));
    assert_eq!(read::<u8>(&json!({})), Err(vec!["`value` is missing".to_owned()]));
}

fn least() -> Value {
    json!({ "name": "Ann", "from": "2024-02-29", "agreed": true, "room": "garden", "rooms": ["Cellar"] })
}

#[test]
fn field_has_default_when_omitted() {
    let wanted = Booking {
        name: "Ann".into(),
        email: None,
        page: None,
        from: "2024-02-29".into(),
        at: "2024-02-29T12:00:00Z".into(),
        seats: 2,
        r#type: None,
        share: 0.2,
        ratio: None,
        quiet: false,
        agreed: true,
        room: Room::Garden,
        size: Size::Small,
        extras: vec![],
        rooms: vec![Room::Cellar],
        sizes: Some(vec![Size::Small, Size::Large]),
    };
    assert_eq!(read::<Booking>(&least()).unwrap(), wanted);
    let mut nothing = least();
    for name in ["email", "homepage", "at", "seats", "type", "share", "ratio", "quiet", "size", "extras", "sizes"] {
        nothing[name] = Value::Null;
    }
    nothing["what the form does not have"] = json!({ "is": ["passed over"] });
    assert_eq!(read::<Booking>(&nothing).unwrap(), wanted);
    check(&Booking::schema(), &content(&nothing)).unwrap();
}

#[test]
fn error_lists_every_invalid_field_when_several_are_invalid() {
    // S-459, S-461
    let wrong = json!({
        "name": "", "email": "ann", "homepage": "example.org", "from": "2023-02-29", "at": "noon", "seats": 9,
        "type": "1", "share": 0.6, "ratio": 1.01, "quiet": "no", "room": "In the garden", "size": "Large",
        "extras": ["Sauna"], "rooms": [], "sizes": "Small"
    });
    let mut errors = read::<Booking>(&wrong).unwrap_err();
    let mut checked = check(&Booking::schema(), &content(&wrong)).unwrap_err();
    assert_eq!(
        errors,
        [
            r#"`name` must be a string of 1 to 20 characters, got """#,
            r#"`email` must be an email address of at most 40 characters, got "ann""#,
            r#"`homepage` must be a URI, as `https://example.org/page`, got "example.org""#,
            r#"`from` must be a date, as `2024-02-29`, got "2023-02-29""#,
            r#"`at` must be a date and time, as `2024-02-29T12:00:00Z`, got "noon""#,
            "`seats` must be a whole number from 1 to 8, got 9",
            r#"`type` must be a whole number of at least -5, got "1""#,
            "`share` must be a number from 0.1 to 0.5, got 0.6",
            "`ratio` must be a number of at most 1.0, got 1.01",
            r#"`quiet` must be true or false, got "no""#,
            "`agreed` is missing",
            r#"`room` must be one of `Window`, `garden`, `Cellar`, got "In the garden""#,
            r#"`size` must be one of `Small`, `very large`, got "Large""#,
            r#"`extras` must be a list of any of `Breakfast`, `Parking`, got ["Sauna"]"#,
            "`rooms` must be a list with 1 to 2 of `Window`, `garden`, `Cellar`, got []",
            r#"`sizes` must be a list with at least 2 of `Small`, `very large`, got "Small""#,
        ]
    );
    errors.sort();
    checked.sort();
    assert_eq!(errors, checked);
}

#[test]
fn length_counts_characters_when_text_is_not_ascii() {
    let mut answer = least();
    answer["name"] = json!("ä".repeat(20));
    read::<Booking>(&answer).unwrap();
    answer["name"] = json!("ä".repeat(21));
    assert_eq!(read::<Booking>(&answer).unwrap_err().len(), 1);
}

#[test]
fn error_states_range_when_number_overflows_type() {
    assert_eq!(error_of::<u8>(&json!(256)), "`value` must be a whole number from 0 to 255, got 256");
    assert_eq!(error_of::<i8>(&json!(-129)), "`value` must be a whole number from -128 to 127, got -129");
    assert_eq!(error_of::<u64>(&json!(1.5)), "`value` must be a whole number, got 1.5");
    assert_eq!(one::<u8>("1e400").unwrap_err(), ["`value` must be a whole number from 0 to 255, got 1e400"]);
    assert_eq!(
        one::<f64>("1e400").unwrap_err(),
        ["`value` must be a number from -1.7976931348623157e308 to 1.7976931348623157e308, got 1e400"]
    );
    assert_eq!(one::<f32>("1e39").map_err(|errors| errors.len()), Err(1));
}

#[test]
fn number_is_parsed_exactly_when_notation_varies() {
    for (json, number) in
        [("5", 5), ("5.0", 5), ("50e-1", 5), ("0.5E1", 5), ("-0", 0), ("9007199254740993", 9_007_199_254_740_993)]
    {
        assert_eq!(one::<i64>(json), Ok(number), "{json}");
    }
    assert_eq!(one::<u128>(&u128::MAX.to_string()), Ok(u128::MAX));
    assert_eq!(one::<i128>(&i128::MIN.to_string()), Ok(i128::MIN));
    assert_eq!(one::<f64>("7"), Ok(7.0));
    assert_eq!(one::<f32>("0.1"), Ok(0.1));
}

#[test]
fn error_list_is_truncated_when_value_is_long_or_fields_are_many() {
    let text = error_of::<bool>(&json!("x".repeat(10_000)));
    assert!(text.len() < 200 && text.ends_with('…'), "{text}");
    let fields = (0..1000).map(|at| (format!("f{at}"), PrimitiveSchema::new(FieldType::Boolean))).collect();
    let schema = FormSchema::new(fields).required((0..1000).map(|at| format!("f{at}")));
    let errors = check(&schema, &RawMap::new()).unwrap_err();
    assert_eq!(errors.len(), 21);
    assert_eq!(errors[20], "and 980 more");
}

/// Checks that a field, changed by `change`, accepts `good` and rejects `bad`.
fn assert_accepts(r#type: FieldType, change: impl FnOnce(&mut PrimitiveSchema), good: &[Value], bad: &[Value]) {
    let mut field = PrimitiveSchema::new(r#type);
    change(&mut field);
    let schema = FormSchema::new(vec![("value".to_owned(), field)]);
    for (value, wanted) in good.iter().map(|value| (value, true)).chain(bad.iter().map(|value| (value, false))) {
        let errors = check(&schema, &content(&json!({ "value": value })));
        assert_eq!(errors.is_ok(), wanted, "{schema:?}: {value} gave {errors:?}");
    }
}

#[test]
fn answers_are_validated_when_form_is_not_derived() {
    // S-428, S-429, S-461
    let texts = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let every = [json!("a"), json!(1), json!(true), json!(["a"]), json!({}), json!(null)];
    let but = |at: &[usize]| -> Vec<Value> {
        (0..5).filter(|place| !at.contains(place)).map(|place| every[place].clone()).collect()
    };
    assert_accepts(FieldType::String, |_| (), &[json!(""), json!("a"), json!(null)], &but(&[0]));
    assert_accepts(FieldType::Number, |_| (), &[json!(1.5), json!(-1e300), json!(1)], &but(&[1]));
    assert_accepts(FieldType::Integer, |_| (), &[json!(1), json!(5.0), json!(u64::MAX)], &but(&[1]));
    assert_accepts(FieldType::Boolean, |_| (), &[json!(true), json!(false)], &but(&[2]));
    assert_accepts(FieldType::Array, |_| (), &[json!([]), json!(["a", "b"])], &but(&[3]));
    let old = |field: &mut PrimitiveSchema| {
        (field.choices, field.enum_names) = (texts(&["a", "b"]), texts(&["A", "B"]));
    };
    assert_accepts(FieldType::String, old, &[json!("a")], &[json!("A"), json!("c")]);
    let titled = |field: &mut PrimitiveSchema| field.one_of = Some(vec![Choice::new("a", "A")]);
    assert_accepts(FieldType::String, titled, &[json!("a")], &[json!("A")]);
    let several = |field: &mut PrimitiveSchema| {
        let mut items = ChoiceItems::default();
        items.any_of = Some(vec![Choice::new("a", "A"), Choice::new("b", "B")]);
        (field.items, field.min_items, field.max_items) = (Some(items), Some(1), Some(2));
    };
    assert_accepts(
        FieldType::Array,
        several,
        &[json!(["a"]), json!(["b", "a"])],
        &[json!([]), json!(["A"]), json!(["a", "b", "a"]), json!(["a", 1])],
    );
    let whole = |field: &mut PrimitiveSchema| {
        (field.minimum, field.maximum) = (Some(0.into()), serde_json::Number::from_f64(2.5));
    };
    assert_accepts(FieldType::Integer, whole, &[json!(0), json!(2.0)], &[json!(-1), json!(3), json!(2.5)]);
    let other = |field: &mut PrimitiveSchema| field.format = Some("hostname".to_owned());
    assert_accepts(FieldType::String, other, &[json!("a b")], &[json!(1)]);
    let stray = FormSchema::new(vec![]).required(["stray"]);
    assert_eq!(check(&stray, &RawMap::new()), Err(vec!["`stray` is missing".to_owned()]));
}

fn official() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec");
    let folder = std::env::var_os("FERROMCP_SPEC").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.join("schema").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("FERROMCP_REQUIRE_SPEC").is_none(), "no `schema` folder in {}", folder.display());
    eprintln!("DID NOT RUN: no official schemas in {} (set FERROMCP_SPEC to their folder)", folder.display());
    None
}

#[test]
fn form_schema_is_valid_when_checked_with_official_schema() {
    // M26-486, M26-487, S-429
    let Some(folder) = official() else { return };
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        let path = folder.join("schema").join(revision.as_str()).join("schema.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let by = |name: &str| {
            let reference = format!("#/$defs/{name}");
            let schema = json!({ "$schema": document["$schema"], "$ref": reference, "$defs": document["$defs"] });
            jsonschema::validator_for(&schema).unwrap()
        };
        let (field, form) = (by("PrimitiveSchemaDefinition"), by("ElicitRequestFormParams"));
        assert!(!field.is_valid(&json!({ "type": "object" })), "the official schema is not looked at");
        let shown = serde_json::to_value(Booking::schema()).unwrap();
        for (name, schema) in shown["properties"].as_object().unwrap() {
            assert!(field.is_valid(schema), "{revision:?} {name}: {schema}");
        }
        assert!(form.is_valid(&json!({ "mode": "form", "message": "Book", "requestedSchema": shown })));
    }
}

/// Answers of all sorts, right ones among them.
fn answers() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-10_i64..10).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-10.0..10.0).prop_map(Value::from),
        "[ -~äß]{0,22}".prop_map(Value::from),
        prop::sample::select(vec![
            "Window",
            "garden",
            "Cellar",
            "Small",
            "very large",
            "a@b.c",
            "a:b",
            "2024-02-29",
            "2024-02-29T00:00:00Z"
        ])
        .prop_map(Value::from),
        prop::collection::vec(prop::sample::select(vec!["Window", "garden", "Small", "Parking"]), 0..4)
            .prop_map(Value::from),
    ];
    let names: Vec<String> = Booking::schema().properties.into_iter().map(|(name, _)| name).collect();
    prop::collection::vec((prop::sample::select(names), value), 0..16).prop_map(|changes| {
        let mut answer = least();
        for (name, value) in changes {
            answer[name] = value;
        }
        answer
    })
}

fn bookings() -> impl Strategy<Value = Booking> {
    let room = || prop::sample::select(vec![Room::Window, Room::Garden, Room::Cellar]);
    let size = || prop::sample::select(vec![Size::Small, Size::Large]);
    let extra = prop::sample::select(vec![Extra::Breakfast, Extra::Parking]);
    let texts = (".{1,20}", prop::option::of("[a-z]{1,9}@[a-z]{1,9}"), prop::option::of("https://[a-z]{1,9}/[a-z]?"));
    let days = ("20[0-9][0-9]-0[1-9]-[01][1-9]", "20[0-9][0-9]-0[1-9]-[01][1-9]T[01][0-9]:[0-5][0-9]:00Z");
    let numbers = (1_u8..9, prop::option::of(-5_i64..), 0.1_f32..=0.5, prop::option::of(-1e9..=1.0_f64));
    let choices = (room(), size(), prop::collection::vec(extra, 0..4), prop::collection::vec(room(), 1..3));
    let sizes = prop::collection::vec(size(), 2..4).prop_map(Some);
    (texts, days, numbers, any::<(bool, bool)>(), choices, sizes).prop_map(
        |((name, email, page), (from, at), (seats, r#type, share, ratio), (quiet, agreed), choices, sizes)| {
            let (room, size, extras, rooms) = choices;
            Booking {
                name,
                email,
                page,
                from,
                at,
                seats,
                r#type,
                share,
                ratio,
                quiet,
                agreed,
                room,
                size,
                extras,
                rooms,
                sizes,
            }
        },
    )
}

/// The answers that make up a booking. As text, for a `Value` keeps floats less exactly.
fn written(booking: &Booking) -> RawMap {
    let Booking { name, email, page, from, at, seats, r#type, share, ratio, quiet, agreed, .. } = booking;
    let Booking { room, size, extras, rooms, sizes, .. } = booking;
    let answers = [
        ("name", name.to_answer()),
        ("email", email.to_answer()),
        ("homepage", page.to_answer()),
        ("from", from.to_answer()),
        ("at", at.to_answer()),
        ("seats", seats.to_answer()),
        ("type", r#type.to_answer()),
        ("share", share.to_answer()),
        ("ratio", ratio.to_answer()),
        ("quiet", quiet.to_answer()),
        ("agreed", agreed.to_answer()),
        ("room", room.to_answer()),
        ("size", size.to_answer()),
        ("extras", extras.to_answer()),
        ("rooms", rooms.to_answer()),
        ("sizes", sizes.to_answer()),
    ];
    let mut content = RawMap::new();
    for (name, answer) in answers {
        content.insert(name, answer);
    }
    content
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn check_and_read_agree_when_answers_are_arbitrary(answer in answers()) {
        let content = content(&answer);
        let checked = check(&Booking::schema(), &content);
        let read = form::read::<Booking>(&content);
        prop_assert_eq!(checked.is_ok(), read.is_ok(), "{:?} {:?}", checked, read);
    }

    #[test]
    fn form_round_trips_when_values_are_arbitrary(booking in bookings()) {
        prop_assert_eq!(form::read::<Booking>(&written(&booking)), Ok(booking));
    }
}
