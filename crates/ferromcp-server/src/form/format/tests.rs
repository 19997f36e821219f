//! Accepted and rejected texts of each format.

use proptest::prelude::*;

use super::Format;

fn all(format: Format, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(format.matches(text), "{format:?} {text:?}");
    }
    for text in bad {
        assert!(!format.matches(text), "{format:?} {text:?}");
    }
}

#[test]
fn date_is_accepted_only_when_in_the_calendar() {
    all(
        Format::Date,
        &["2024-02-29", "2000-02-29", "2023-02-28", "1999-12-31", "0000-01-01", "9999-04-30"],
        &[
            "2023-02-29",
            "1900-02-29",
            "2024-02-30",
            "2024-04-31",
            "2024-00-10",
            "2024-13-10",
            "2024-01-00",
            "2024-01-32",
            "24-01-01",
            "2024-1-1",
            "2024-01-01T",
            " 2024-01-01",
            "2024-01-01 ",
            "2024/01/01",
            "20240101",
            "+024-01-01",
            "٢٠٢٤-01-01",
            "2024-01",
            "",
            "--",
            "2024-01-01-01",
        ],
    );
}

#[test]
fn date_time_is_accepted_only_when_valid_in_rfc_3339() {
    all(
        Format::DateTime,
        &[
            "2024-02-29T12:00:00Z",
            "2024-02-29t12:00:00z",
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "1990-12-31T23:59:60Z",
            "1990-12-31T15:59:60-08:00",
            "1991-01-01T00:59:60+01:00",
            "1937-01-01T12:00:27.87+00:20",
            "2024-01-01T00:00:00-00:00",
        ],
        &[
            "2024-02-29",
            "2024-02-29T12:00:00",
            "2024-02-29 12:00:00Z",
            "2024-02-29T12:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z",
            "2024-02-29T12:00:60Z",
            "2024-02-29T12:00:61Z",
            "2023-02-29T12:00:00Z",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00.5aZ",
            "2024-02-29T12:00:00+1:00",
            "2024-02-29T12:00:00+24:00",
            "2024-02-29T12:00:00+01:60",
            "2024-02-29T12:00:00+0100",
            "2024-02-29T12:00:00ZZ",
            "2024-02-29T1:00:00Z",
            "T12:00:00Z",
            "",
            "Z",
            "1990-12-31T23:59:60+01:00",
        ],
    );
}

#[test]
fn email_is_accepted_only_when_local_part_and_domain_are_valid() {
    let long = format!("{}@example.org", "a".repeat(65));
    let longer = format!("a@{}", ["b".repeat(60).as_str(); 5].join("."));
    all(
        Format::Email,
        &[
            "ann@example.org",
            "a.b+c@sub.example.org",
            "root@localhost",
            "o'neil@example.ie",
            "käthe@münchen.example",
            "1@2.example",
            "a-@b-c.example",
        ],
        &[
            "",
            "@",
            "ann",
            "ann@",
            "@example.org",
            "a@b@c",
            "a b@example.org",
            " ann@example.org",
            "ann@example.org ",
            "ann@exa mple.org",
            ".ann@example.org",
            "ann.@example.org",
            "a..b@example.org",
            "ann@.org",
            "ann@example.",
            "ann@example..org",
            "ann@-example.org",
            "ann@example-.org",
            "ann@exam_ple.org",
            "Ann <ann@example.org>",
            "ann@\u{a0}example.org",
            "ann\n@example.org",
            &long,
            &longer,
        ],
    );
}

#[test]
fn uri_is_accepted_only_when_it_has_scheme_and_rest() {
    all(
        Format::Uri,
        &[
            "https://example.org",
            "HTTP://example.org/a?b=c#d",
            "mailto:ann@example.org",
            "urn:isbn:0451450523",
            "file:///etc/hosts",
            "http://[::1]:8080/",
            "tel:+1-816-555-1212",
            "a+b.c-1:x",
            "https://example.org/%C3%A4",
        ],
        &[
            "",
            "example.org",
            "/path",
            "https:",
            ":x",
            "1a:x",
            "ä:x",
            "https://exa mple.org",
            "https://example.org/ä",
            "https://example.org/%G0",
            "https://example.org/%4",
            "https://example.org/%",
            "https://a#b#c",
            "https://",
            "https:example.org",
            "http:///path",
            "http://:80",
            "https://example.org/<x>",
            "https://example.org/\"",
            "https://example.org\n",
            "h\u{200b}ttp://a",
        ],
    );
}

proptest! {
    #[test]
    fn matches_does_not_panic_on_arbitrary_text(text: String, like in "[0-9a-zTZ:+.@%#-]{0,32}") {
        for format in Format::ALL {
            format.matches(&text);
            format.matches(&like);
        }
    }

    #[test]
    fn date_time_is_accepted_for_every_time_of_a_day(hour in 0..24, minute in 0..60, second in 0..60, day in 1..29) {
        let text = format!("2024-02-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        prop_assert!(Format::DateTime.matches(&text));
    }
}
