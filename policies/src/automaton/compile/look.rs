//! Anchors and boundaries: what holds between two characters.

use regex_syntax::hir::{Hir, HirKind, Look};

use super::nfa::{Ranges, ranges};

/// A character as an anchor or a boundary beside it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// None: the value begins or ends here.
    Edge,
    LineFeed,
    CarriageReturn,
    /// A word character of ASCII.
    Word,
    /// Any other word character of Unicode.
    WideWord,
    Other,
    /// A byte that is not UTF-8.
    Invalid,
}

/// The kinds that the anchors and boundaries of a regex tell apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds {
    lines: bool,
    words: bool,
    wide_words: bool,
    /// True if there are boundaries of ASCII, which hold also in the middle of other characters.
    pub(super) inside: bool,
}

impl Kinds {
    /// Those of a regex.
    pub(super) fn of(hir: &Hir) -> Self {
        let looks = hir.properties().look_set();
        let (ascii, wide_words) = (looks.contains_word_ascii(), looks.contains_word_unicode());
        let lines = looks.contains_anchor_lf() || looks.contains_anchor_crlf();
        Self { lines, words: ascii || wide_words, wide_words, inside: ascii }
    }

    /// The sets of characters that are of different kinds.
    pub(super) fn sets(self) -> Vec<Ranges> {
        let mut sets = Vec::new();
        if self.lines {
            sets.extend([vec![(10, 10)], vec![(13, 13)]]);
        }
        if self.words {
            sets.push(vec![(48, 57), (65, 90), (95, 95), (97, 122)]);
        }
        if self.wide_words
            && let Ok(word) = regex_syntax::parse(r"\w")
            && let HirKind::Class(class) = word.kind()
        {
            sets.push(ranges(class));
        }
        if self.inside {
            sets.push(vec![(0, 127)]);
        }
        sets
    }

    /// The kind of a character.
    pub(super) fn kind(self, code_point: u32) -> Kind {
        let character = char::from_u32(code_point).unwrap_or_default();
        let is_word = || regex_syntax::is_word_character(character);
        match character {
            '\n' if self.lines => Kind::LineFeed,
            '\r' if self.lines => Kind::CarriageReturn,
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' if self.words => Kind::Word,
            _ if self.wide_words && is_word() => Kind::WideWord,
            _ => Kind::Other,
        }
    }

    /// The kind of a byte that is not UTF-8.
    pub(super) fn invalid(self) -> Kind {
        if self.wide_words { Kind::Invalid } else { Kind::Other }
    }
}

impl Kind {
    fn is_ascii_word(self) -> bool {
        self == Self::Word
    }

    fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::WideWord)
    }
}

/// True if `look` holds between a character of the one kind and one of the other.
pub(super) fn holds(look: Look, before: Kind, after: Kind) -> bool {
    let ascii = (before.is_ascii_word(), after.is_ascii_word());
    let wide = (before.is_word(), after.is_word());
    let (known_before, known_after) = (before != Kind::Invalid, after != Kind::Invalid);
    match look {
        Look::Start => before == Kind::Edge,
        Look::End => after == Kind::Edge,
        Look::StartLF => matches!(before, Kind::Edge | Kind::LineFeed),
        Look::EndLF => matches!(after, Kind::Edge | Kind::LineFeed),
        // Between the two characters of a line's end there is neither a start nor an end.
        Look::StartCRLF => match before {
            Kind::CarriageReturn => after != Kind::LineFeed,
            before => matches!(before, Kind::Edge | Kind::LineFeed),
        },
        Look::EndCRLF => match after {
            Kind::LineFeed => before != Kind::CarriageReturn,
            after => matches!(after, Kind::Edge | Kind::CarriageReturn),
        },
        Look::WordAscii => ascii.0 != ascii.1,
        Look::WordAsciiNegate => ascii.0 == ascii.1,
        Look::WordStartAscii => !ascii.0 && ascii.1,
        Look::WordEndAscii => ascii.0 && !ascii.1,
        Look::WordStartHalfAscii => !ascii.0,
        Look::WordEndHalfAscii => !ascii.1,
        Look::WordUnicode => wide.0 != wide.1,
        // Beside what is not UTF-8 it is not known that there is no boundary.
        Look::WordUnicodeNegate => known_before && known_after && wide.0 == wide.1,
        Look::WordStartUnicode => !wide.0 && wide.1,
        Look::WordEndUnicode => wide.0 && !wide.1,
        Look::WordStartHalfUnicode => known_before && !wide.0,
        Look::WordEndHalfUnicode => known_after && !wide.1,
    }
}
