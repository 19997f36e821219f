//! Tests of the `Mcp-Param-*` headers of a client and their validation by a server.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::error::{Error, ErrorCode};
use crate::header::{Annotation, HeaderError, MismatchReason, check, encode, mirror, scan};
use crate::json::RawJson;

/// Annotates `a` (a string), `n` (an integer), `f` (a boolean) and `o.i` (an integer).
fn annotations() -> Vec<Annotation> {
    let schema = json!({"properties": {
        "a": {"type": "string", "x-mcp-header": "A"},
        "n": {"type": "integer", "x-mcp-header": "N"},
        "f": {"type": "boolean", "x-mcp-header": "F"},
        "o": {"type": "object", "properties": {"i": {"type": "integer", "x-mcp-header": "I"}}},
    }});
    scan(&RawJson::from(schema)).unwrap()
}

fn raw(text: &str) -> RawJson {
    RawJson::parse(text).unwrap()
}

/// Returns the headers of these arguments as `name=value`, without the prefix.
fn headers(arguments: &str) -> Result<Vec<String>, MismatchReason> {
    match mirror(&annotations(), Some(&raw(arguments))) {
        Ok(headers) => {
            Ok(headers.iter().map(|(name, value)| format!("{}={value}", &name["Mcp-Param-".len()..])).collect())
        }
        Err(mismatch) => Err(mismatch.reason()),
    }
}

/// Validates `Mcp-Param-N` against these arguments.
fn validate(header: Option<&str>, arguments: &str) -> Result<(), MismatchReason> {
    let n = &annotations()[1];
    n.check(header.map(str::as_bytes), Some(&raw(arguments))).map_err(|mismatch| {
        assert_eq!(mismatch.header(), "Mcp-Param-N");
        mismatch.reason()
    })
}

