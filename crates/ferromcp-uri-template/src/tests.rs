//! What templates refuse, match and protect.

mod property;
mod rfc_table;

use super::*;

fn template(text: &str) -> UriTemplate {
    UriTemplate::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn one(text: &str) -> Capture {
    Capture::One(text.to_owned())
}

fn many(items: &[&str]) -> Capture {
    Capture::Many(items.iter().map(|&item| item.to_owned()).collect())
}

/// What a match finds, or `None`.
fn found(text: &str, uri: &str) -> Option<Vec<Capture>> {
    let captures = template(text).matches(uri).unwrap_or_else(|error| panic!("{text} {uri}: {error}"));
    captures.map(|captures| captures.iter().map(|(_, capture)| capture.clone()).collect())
}

fn danger(text: &str, uri: &str) -> (String, Danger) {
    let refusal = template(text).matches(uri).expect_err(uri);
    (refusal.variable().to_owned(), refusal.danger())
}

#[track_caller]
fn check(text: &str, uri: &str, expected: &[Capture]) {
    assert_eq!(found(text, uri).as_deref(), Some(expected), "{text} {uri}");
}

// S-289
#[test]
fn errors_report_position_and_problem() {
    let name = |name: &str| Problem::BadName { name: name.to_owned() };
    let cases = [
        ("x://{id", 4, Problem::Unclosed),
        ("x://{a{b}", 4, Problem::Unclosed),
        ("x://id}", 6, Problem::Unopened),
        ("x://{}", 5, Problem::Empty),
        ("x://{a,}", 7, Problem::Empty),
        ("x://{+}", 6, Problem::Empty),
        ("x://{a b}", 5, name("a b")),
        ("x://{a..b}", 5, name("a..b")),
        ("x://{.}", 6, Problem::Empty),
        ("x://{a.}", 5, name("a.")),
        ("x://{a%2}", 5, name("a%2")),
        ("x://{{a}}", 4, name("{")),
        ("x://{=a}", 5, Problem::ReservedOperator('=')),
        ("x://{|a}", 5, Problem::ReservedOperator('|')),
        ("x://{a:0}", 5, Problem::BadPrefix),
        ("x://{a:10000}", 5, Problem::BadPrefix),
        ("x://{a:}", 5, Problem::BadPrefix),
        ("x://{a:+1}", 5, Problem::BadPrefix),
        ("x://a b", 5, Problem::BadLiteral(' ')),
        ("x://é\\", 6, Problem::BadLiteral('\\')),
        ("x://50%", 6, Problem::BadPercent),
        ("x://{a}/{a}", 9, Problem::Duplicate("a".to_owned())),
        ("x://{a}/{%61}", 9, Problem::Duplicate("%61".to_owned())),
        ("x://{a}{b}", 7, Problem::Adjacent),
        ("x://{a}{+b}", 7, Problem::Adjacent),
        ("x://{/a}{b}", 8, Problem::Adjacent),
        ("x://{/a*}{/b}", 9, Problem::Adjacent),
        ("x://{+a}{/b*}", 8, Problem::Adjacent),
        ("x://{+a}{/b}{/c}", 8, Problem::Adjacent),
        ("x://{a*}{.b,c}", 8, Problem::Adjacent),
        ("x://{#a}{?b}", 8, Problem::Adjacent),
        ("x://{a*,b}", 5, Problem::ListNotLast("a".to_owned())),
        ("x://a{?b}/c", 9, Problem::AfterNamed),
        ("x://a{?b}{c}", 9, Problem::AfterNamed),
        ("x://a{?b}{?c}", 9, Problem::AfterNamed),
        ("x://a{;b}c", 9, Problem::AfterNamed),
    ];
    for (text, position, problem) in cases {
        let error = UriTemplate::parse(text).expect_err(text);
        assert_eq!((error.position(), error.problem()), (position, &problem), "{text}");
        assert!(error.to_string().starts_with(&format!("bad URI template at byte {position}: ")), "{error}");
    }
}

#[test]
fn errors_include_the_fix() {
    let error = UriTemplate::parse("notes://{owner}{id}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad URI template at byte 15: adjacent expressions are ambiguous; \
         expected literal text in between, as in `{a}/{b}`"
    );
}

#[test]
fn limits_are_exact() {
    let limits = TemplateLimits::new().template_bytes(10).uri_bytes(8);
    assert!(UriTemplate::parse_within("x://{a}{?b", limits).is_err_and(|error| *error.problem() == Problem::Unclosed));
    let long = UriTemplate::parse_within("x://{a}/bcd", limits).unwrap_err();
    assert_eq!(long.problem(), &Problem::TooLong { limit: 10 });
    let variables =
        |count: usize| format!("x://{{?{}}}", (0..count).map(|n| format!("v{n}")).collect::<Vec<_>>().join(","));
    assert!(UriTemplate::parse(&variables(32)).is_ok());
    let crowd = UriTemplate::parse(&variables(33)).unwrap_err();
    assert_eq!(Some(crowd.position()), variables(33).find("v32"));
    assert_eq!(crowd.problem(), &Problem::TooManyVariables { limit: 32 });
    let small = UriTemplate::parse_within("x://{a}", limits).unwrap();
    assert!(small.matches("x://1234").unwrap().is_some());
    assert!(small.matches("x://12345").unwrap().is_none());
}

#[test]
fn variables_expose_operator_and_modifiers() {
    let template = template("x://{a:3}{/b*}{?c}");
    let seen: Vec<_> =
        template.variables().map(|v| (v.name(), v.operator(), v.explode(), v.prefix(), v.is_required())).collect();
    assert_eq!(
        seen,
        [
            ("a", Operator::Simple, false, Some(3), true),
            ("b", Operator::Path, true, None, false),
            ("c", Operator::Query, false, None, false),
        ]
    );
    assert!(!template.is_literal());
    assert!(self::template("x://y").is_literal());
    assert_eq!(template.to_string(), "x://{a:3}{/b*}{?c}");
    assert_eq!(format!("{template:?}"), r#"UriTemplate("x://{a:3}{/b*}{?c}")"#);
}

#[test]
fn templates_are_equal_when_text_and_setting_are_equal() {
    assert_eq!(template("x://{a}"), template("x://{a}"));
    assert_ne!(template("x://{a}"), template("x://{b}"));
    assert_ne!(template("x://{a}"), template("x://{a}").allow_unsafe_paths());
}

// M26-373, S-282
#[test]
fn simple_variable_matches_one_decoded_segment() {
    check("notes://{id}", "notes://42", &[one("42")]);
    check("notes://{id}", "notes://caf%c3%a9", &[one("café")]);
    check("notes://{id}", "notes://café au lait", &[one("café au lait")]);
    check("notes://{id}/x", "notes://a+b%2B/x", &[one("a+b+")]);
    check("notes://{a}-{b}", "notes://1-2-3", &[one("1-2"), one("3")]);
    check("notes://{a,b}", "notes://1,2", &[one("1"), one("2")]);
    check("notes://{a*}", "notes://1,2%2C", &[many(&["1", "2,"])]);
    for uri in [
        "notes://",
        "notes://a/b",
        "notes://a?b",
        "notes://a#b",
        "note://a",
        "notes://%",
        "notes://%4",
        "notes://%zz",
        "notes://%FF",
        "notes://a\n",
        "NOTES://a",
        "",
    ] {
        assert_eq!(found("notes://{id}", uri), None, "{uri:?}");
    }
    assert_eq!(found("notes://{a,b}", "notes://1"), None);
    assert_eq!(found("notes://{a,b}", "notes://1,2,3"), None);
}

#[test]
fn literals_match_in_any_percent_encoding() {
    check("x://café/{a}", "x://caf%c3%a9/1", &[one("1")]);
    check("x://caf%c3%A9/{a}", "x://café/1", &[one("1")]);
    assert_eq!(found("x://recent", "x://recent"), Some(vec![]));
    assert_eq!(found("x://recent", "x://recent/"), None);
    // The digits of a percent-encoded byte are not text.
    assert_eq!(found("x://{a}41", "x://b%41"), None);
    check("x://{a}41", "x://b%4141", &[one("bA")]);
}

#[test]
fn reserved_variables_span_segments() {
    check("f://{+p}", "f://a/b?c#d", &[one("a/b?c#d")]);
    check("f://{+p}{?q}", "f://a/b?q=1", &[one("a/b"), one("1")]);
    check("f://{+p}{#q}", "f://a/b?c#d", &[one("a/b?c"), one("d")]);
    check("f://{+p}/{name}", "f://a/b/c", &[one("a/b"), one("c")]);
    check("f://{+p}{/name}", "f://a/b/c", &[one("a/b"), one("c")]);
    check("f://{+p,q}", "f://a/b,c/d", &[one("a/b"), one("c/d")]);
}

#[test]
fn labels_segments_and_fragments_are_optional() {
    check("f://{name}{.ext}", "f://a.tar.gz", &[one("a.tar"), one("gz")]);
    check("f://{name}{.ext}", "f://a", &[one("a"), Capture::Absent]);
    check("f://{name}{.ext}", "f://.profile", &[one(".profile"), Capture::Absent]);
    check("f://{name}{.a,b}", "f://x.1.2", &[one("x"), one("1"), one("2")]);
    check("f://{name}{.a}{.b*}", "f://x.1.2.3", &[one("x"), one("1"), many(&["2", "3"])]);
    check("f://{name}{.ext}{?q}", "f://a.b?q=1", &[one("a"), one("b"), one("1")]);
    check("f://h{/a,rest*}", "f://h/1/2/3", &[one("1"), many(&["2", "3"])]);
    check("f://h{/a,rest*}", "f://h/1", &[one("1"), Capture::Absent]);
    check("f://h{/a,rest*}", "f://h", &[Capture::Absent, Capture::Absent]);
    check("f://h{/a*}{.ext}", "f://h/1/2.x", &[many(&["1", "2"]), one("x")]);
    check("f://h{/a*}", "f://h/1/", &[many(&["1", ""])]);
    check("f://h{/a}/z", "f://h/1/z", &[one("1")]);
    check("f://h{/a}/z", "f://h/z", &[Capture::Absent]);
    check("f://h{#a,b}", "f://h#1,2", &[one("1"), one("2")]);
    check("f://h{#a}", "f://h#", &[one("")]);
    check("f://h{#a}", "f://h", &[Capture::Absent]);
    assert_eq!(found("f://h{#a,b}", "f://h,2"), None);
    assert_eq!(found("f://h{#a,b}", "f://h#1"), None);
}

#[test]
fn parameters_match_in_any_order_and_reject_unknown_names() {
    check("f://h{?a,b}", "f://h?b=2&a=1", &[one("1"), one("2")]);
    check("f://h{?a,b}", "f://h?b=", &[Capture::Absent, one("")]);
    check("f://h{?a,b}", "f://h", &[Capture::Absent, Capture::Absent]);
    check("f://h{?a,b}", "f://h?", &[Capture::Absent, Capture::Absent]);
    check("f://h{?a}{&b}{#c}", "f://h?b=2&a=1#3", &[one("1"), one("2"), one("3")]);
    check("f://h{?a}{&b}", "f://h&b=2", &[Capture::Absent, one("2")]);
    check("f://h?v=1{&a}", "f://h?v=1&a=x/y?z", &[one("x/y?z")]);
    check("f://h{?a*}", "f://h?a=1&a=2", &[many(&["1", "2"])]);
    check("f://h{?%61b}", "f://h?ab=1", &[one("1")]);
    check("f://{x}{;a,b}/y", "f://h;b;a=1/y", &[one("h"), one("1"), one("")]);
    check("f://{x}{;a}{;b}{/y}{?q}", "f://h;b=2;a=1/y?q=3", &[one("h"), one("1"), one("2"), one("y"), one("3")]);
    for uri in ["f://h?c=1", "f://h?a=1&c=1", "f://h?a=1&a=2", "f://h?a=1/b#c", "f://h?a=%FF", "f://h&a=1"] {
        assert_eq!(found("f://h{?a,b}", uri), None, "{uri}");
    }
}

#[test]
fn prefixes_count_characters() {
    check("f://{a:1}-{b}", "f://x-y-z", &[one("x"), one("y-z")]);
    check("f://{a:2}", "f://%C3%A9%C3%A9", &[one("éé")]);
    check("f://h{?a:2}", "f://h?a=éé", &[one("éé")]);
    assert_eq!(found("f://{a:2}", "f://ééé"), None);
    assert_eq!(found("f://h{?a:2}", "f://h?a=123"), None);
}

// M26-376, M26-373, S-282
#[test]
fn unsafe_values_are_rejected() {
    let cases = [
        ("f:///{a}", "f:///..", Danger::ParentSegment),
        ("f:///{a}", "f:///%2e%2E", Danger::ParentSegment),
        ("f:///{a}", "f:///..%20", Danger::ParentSegment),
        ("f:///{a}", "f:///%2e%2e%2fetc", Danger::ParentSegment),
        ("f:///{a}", "f:///..%5Cetc", Danger::ParentSegment),
        ("f:///{a}", "f:///..\\etc", Danger::ParentSegment),
        ("f:///{a}", "f:///x%2Fy", Danger::Separator),
        ("f:///{a}", "f:///x%5cy", Danger::Separator),
        ("f:///{a}", "f:///x%00", Danger::Nul),
        ("f:///{+a}", "f:///x/../y", Danger::ParentSegment),
        ("f:///{+a}", "f:///x%2F..", Danger::ParentSegment),
        ("f:///{+a}", "f:///x\\..\\y", Danger::ParentSegment),
        ("f:///{+a}", "f:////etc/passwd", Danger::Absolute),
        ("f:///{+a}", "f:///%2Fetc/passwd", Danger::Absolute),
        ("f:///{+a}", "f:///\\etc", Danger::Absolute),
        ("f:///{+a}", "f:///C:/windows", Danger::Absolute),
        ("f:///{+a}", "f:///c%3A%5Cwindows", Danger::Absolute),
        ("f:///{+a}", "f:///C:windows", Danger::Absolute),
        ("f:///d/{+a}", "f:///d/z:", Danger::Absolute),
        ("f://{+a}", "f://C:/windows", Danger::Absolute),
        ("f://{+a}", "f:////server/share", Danger::Absolute),
        ("f://{+a}", "f://%5C%5Cserver%5Cshare", Danger::Absolute),
        ("f://{+a}", "f://%5C%5C%3F%5CC:%5Cx", Danger::Absolute),
        ("f://{+a}", "f:///%5Cserver/share", Danger::Absolute),
        ("f://h/{a}", "f://h/C:", Danger::Absolute),
        ("f://h{/a*}", "f://h/x/C:/windows", Danger::Absolute),
        ("f://h{/a*}", "f://h/x/..", Danger::ParentSegment),
        ("f://h{/a*}", "f://h/x/y%2fz", Danger::Separator),
        ("f://h{/a*}", "f://h//etc", Danger::Absolute),
        ("f://h/x{.a}", "f://h/x.y%2Fz", Danger::Separator),
        ("f://h{?a}", "f://h?a=../x", Danger::ParentSegment),
        ("f://h{;a}", "f://h;a=%00", Danger::Nul),
        ("f://h{#a}", "f://h#x/..", Danger::ParentSegment),
        ("f:///{a}", "f:///CON", Danger::DeviceName),
        ("f:///{a}", "f:///nul.txt", Danger::DeviceName),
        ("f:///{a}", "f:///Aux%20.tar.gz", Danger::DeviceName),
        ("f:///{a}", "f:///COM1.txt", Danger::DeviceName),
        ("f:///{a}", "f:///lpt%C2%B9", Danger::DeviceName),
        ("f:///{a}.txt", "f:///PRN.txt", Danger::DeviceName),
        ("f:///{+a}", "f:///x/NUL:s/y", Danger::DeviceName),
        ("f:///{+a}", "f:///CONIN$", Danger::DeviceName),
        ("f:///{+a}", "f:///con::$DATA", Danger::DeviceName),
        ("f://h{/a*}", "f://h/x/com9", Danger::DeviceName),
        ("f://h{#a}", "f://h#x/LPT1", Danger::DeviceName),
        ("f:///{a}", "f:///file.txt:stream", Danger::DataStream),
        ("f:///{a}", "f:///.env%3Astream", Danger::DataStream),
        ("f:///{a}", "f:///file::$DATA", Danger::DataStream),
        ("f:///{a}", "f:///file:s:$data", Danger::DataStream),
        ("f:///{+a}", "f:///x/file:stream", Danger::DataStream),
        ("f:///{+a}", "f:///x/file.txt::$DATA", Danger::DataStream),
        ("f:///{+a}", "f:///dir::$INDEX_ALLOCATION/file", Danger::DataStream),
        ("f:///{a}", "f:///secret.txt.", Danger::TrailingDot),
        ("f:///{a}", "f:///secret.txt%20", Danger::TrailingDot),
        ("f:///{a}", "f:///.env. .", Danger::TrailingDot),
        ("f:///{a}", "f:///...", Danger::TrailingDot),
        ("f:///{a}", "f:///.. .", Danger::TrailingDot),
        ("f:///{+a}", "f:///secret.", Danger::TrailingDot),
        ("f:///{+a}", "f:///x./y", Danger::TrailingDot),
        // Safe alone, but not next to the adjacent text.
        ("f:///.{a}", "f:///..", Danger::ParentSegment),
        ("f:///.{a}", "f:///.%2E", Danger::ParentSegment),
    ];
    for (text, uri, expected) in cases {
        assert_eq!(danger(text, uri), ("a".to_owned(), expected), "{text} {uri}");
        assert!(template(text).allow_unsafe_paths().matches(uri).unwrap().is_some(), "{text} {uri}");
    }
    assert_eq!(danger("f:///{b}{.a}", "f:///..").1, Danger::ParentSegment);
}

// M26-376
#[test]
fn safe_values_are_accepted() {
    check("f://{+a}", "f:///etc/hosts", &[one("/etc/hosts")]);
    check("f:///{a}", "f:///..a", &[one("..a")]);
    check("f:///{a}", "f:///.", &[one(".")]);
    check("f:///{a}", "f:///%252e%252e", &[one("%2e%2e")]);
    check("f:///{+a}", "f:///a/..b/c..d", &[one("a/..b/c..d")]);
    check("f://h{?url}", "f://h?url=https://x/y", &[one("https://x/y")]);
}

#[test]
fn identifiers_are_accepted_when_they_resemble_names_of_windows() {
    for id in [
        "console",
        "nulls.txt",
        "com",
        "com0",
        "com10",
        "lpt",
        "my-con",
        "a.con",
        "llama3.1:8b",
        "localhost:8080",
        "example.com:8080",
        "std::fs::read",
        "order:17",
        "2026-11-29T20:39:48.log",
        "Example Inc.",
        "a ",
        ":",
        "Dr. No.",
        "日本.",
    ] {
        check("x://{a}", &format!("x://{id}"), &[one(id)]);
    }
    for path in ["https://host:8080/x", "std::fs::read", "2026-11-29T20:39:48.log", "./a", "a/./b", "a/b:", ".git/x"] {
        check("x://{+a}", &format!("x://{path}"), &[one(path)]);
    }
    check("x://h{?a}", "x://h?a=CON", &[one("CON")]);
    check("x://h{?a}", "x://h?a=file.txt:stream.", &[one("file.txt:stream.")]);
}

// A value is refused only where the template matches at all.
#[test]
fn mismatch_returns_nothing_when_value_would_be_unsafe() {
    assert_eq!(found("notes://{id}", "files:///../x"), None);
    assert_eq!(found("notes://{id}/{n}", "notes://..%2F/%FF"), None);
}

#[test]
fn unsafe_value_displays_variable_and_reason() {
    let refusal = template("f:///{name}").matches("f:///..").unwrap_err();
    assert_eq!(refusal.to_string(), "the URI's value for `name` is refused: it has a path segment `..`");
}

#[test]
fn captures_are_accessible_by_name() {
    let captures = template("f://h{/a*}{?b,c}").matches("f://h/1/2?b=3").unwrap().unwrap();
    assert_eq!(captures.many("a").map(<[String]>::len), Some(2));
    assert_eq!(captures.one("b"), Some("3"));
    assert_eq!((captures.one("a"), captures.many("b"), captures.one("c")), (None, None, None));
    assert_eq!(captures.get("c"), Some(&Capture::Absent));
    assert_eq!(captures.get("d"), None);
    assert_eq!((captures.len(), captures.is_empty()), (3, false));
}

#[test]
fn specific_templates_sort_first() {
    let expected = [
        "notes://recent/all",
        "notes://recent",
        "notes://{id}/history",
        "notes://{id}/raw",
        "notes://{id}",
        "notes://{a}{?q}",
        "notes://{/rest*}",
        "notes://{+rest}",
    ];
    let mut routes: Vec<_> = expected.iter().rev().map(|text| template(text)).collect();
    routes.sort_by(UriTemplate::specific_first);
    let order: Vec<_> = routes.iter().map(UriTemplate::as_str).collect();
    // The last two are equal but for the alphabet, where `+` comes before `/`.
    assert_eq!(order[..6], expected[..6]);
    assert_eq!(order[6..], [expected[7], expected[6]]);
}

#[test]
fn matching_takes_linear_time_when_uri_is_hostile() {
    // Templates and URIs on which a backtracking matcher would need a number of steps with tens of digits.
    let uri_bytes = TemplateLimits::new().uri_bytes;
    let pieces: Vec<_> = (0..limits::MAX_VARIABLES).map(|n| format!("{{+v{n}}}a")).collect();
    let text = format!("x://{}", pieces.concat());
    let hostile = template(&text);
    let uri = format!("x://{}b", "a".repeat(uri_bytes - 5));
    assert!(hostile.matches(&uri).unwrap().is_none());
    let labels = template("x://{n}{.a}{.b}{.c}{.d}/z");
    let uri = format!("x://{}", ".".repeat(uri_bytes - 4));
    assert!(labels.matches(&uri).unwrap().is_none());
    let counted = template("x://{a:9999}-{b:9999}-{c:9999}!");
    let uri = format!("x://{}", "-".repeat(uri_bytes - 4));
    assert!(counted.matches(&uri).unwrap().is_none());
}
