//! The terminal behind stdout, if there is one.

use std::{
    env,
    io::{IsTerminal as _, stdout},
};

/// The abilities of stdout. A file or a pipe has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terminal {
    pub(crate) has_colours: bool,
    /// In columns; absent if lines may be as long as they are.
    pub(crate) width: Option<usize>,
}

/// A colour, as a terminal takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Good,
    Bad,
    Attention,
    Faint,
}

impl Terminal {
    pub(crate) fn of_stdout() -> Self {
        if !stdout().is_terminal() {
            return Self::default();
        }
        // https://no-color.org: any text but an empty one.
        let has_colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let size = rustix::termios::tcgetwinsize(stdout()).ok();
        Self { has_colours, width: size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0) }
    }

    /// The text in a colour, where there are colours.
    pub(crate) fn paint(self, text: &str, colour: Option<Colour>) -> String {
        let code = match colour.filter(|_| self.has_colours && !text.is_empty()) {
            None => return text.to_owned(),
            Some(Colour::Good) => 32,
            Some(Colour::Bad) => 31,
            Some(Colour::Attention) => 33,
            Some(Colour::Faint) => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
