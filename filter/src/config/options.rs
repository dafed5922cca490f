//! Options of the plugin configuration, as they are written.

use super::{
    ConfigError,
    json::{NotJson, Value},
};

/// Options, each of which is taken once.
pub(super) struct Options {
    left: Vec<(String, Value)>,
    /// Names that were asked for.
    known: Vec<&'static str>,
}

impl Options {
    pub(super) fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let wrong = |error| Err(ConfigError::Json(error));
        match Value::parse(json) {
            Ok(Value::Object(options)) => Ok(Self { left: options, known: Vec::new() }),
            Ok(_) => wrong("it must be an object".into()),
            Err(NotJson { line, column }) => wrong(format!("line {line}, column {column} is not JSON")),
        }
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let at = self.left.iter().position(|(written, _)| written == name)?;
        Some(self.left.remove(at).1)
    }

    /// `None` is for an option that is absent, as it is for `null`.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match self.take(name) {
            Some(Value::Text(text)) => Ok(Some(text)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(ConfigError::Json(format!("`{name}` must be a text"))),
        }
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<u64>, ConfigError> {
        match self.take(name) {
            Some(Value::Number(Some(number))) => Ok(Some(number)),
            None => Ok(None),
            Some(_) => Err(ConfigError::Json(format!("`{name}` must be a whole number, 0 or greater"))),
        }
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let texts = match self.take(name) {
            Some(Value::List(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::Text(text) => Some(text),
                    _ => None,
                })
                .collect(),
            None => Some(Vec::new()),
            Some(_) => None,
        };
        texts.ok_or_else(|| ConfigError::Json(format!("`{name}` must be a list of texts")))
    }

    /// Ends with an error if an option is left: it would be accepted and then ignored.
    pub(super) fn end(self) -> Result<(), ConfigError> {
        let Some((name, _)) = self.left.first() else { return Ok(()) };
        Err(ConfigError::Json(if self.known.contains(&name.as_str()) {
            format!("`{name}` occurs twice")
        } else {
            format!("`{name}` is not an option; options are `{}`", self.known.join("`, `"))
        }))
    }
}
