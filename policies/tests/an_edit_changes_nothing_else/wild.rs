//! Documents in any style that people write: the choices are read from a tape of bytes, so that they shrink.

use serde_json::Value;

pub(crate) struct Wild<'t> {
    tape: &'t [u8],
    line_break: &'static str,
    text: String,
}

pub(crate) const COMMENTS: [&str; 6] = [
    "# one",
    "#",
    "# {\"$imagepolicy\": \"apps:shop:tag\"}",
    "# naïve — 'it''s: \"so\"",
    "#! x: [y",
    "# - a: b",
];

impl<'t> Wild<'t> {
    /// The text of a document, from after its `---` on, with a line break at its end.
    pub(crate) fn write(tape: &'t [u8], line_break: &'static str, document: &Value) -> String {
        let mut wild = Self { tape, line_break, text: String::new() };
        if wild.one_in(12) {
            wild.flow(document, "");
            wild.beside();
        } else {
            wild.members(document, 0, 0);
        }
        wild.text += line_break;
        wild.text
    }

    fn choose(&mut self, among: u8) -> u8 {
        let Some((first, rest)) = self.tape.split_first() else { return 0 };
        self.tape = rest;
        first % among
    }

    /// Never once the tape is at its end.
    fn one_in(&mut self, chances: u8) -> bool {
        self.choose(chances) == chances - 1
    }

    fn comment(&mut self) -> &'static str {
        COMMENTS[usize::from(self.choose(COMMENTS.len() as u8))]
    }

    fn line(&mut self, column: usize) {
        self.text += self.line_break;
        self.text += &" ".repeat(column);
    }

    /// A comment at the end of a line.
    fn beside(&mut self) {
        if self.one_in(4) {
            let blank = if self.one_in(3) { "\t" } else { "  " };
            let comment = self.comment();
            self.text += &format!("{blank}{comment}");
        }
    }

    /// Blank lines and comments before a line.
    fn above(&mut self, column: usize) {
        while self.one_in(5) {
            if self.one_in(2) {
                self.text += self.line_break;
            } else {
                let column = if self.one_in(3) { column + 2 } else { column };
                let comment = self.comment();
                self.text += &format!("{}{comment}{}", " ".repeat(column), self.line_break);
            }
        }
    }

    /// The members of a map or a list in block style; the first stands where the text is, in column `at`.
    fn members(&mut self, value: &Value, column: usize, at: usize) {
        let members: Vec<(Option<&String>, &Value)> = match value {
            Value::Object(entries) => entries.iter().map(|(key, value)| (Some(key), value)).collect(),
            Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
            _ => unreachable!("a scalar"),
        };
        for (i, (key, value)) in members.into_iter().enumerate() {
            if i > 0 || at == 0 && column > 0 {
                self.text += if i > 0 { self.line_break } else { "" };
                self.above(column);
                self.text += &" ".repeat(column);
            }
            match key {
                Some(key) => {
                    self.string(key, true);
                    self.text.push(':');
                    self.value(value, column, true);
                }
                None => {
                    self.text.push('-');
                    self.value(value, column, false);
                }
            }
        }
    }

    fn value(&mut self, value: &Value, column: usize, is_entry: bool) {
        let is_nested = match value {
            Value::Object(entries) => !entries.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => false,
        };
        if is_nested && !self.one_in(3) {
            let step = if is_entry && value.is_array() { [2, 0, 1, 4] } else { [2, 4, 1, 3] };
            let step = step[usize::from(self.choose(4))];
            if !is_entry && !self.one_in(4) {
                let gap = 1 + usize::from(self.choose(3));
                self.text += &" ".repeat(gap);
                return self.members(value, column + 1 + gap, 1);
            }
            let step = if is_entry { step } else { step.max(1) };
            self.beside();
            self.text += self.line_break;
            if column + step == 0 {
                self.above(0);
            }
            return self.members(value, column + step, 0);
        }
        if let Value::String(text) = value
            && text.contains('\n')
            && !self.one_in(3)
            && self.literal(text, column)
        {
            return;
        }
        if value.is_null() && self.one_in(2) {
            return self.beside();
        }
        let blank = if self.one_in(6) { "   " } else { " " };
        self.text += blank;
        self.flow(value, &" ".repeat(column + 1));
        self.beside();
    }

    fn literal(&mut self, text: &str, column: usize) -> bool {
        let content = text.strip_suffix('\n').unwrap_or(text);
        let is_fit = |line: &str| !line.starts_with([' ', '\t']) && !line.ends_with([' ', '\t']);
        if content.is_empty()
            || content.ends_with('\n')
            || content.starts_with('\n')
            || !content.split('\n').all(is_fit)
            || text.contains(|c: char| c.is_control() && c != '\n')
        {
            return false;
        }
        self.text += if text.ends_with('\n') { " |" } else { " |-" };
        self.beside();
        let column = column + 1 + usize::from(self.choose(4));
        for line in content.split('\n') {
            if line.is_empty() {
                self.text += self.line_break
            } else {
                self.line(column);
                self.text += line
            }
        }
        true
    }

    fn flow(&mut self, value: &Value, indentation: &str) {
        let members: Vec<(Option<&String>, &Value)> = match value {
            Value::Object(entries) => entries.iter().map(|(key, value)| (Some(key), value)).collect(),
            Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
            Value::String(text) => return self.string(text, false),
            other => {
                self.text += &other.to_string();
                return;
            }
        };
        let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
        self.text.push(open);
        let lines = !members.is_empty() && self.one_in(4);
        let (inner, last) = (format!("{indentation}  "), members.len());
        let padded = self.one_in(4);
        for (i, (key, value)) in members.into_iter().enumerate() {
            if lines {
                self.beside();
                self.text += self.line_break;
                if self.one_in(5) {
                    let comment = self.comment();
                    self.text += &format!("{inner}{comment}{}", self.line_break);
                }
                self.text += &inner;
            } else if i > 0 || padded {
                let blank = if self.one_in(6) { "  " } else { " " };
                self.text += blank;
            }
            if let Some(key) = key {
                self.string(key, true);
                self.text += ": ";
            }
            self.flow(value, &inner);
            if i + 1 < last || self.one_in(6) {
                self.text.push(',');
            }
        }
        if lines {
            self.beside();
            self.text += &format!("{}{indentation}", self.line_break);
        } else if padded {
            self.text.push(' ');
        }
        self.text.push(close);
    }

    fn string(&mut self, text: &str, is_key: bool) {
        let is_word = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase())
            && !["null", "true", "false", "y", "n", "yes", "no", "on", "off"].contains(&text);
        let is_plain = is_word
            || is_key
                && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
                && text.contains(['_', 'V', 'S', 'A']);
        let is_printable = !text
            .contains(|c: char| c.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(c));
        let text = match self.choose(3) {
            0 if is_plain => text.to_owned(),
            1 if is_printable => format!("'{}'", text.replace('\'', "''")),
            _ => Value::from(text).to_string(),
        };
        self.text += &text;
    }
}
