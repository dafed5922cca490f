//! JSON (RFC 8259), as far as a plugin configuration needs it.
//!
//! A library for it would be an eighth of the module: its errors print numbers with fractions, and more.

/// JSON value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool,
    /// `None` if it is not a whole number from 0 to 2⁶⁴ - 1.
    Number(Option<u64>),
    Text(String),
    List(Vec<Value>),
    /// Members in the order in which they are written.
    Object(Vec<(String, Value)>),
}

/// Place at which a text is not JSON: line and column, both from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotJson {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The most values that lie in each other, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 100;

/// Text, and the position up to which it is read.
struct Reader<'j> {
    text: &'j str,
    at: usize,
}

impl Value {
    /// Reads a text that is one value.
    pub(super) fn parse(json: &[u8]) -> Result<Self, NotJson> {
        let text = str::from_utf8(json).map_err(|error| NotJson::at(json, error.valid_up_to()))?;
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(MAX_DEPTH);
        reader.skip_blanks();
        value.filter(|_| reader.at == json.len()).ok_or_else(|| NotJson::at(json, reader.at))
    }
}

impl NotJson {
    fn at(json: &[u8], position: usize) -> Self {
        let before = json.get(..position).unwrap_or(json);
        let line = before.iter().rev().take_while(|byte| **byte != b'\n');
        Self { column: line.count() + 1, line: before.iter().filter(|byte| **byte == b'\n').count() + 1 }
    }
}