#[test]
fn encodes_arguments_by_json_type() {
    // M26-193, M26-206, M26-211, M26-217
    assert_eq!(
        headers(r#"{"n":42,"a":"us-west1","other":"x","f":false,"o":{"i":-7,"n":1}}"#).unwrap(),
        ["A=us-west1", "N=42", "F=false", "I=-7"]
    );
    assert_eq!(headers(r#" { "f" : true , "a" : "" } "#).unwrap(), ["A=", "F=true"]);
    assert_eq!(headers(r#"{"a":"null"}"#).unwrap(), ["A=null"]);
}

#[test]
fn encodes_unsafe_values_as_base64() {
    // M26-207, M26-209
    assert_eq!(headers(r#"{"a":"Hello, \u4e16\u754c"}"#).unwrap(), ["A==?base64?SGVsbG8sIOS4lueVjA==?="]);
    assert_eq!(headers(r#"{"a":" x\n"}"#).unwrap(), ["A==?base64?IHgK?="]);
    assert_eq!(headers(r#"{"a":"=?base64?eA==?="}"#).unwrap(), [format!("A={}", encode("=?base64?eA==?="))]);
}

#[test]
fn omits_header_when_argument_is_null_or_absent() {
    // M26-202, M26-218
    for arguments in
        ["{}", r#"{"a":null,"o":null}"#, r#"{"o":{}}"#, r#"{"o":{"i":null}}"#, r#"{"o":[1]}"#, "null", "[]"]
    {
        assert_eq!(headers(arguments).unwrap(), [""; 0], "{arguments}");
    }
    assert_eq!(mirror(&annotations(), None).unwrap(), []);
}

#[test]
fn omits_header_when_path_does_not_match() {
    // M26-202
    assert_eq!(headers(r#"{"i":1,"A":"x","o.i":2,"x":{"a":"y"},"o":{"o":{"i":3}}}"#).unwrap(), [""; 0]);
    assert_eq!(headers(r#"{"\u0061":"x"}"#).unwrap(), ["A=x"]);
}

#[test]
fn encodes_integers_in_decimal() {
    // M26-199, M26-206
    for (number, written) in [
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("42.0", "42"),
        ("4.2e1", "42"),
        ("4200e-2", "42"),
        ("0", "0"),
        ("-0", "0"),
        ("0.000e99999999999999999999", "0"),
        ("-1.50e1", "-15"),
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("9007199254740991.000", "9007199254740991"),
    ] {
        assert_eq!(headers(&format!("{{\"n\":{number}}}")).unwrap(), [format!("N={written}")], "{number}");
    }
}

#[test]
fn returns_error_when_argument_cannot_be_represented() {
    // M26-199
    for number in ["9007199254740992", "-9007199254740992", "9007199254740991.5e1", "1e16", "1e999999999999999999999"] {
        assert_eq!(headers(&format!("{{\"n\":{number}}}")), Err(MismatchReason::OutOfRange), "{number}");
    }
    for value in ["1.5", "1e-1", "15e-1", "1e-999999999999999999999", "9007199254740991.5", "[]", "{}", "[1]"] {
        assert_eq!(headers(&format!("{{\"n\":{value}}}")), Err(MismatchReason::NotMirrorable), "{value}");
    }
    assert_eq!(headers(r#"{"a":"\ud800"}"#), Err(MismatchReason::Unreadable));
}

#[test]
fn returns_error_when_parameter_is_duplicated() {
    // M26-215: otherwise header and tool could read different values
    assert_eq!(headers(r#"{"n":1,"n":2}"#), Err(MismatchReason::Ambiguous));
    assert_eq!(validate(Some("1"), r#"{"n":1,"\u006e":1}"#), Err(MismatchReason::Ambiguous));
    assert_eq!(headers(r#"{"o":{"i":1},"o":{}}"#), Err(MismatchReason::Ambiguous));
    assert_eq!(headers(r#"{"x":1,"x":2}"#).unwrap(), [""; 0]);
}

#[test]
fn compares_integers_by_value() {
    // M26-221
    for header in ["42", "42.0", "4.2e1", " 42 ", "=?base64?NDI=?="] {
        assert_eq!(validate(Some(header), r#"{"n":42}"#), Ok(()), "{header}");
        assert_eq!(validate(Some(header), r#"{"n":42.0}"#), Ok(()), "{header}");
    }
    assert_eq!(validate(Some("9007199254740991"), r#"{"n":9007199254740991}"#), Ok(()));
    for header in
        ["43", "-42", "", "+42", "042", "42.", ".42e2", "0x2a", "42,0", "4 2", "forty-two", "42e", "42.5", "1e99"]
    {
        assert_eq!(validate(Some(header), r#"{"n":42}"#), Err(MismatchReason::Different), "{header}");
    }
    assert_eq!(validate(Some("9007199254740993"), r#"{"n":9007199254740993}"#), Err(MismatchReason::OutOfRange));
}

#[test]
fn compares_by_argument_type_when_it_differs_from_schema() {
    // M26-215: the tool validates the type
    assert_eq!(validate(Some("42"), r#"{"n":"42"}"#), Ok(()));
    assert_eq!(validate(Some("42.0"), r#"{"n":"42"}"#), Err(MismatchReason::Different));
    assert_eq!(validate(Some("true"), r#"{"n":true}"#), Ok(()));
    assert_eq!(validate(Some("1.5"), r#"{"n":1.5}"#), Err(MismatchReason::NotMirrorable));
}

#[test]
fn compares_strings_and_booleans_after_decoding() {
    // M26-181, M26-187, M26-210, M26-215
    let annotations = annotations();
    let validate = |index: usize, header: &[u8], arguments: &str| {
        annotations[index].check(Some(header), Some(&raw(arguments))).map_err(|mismatch| mismatch.reason())
    };
    assert_eq!(validate(0, b" us-west1\t", r#"{"a":"us-west1"}"#), Ok(()));
    assert_eq!(validate(0, b"=?base64?w6k=?=", r#"{"a":"\u00e9"}"#), Ok(()));
    assert_eq!(validate(0, b"", r#"{"a":""}"#), Ok(()));
    assert_eq!(validate(0, b"US-west1", r#"{"a":"us-west1"}"#), Err(MismatchReason::Different));
    assert_eq!(validate(0, b"=?BASE64?w6k=?=", r#"{"a":"\u00e9"}"#), Err(MismatchReason::Different));
    assert_eq!(validate(0, b"\xc3\xa9", r#"{"a":"\u00e9"}"#), Err(MismatchReason::Invalid(HeaderError::Character)));
    assert_eq!(validate(0, b"=?base64?w6k?=", r#"{"a":"\u00e9"}"#), Err(MismatchReason::Invalid(HeaderError::Base64)));
    assert_eq!(validate(2, b"true", r#"{"f":true}"#), Ok(()));
    assert_eq!(validate(2, b"True", r#"{"f":true}"#), Err(MismatchReason::Different));
    assert_eq!(validate(2, b"1", r#"{"f":true}"#), Err(MismatchReason::Different));
}

#[test]
fn returns_error_when_header_is_missing_or_unexpected() {
    // M26-219, M26-220
    assert_eq!(validate(None, r#"{"n":42}"#), Err(MismatchReason::Missing));
    for arguments in ["{}", r#"{"n":null}"#] {
        assert_eq!(validate(None, arguments), Ok(()));
        assert_eq!(validate(Some("42"), arguments), Err(MismatchReason::Unexpected));
        assert_eq!(validate(Some("null"), arguments), Err(MismatchReason::Unexpected));
    }
    assert_eq!(annotations()[0].check(None, None), Ok(()));
}

#[test]
fn validates_all_annotations_of_a_call() {
    // M26-215, M26-216
    let annotations = annotations();
    let arguments = raw(r#"{"a":"x","o":{"i":5}}"#);
    let sent = |name: &str| match name.to_ascii_lowercase().as_str() {
        "mcp-param-a" => Some(&b"x"[..]),
        "mcp-param-i" => Some(&b"5.0"[..]),
        _ => None,
    };
    assert_eq!(check(&annotations, Some(&arguments), sent), Ok(()));
    let error = Error::from(check(&annotations, Some(&arguments), |_| None).unwrap_err());
    assert_eq!(error.code, ErrorCode::HEADER_MISMATCH);
    assert_eq!(error.message, "Header mismatch: Mcp-Param-A is missing");
}

proptest! {
    #[test]
    fn server_accepts_headers_of_client(
        a in any::<Option<String>>(),
        n in proptest::option::of(-9_007_199_254_740_991_i64..=9_007_199_254_740_991),
        f in any::<Option<bool>>(),
        pretty in any::<bool>(),
    ) {
        // M26-193, M26-215
        let value = json!({"n": n, "o": {"i": n}, "f": f, "a": a});
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let arguments = raw(&text.unwrap());
        let annotations = annotations();
        let headers = mirror(&annotations, Some(&arguments)).unwrap();
        let sent = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_bytes());
        prop_assert_eq!(check(&annotations, Some(&arguments), sent), Ok(()));
        // Each header is required.
        for (index, _) in headers.iter().enumerate() {
            let less = |name: &str| sent(name).filter(|_| headers[index].0 != name);
            prop_assert_eq!(check(&annotations, Some(&arguments), less).unwrap_err().reason(), MismatchReason::Missing);
        }
    }

    #[test]
    fn encodes_numbers_by_value(number in -99_999_i64..=99_999, zeros in 0_usize..12, exponent in 0_usize..9) {
        // M26-206, M26-221
        // number × 10^zeros, with a fraction of zeros, and with an exponent
        let zeros = zeros.min(9);
        let plain = format!("{number}{}.{}", if number == 0 { String::new() } else { "0".repeat(zeros) }, "0".repeat(exponent + 1));
        let scaled = format!("{number}{}e{}", if number == 0 { String::new() } else { "0".repeat(exponent) }, i64::try_from(zeros).unwrap() - i64::try_from(exponent).unwrap());
        let expected = vec![format!("N={}", number * 10_i64.pow(u32::try_from(zeros).unwrap()))];
        prop_assert_eq!(headers(&format!("{{\"n\":{plain}}}")).unwrap(), expected.clone());
        prop_assert_eq!(headers(&format!("{{\"n\":{scaled}}}")).unwrap(), expected);
    }

    #[test]
    fn validates_any_arguments_and_any_header(
        text in "[ \\[\\]{}\",:0-9a-z.eE+\\\\-]{0,24}",
        header in proptest::collection::vec(any::<u8>(), 0..24),
    ) {
        // M26-186, M26-214
        for text in [text.clone(), format!("{{\"n\":{text}}}"), format!("{{\"o\":{{\"i\":{text}}}}}")] {
            let Ok(arguments) = RawJson::parse(text) else { continue };
            let value: Option<Value> = arguments.decode().ok();
            for annotation in annotations() {
                let check = annotation.check(Some(&header), Some(&arguments)).is_ok();
                let found = value.as_ref().and_then(|value| value.pointer(&format!("/{}", annotation.path().join("/"))));
                prop_assert!(!check || found.is_some_and(|value| !value.is_null()), "{arguments}");
            }
        }
    }
}
