//! JSON in one form, so that the same arguments are the same however a client writes them.
//!
//! A client that repeats a request may write it anew: keys in another order, `1.0` for `1`, other escapes. Numbers are
//! compared as decimals and not as floats, or one large number would pass for its neighbour.

use ferromcp_core::json::depth_within;

/// The deepest nesting that is brought into form. It bounds the stack; a server reads nothing so deep unless told to.
const DEPTH: usize = 256;

/// The text in the one form: no space, keys in order, one way to write each string and number.
///
/// `None` if it is too deep or no JSON; then the text stands for itself.
pub(super) fn canonical(text: &str) -> Option<Vec<u8>> {
    if !depth_within(text.as_bytes(), DEPTH) {
        return None;
    }
    let mut walk = Walk { text, at: 0, out: Vec::with_capacity(text.len()) };
    walk.value()?;
    walk.space();
    (walk.at == text.len()).then_some(walk.out)
}

/// Reads from `text` and writes to `out`. It goes no deeper than the text, whose depth was looked at.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    out: Vec<u8>,
}

impl Walk<'_> {
    fn value(&mut self) -> Option<()> {
        self.space();
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self) -> Option<()> {
        let begin = self.out.len();
        let mut members = vec![];
        self.at += 1;
        self.space();
        if !self.accept(b'}') {
            loop {
                self.space();
                let key = self.out.len();
                self.string()?;
                let value = self.out.len();
                self.space();
                self.accept(b':').then_some(())?;
                self.value()?;
                members.push((key..value, value..self.out.len()));
                self.space();
                if self.accept(b'}') {
                    break;
                }
                self.accept(b',').then_some(())?;
            }
        }
        // The sort is stable: of keys that come twice, the order counts, as it may for who reads them.
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
        self.space();
        if !self.accept(b']') {
            loop {
                self.value()?;
                self.out.push(b',');
                self.space();
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
            // Half a surrogate pair is JSON and no text. As it is written it is like no text in our form.
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

    fn word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        self.out.extend_from_slice(word.as_bytes());
        Some(())
    }

    fn space(&mut self) {
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

/// Writes a number as its digits without zeros around them, and the power of ten they are multiplied with.
fn decimal(written: &str, out: &mut Vec<u8>) {
    let (negative, unsigned) = written.strip_prefix('-').map_or((false, written), |rest| (true, rest));
    let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    if short.is_empty() {
        return out.push(b'0'); // -0 too: who writes it anew may leave the sign out
    }
    // A power beyond all bounds is left as it is written, and then equals only itself.
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
    fn the_same_arguments_are_the_same_however_they_are_written() {
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
    fn other_arguments_are_others() {
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
    fn what_is_too_deep_or_no_json_stands_for_itself() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(canonical(&deep(DEPTH)).is_some());
        for text in
            [&*deep(DEPTH + 1), "", "{", "[1", "[1,", r#"{"a""#, r#"{"a":"#, "\"", "\"\\", "\"\\é", "nul", "1 2"]
        {
            assert!(canonical(text).is_none(), "{text}");
        }
    }

    /// A value with every list of members turned round.
    fn turned(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                Value::Object(map.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(turned).collect()),
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

    /// Values of so few kinds that two of them are often the same.
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
        fn order_and_space_of_members_do_not_matter(value in any_value()) {
            let plain = canonical(&value.to_string());
            prop_assert!(plain.is_some());
            prop_assert_eq!(&canonical(&serde_json::to_string_pretty(&turned(&value)).unwrap()), &plain);
        }

        #[test]
        fn two_values_have_one_form_only_if_they_are_equal(a in small_value(), b in small_value()) {
            prop_assert_eq!(canonical(&a.to_string()) == canonical(&b.to_string()), a == b);
        }

        #[test]
        fn no_text_is_too_strange(text in "[\\[\\]{}:,\"\\\\a-f0-9.eE+\\- \u{e9}u]{0,40}") {
            canonical(&text);
        }
    }
}