/// `None` is for what is not JSON; then the reader stands there.
impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_blanks();
        match self.peek()? {
            b'"' => self.text().map(Value::Text),
            b'[' => {
                let mut items = Vec::new();
                self.items(b']', |reader| {
                    items.push(reader.value(depth.checked_sub(1)?)?);
                    Some(())
                })?;
                Some(Value::List(items))
            }
            b'{' => {
                let mut members = Vec::new();
                self.items(b'}', |reader| {
                    reader.skip_blanks();
                    let name = reader.text()?;
                    reader.skip_blanks();
                    reader.take(b':')?;
                    members.push((name, reader.value(depth.checked_sub(1)?)?));
                    Some(())
                })?;
                Some(Value::Object(members))
            }
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool),
            b'f' => self.word("false", Value::Bool),
            _ => self.number(),
        }
    }

    /// Reads what is in brackets, the first of which is next: items with commas in between.
    fn items(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.skip_blanks();
        if self.take(end).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            self.skip_blanks();
            if self.take(end).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let is_there = self.text.get(self.at..)?.starts_with(word);
        self.at += if is_there { word.len() } else { 0 };
        is_there.then_some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let begin = self.at;
        self.take(b'-');
        // A zero stands in front of no other digit.
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if self.take(b'e').or(self.take(b'E')).is_some() {
            let _ = self.take(b'+').or(self.take(b'-'));
            self.digits()?;
        }
        Some(Value::Number(self.text.get(begin..self.at)?.parse().ok()))
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Option<()> {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > begin).then_some(())
    }

    /// Reads a text in quotes.
    fn text(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = String::new();
        loop {
            let begin = self.at;
            while !matches!(self.peek()?, b'"' | b'\\' | ..=0x1f) {
                self.at += 1;
            }
            text.push_str(self.text.get(begin..self.at)?);
            if self.take(b'"').is_some() {
                return Some(text);
            }
            self.take(b'\\')?;
            text.push(self.escaped()?);
        }
    }

    /// Reads a character behind a backslash.
    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => byte.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return None,
        })
    }

    /// Reads four digits; in two escapes that are a pair, all eight.
    fn code_point(&mut self) -> Option<char> {
        let first = self.code_unit()?;
        let second = match first {
            0xd800..=0xdbff => {
                self.take(b'\\')?;
                self.take(b'u')?;
                Some(self.code_unit()?)
            }
            _ => None,
        };
        char::decode_utf16([first].into_iter().chain(second)).next()?.ok()
    }

    fn code_unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        // A sign is none of them.
        let unit = u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
        self.at += if unit.is_some() { digits.len() } else { 0 };
        unit
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\n\r".contains(&byte)) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads this byte, if it is next.
    fn take(&mut self, byte: u8) -> Option<()> {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_DEPTH, NotJson, Value};

    /// What the library `serde_json` reads, as a value of ours; `None` if it reads nothing.
    fn reference(json: &[u8]) -> Option<Value> {
        fn ours(value: serde_json::Value) -> Value {
            match value {
                serde_json::Value::Null => Value::Null,
                serde_json::Value::Bool(_) => Value::Bool,
                serde_json::Value::Number(number) => Value::Number(number.as_u64()),
                serde_json::Value::String(text) => Value::Text(text),
                serde_json::Value::Array(items) => Value::List(items.into_iter().map(ours).collect()),
                serde_json::Value::Object(members) => {
                    Value::Object(members.into_iter().map(|(name, value)| (name, ours(value))).collect())
                }
            }
        }
        serde_json::from_slice(json).ok().map(ours)
    }

    /// The value as `serde_json` has it: members by name, and the last of those with one name.
    fn sorted(value: Value) -> Value {
        match value {
            Value::List(items) => Value::List(items.into_iter().map(sorted).collect()),
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, sorted(value)));
                Value::Object(members.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect())
            }
            other => other,
        }
    }

    fn read(json: &[u8]) -> Option<Value> {
        Value::parse(json).ok().map(sorted)
    }

    #[test]
    fn json_reads_as_in_the_library() {
        for json in [
            r#" { "a" : [ 1 , 0, "x" ] , "b":{}, "c":[], "d":null, "e":true, "f":false } "#,
            r#""\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00 \u0041""#,
            "[0, -0, 1.5, 1e3, 1E+3, 1e-3, -7, 18446744073709551615, 18446744073709551616]",
        ] {
            assert!(read(json.as_bytes()).is_some(), "{json}");
            assert_eq!(read(json.as_bytes()), reference(json.as_bytes()), "{json}");
        }
        for wrong in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e",
            "nul",
            "nullx",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83dx\"",
            "\"\\ud83d\\n\"",
            "\"\n\"",
            "[1 2]",
            "1 2",
            "\u{feff}1",
            "'a'",
        ] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
            assert_eq!(reference(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(read(b"\"\xff\""), None);
    }

    #[test]
    fn an_error_has_its_place() {
        let place = |json: &[u8]| Value::parse(json).unwrap_err();
        assert_eq!(place(b"{\n  \"a\": nil}"), NotJson { line: 2, column: 8 });
        assert_eq!(place(b"{\"a\"=1}"), NotJson { line: 1, column: 5 });
        assert_eq!(place(b"1 \n 2"), NotJson { line: 2, column: 2 });
        assert_eq!(place(b"\"a\xff\""), NotJson { line: 1, column: 3 });
    }

    #[test]
    fn no_depth_exhausts_the_stack() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(Value::parse(&nested(MAX_DEPTH)).is_ok());
        assert!(Value::parse(&nested(1_000_000)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        /// Texts of these characters are often JSON, or nearly.
        #[test]
        fn any_text_reads_as_in_the_library(
            json in prop_oneof![
                r#"[\[\]{}:,"a\\u0-9e.+\- tdf]{0,24}"#,
                r#"\[("[\\"/bfnrtu0-9a-fdé]{0,12}"|-?[0-9]{0,3}(\.[0-9]?)?([eE][+-]?[0-9]?)?|null|true|\{"a": ?\[?[0-9]?\]?\})(, ?[0-9]{0,21})?\]"#,
                "\\PC{0,12}",
            ],
        ) {
            let refused = serde_json::from_str::<serde_json::Value>(&json).err();
            // Fractions are not read here, so none is too large.
            if refused.is_none_or(|error| !error.to_string().contains("number out of range")) {
                prop_assert_eq!(read(json.as_bytes()), reference(json.as_bytes()));
            }
        }
    }
}
