//! Canonical JSON, so that equal arguments have equal digests regardless of their formatting.
//!
//! A client that retries a request may serialize it differently: another key order, `1.0` for `1`, other escapes.
//! Numbers are compared as decimals, because floats cannot distinguish some large integers.

use ferromcp_core::wire::depth_within;

/// Maximum nesting depth, which bounds the stack. By default, a server rejects messages of this depth.
const DEPTH: usize = 256;

/// Returns the canonical form of JSON text: no whitespace, sorted keys, normalized strings and numbers.
///
/// Returns `None` if the text is nested too deeply or is not JSON; the caller then uses the text itself.
pub(super) fn canonical(text: &str) -> Option<Vec<u8>> {
    if !depth_within(text.as_bytes(), DEPTH) {
        return None;
    }
    let mut canonicalizer = Canonicalizer { text, at: 0, out: Vec::with_capacity(text.len()) };
    canonicalizer.value()?;
    canonicalizer.skip_whitespace();
    (canonicalizer.at == text.len()).then_some(canonicalizer.out)
}

/// A recursive parser that writes canonical JSON to `out`. The depth of `text` is checked before.
struct Canonicalizer<'a> {
    text: &'a str,
    at: usize,
    out: Vec<u8>,
}

impl Canonicalizer<'_> {
    fn value(&mut self) -> Option<()> {
        self.skip_whitespace();
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.literal(),
        }
    }

    fn object(&mut self) -> Option<()> {
        let begin = self.out.len();
        let mut members = vec![];
        self.at += 1;
        self.skip_whitespace();
        if !self.accept(b'}') {
            loop {
                self.skip_whitespace();
                let key = self.out.len();
                self.string()?;
                let value = self.out.len();
                self.skip_whitespace();
                self.accept(b':').then_some(())?;
                self.value()?;
                members.push((key..value, value..self.out.len()));
                self.skip_whitespace();
                if self.accept(b'}') {
                    break;
                }
                self.accept(b',').then_some(())?;
            }
        }
        // The sort is stable, because the order of duplicate keys can be significant to the handler.
        members.sort_by(|(a, _), (b, _)| self.out[a.clone()].cmp(&self.out[b.clone()]));
        let mut sorted = Vec::with_capacity(self.out.len() - begin + 2 * members.len() + 2);
        sorted.push(b'{');
        for (key, value) in members {
            sorted.extend_from_slice(&self.out[key]);
            sorted.push(b':');
            sorted.extend_from_slice(&self.out[value]);
            sorted.push(b',');
        }
        sorted.push(b'}');
        self.out.truncate(begin);
        self.out.append(&mut sorted);
        Some(())
    }

    fn array(&mut self) -> Option<()> {
        self.at += 1;
        self.out.push(b'[');
        self.skip_whitespace();
        if !self.accept(b']') {
            loop {
                self.value()?;
                self.out.push(b',');
                self.skip_whitespace();
                if self.accept(b']') {
                    break;
                }
                self.accept(b',').then_some(())?;
            }
        }
        self.out.push(b']');
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let begin = self.at;
        self.accept(b'"').then_some(())?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let written = self.text.get(begin..self.at)?;
        if let Ok(string) = serde_json::from_str::<String>(written) {
            serde_json::to_writer(&mut self.out, &string).ok()
        } else {
            // A lone surrogate is valid JSON but not a valid string. Its escaped form equals no canonical string.
            self.out.extend_from_slice(written.as_bytes());
            Some(())
        }
    }

    fn number(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let length = rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let written = rest.get(..length.count())?;
        self.at += written.len();
        decimal(written, &mut self.out);
        Some(())
    }

    fn literal(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        self.out.extend_from_slice(word.as_bytes());
        Some(())
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }
}

/// Writes a number as its significant digits and a decimal exponent.
fn decimal(written: &str, out: &mut Vec<u8>) {
    let (negative, unsigned) = written.strip_prefix('-').map_or((false, written), |rest| (true, rest));
    let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{integer}{fraction}");
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    if short.is_empty() {
        return out.push(b'0'); // also for -0, because a client may drop the sign
    }
    // An exponent that overflows is copied unchanged, so the number equals only itself.
    let Some(power) = power.parse::<i64>().ok().and_then(|power| {
        let zeros = i64::try_from(digits.len() - short.len()).ok()?;
        power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)
    }) else {
        return out.extend_from_slice(written.as_bytes());
    };
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(short.as_bytes());
    out.extend_from_slice(format!("e{power}").as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn same(a: &str, b: &str) -> bool {
        canonical(a).unwrap() == canonical(b).unwrap()
    }

    #[test]
    fn canonical_form_is_equal_when_only_formatting_differs() {
        for (a, b) in [
            (r#"{"a":1,"b":[true,null]}"#, " { \"b\" : [ true , null ] ,\n\"a\" : 1 } "),
            (r#"{"a":{"d":0,"c":0}}"#, r#"{"a":{"c":0,"d":0}}"#),
            (r#""\u00e9\/\u000a""#, r#""é/\n""#),
            ("[1,100,-20,0,0.5]", "[1.0,1e2,-2.0E+1,-0.0e5,50e-2]"),
            ("1234567890123456789012345678901234567890", "1.23456789012345678901234567890123456789e39"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn canonical_form_differs_when_values_differ() {
        // M26-247
        for (a, b) in [
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("[1,2]", "[2,1]"),
            ("[]", "{}"),
            ("[[1],2]", "[[1,2]]"),
            ("0.1", "0.10000000000000001"),
            ("9007199254740993", "9007199254740992"),
            ("1e5", "1e6"),
            ("1", "-1"),
            ("1e99999999999999999999", "1e99999999999999999998"),
            (r#""\ud800""#, r#""\\ud800""#),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn canonical_returns_none_when_json_is_invalid_or_too_deep() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(canonical(&deep(DEPTH)).is_some());
        for text in
            [&*deep(DEPTH + 1), "", "{", "[1", "[1,", r#"{"a""#, r#"{"a":"#, "\"", "\"\\", "\"\\é", "nul", "1 2"]
        {
            assert!(canonical(text).is_none(), "{text}");
        }
    }

    /// Reverses the member order of every object.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                Value::Object(map.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
            other => other.clone(),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        nested(leaf, any::<String>(), 32)
    }

    /// Generates values from a small domain, so that two of them are often equal.
    fn small_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![(0..2).prop_map(Value::from), "[01]?".prop_map(Value::from)];
        nested(leaf, "[ab]", 3)
    }

    fn nested(
        leaf: impl Strategy<Value = Value> + 'static,
        key: impl Strategy<Value = String> + Clone + 'static,
        size: u32,
    ) -> impl Strategy<Value = Value> {
        leaf.prop_recursive(4, size, 4, move |inner| {
            let members = prop::collection::vec((key.clone(), inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_form_ignores_member_order_and_whitespace(value in any_value()) {
            let plain = canonical(&value.to_string());
            prop_assert!(plain.is_some());
            prop_assert_eq!(&canonical(&serde_json::to_string_pretty(&reversed(&value)).unwrap()), &plain);
        }

        #[test]
        fn canonical_forms_are_equal_only_when_values_are_equal(a in small_value(), b in small_value()) {
            prop_assert_eq!(canonical(&a.to_string()) == canonical(&b.to_string()), a == b);
        }

        #[test]
        fn canonical_does_not_panic_on_arbitrary_text(text in "[\\[\\]{}:,\"\\\\a-f0-9.eE+\\- \u{e9}u]{0,40}") {
            canonical(&text);
        }
    }
}
