//! The formats of a snapshot, and which one a client gets.

use super::error::SnapshotError;

/// A format of the bytes of a snapshot.
///
/// Bytes begin with `hfi` and the number of their format. A format never changes once it is released:
/// what it cannot say is left to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Released. Every filter reads it, but filters of this release run no regex of it.
    V1,
    /// Regexes are compiled. Not released yet: it may still change.
    V2,
}

/// A range of media types, and how much a client wants it.
struct Range<'a> {
    name: &'a [u8],
    /// From 0, not at all, to 1.
    quality: f32,
}

impl Format {
    /// All formats, the oldest first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The media type of its bytes.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V1 => "application/vnd.hfi.snapshot.v1",
            Self::V2 => "application/vnd.hfi.snapshot.v2",
        }
    }

    /// The number that its bytes carry.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The first bytes of every snapshot of this format.
    pub(super) const fn magic(self) -> [u8; 4] {
        [b'h', b'f', b'i', self.number()]
    }

    /// The format of a snapshot's bytes, by how they begin.
    pub fn of(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let [b'h', b'f', b'i', number @ 1..=u8::MAX, ..] = bytes else {
            return Err(SnapshotError::NotASnapshot);
        };
        Self::ALL.into_iter().find(|format| format.number() == *number).ok_or(SnapshotError::Newer(*number))
    }

    /// The format to answer with, by the values of the `Accept` headers (RFC 9110, section 12.5.1):
    /// the one that the client wants most. Among equals one that is named comes before one that a
    /// wildcard includes, and then the newest of the named, or the oldest of the others. Without
    /// `Accept` it is format 1. `None`: the client takes none of them, which is answered with 406.
    ///
    /// A header that occurs several times is one list; `Option` is an iterator too.
    pub fn negotiate<'a>(accept: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut values = accept.into_iter().peekable();
        if values.peek().is_none() {
            return Some(Self::V1);
        }
        let ranges: Vec<_> = values.flat_map(|value| value.split(|byte| *byte == b',')).map(range).collect();
        let wanted = Self::ALL.into_iter().filter_map(|format| {
            let (precision, quality) = format.wanted(&ranges)?;
            let is_named = precision == 2;
            let age = if is_named { format.number() } else { u8::MAX - format.number() };
            (quality > 0.0).then_some((format, quality, is_named, age))
        });
        let best = wanted.max_by(|(_, quality, named, age), (_, other, other_named, other_age)| {
            quality.total_cmp(other).then(named.cmp(other_named)).then(age.cmp(other_age))
        });
        best.map(|(format, ..)| format)
    }

    /// The precision with which the client names this format, and its weight: the most precise range
    /// counts.
    fn wanted(self, ranges: &[Range<'_>]) -> Option<(usize, f32)> {
        let names = ["*/*", "application/*", self.media_type()];
        let found = ranges.iter().filter_map(|range| {
            let precision = names.iter().position(|name| range.name.eq_ignore_ascii_case(name.as_bytes()))?;
            Some((precision, range.quality))
        });
        found.max_by(|(precision, quality), (other, other_quality)| {
            precision.cmp(other).then(quality.total_cmp(other_quality))
        })
    }
}

/// Reads one range, with the weight behind it. A weight that is not a number counts as none.
fn range(text: &[u8]) -> Range<'_> {
    let mut parts = text.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let weights = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_at(parameter.iter().position(|byte| *byte == b'=')?);
        name.trim_ascii().eq_ignore_ascii_case(b"q").then_some(value)
    });
    let mut quality = weights.filter_map(|value| {
        let value = std::str::from_utf8(value).ok()?.trim_start_matches('=').trim();
        value.parse::<f32>().ok().filter(|quality| quality.is_finite())
    });
    Range { name, quality: quality.next_back().unwrap_or(1.0).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::Format;

    const V1: &str = "application/vnd.hfi.snapshot.v1";
    const V2: &str = "application/vnd.hfi.snapshot.v2";

    fn negotiate(values: &[&str]) -> Option<Format> {
        Format::negotiate(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn whoever_does_not_ask_for_a_format_gets_the_first() {
        for accept in [
            &[][..],
            &["*/*"],
            &["application/*"],
            &["text/html, application/*;q=0.1"],
            &["a/b", "*/*;v=0"],
            &["*/*;q=0, */*;q=1"],
            &["*/*; q=soon"],
        ] {
            assert_eq!(negotiate(accept), Some(Format::V1), "{accept:?}");
        }
        assert_eq!(Format::negotiate(None), Some(Format::V1));
    }

    #[test]
    fn the_format_that_is_wanted_most_is_served() {
        for (accept, format) in [
            (V1.to_owned(), Format::V1),
            (V2.to_owned(), Format::V2),
            (V2.to_uppercase(), Format::V2),
            (format!("{V2}, {V1};q=0.5"), Format::V2),
            (format!("{V2};q=0.1 , {V1} ; Q = 0.5"), Format::V1),
            (format!("{V1}, {V2}"), Format::V2),
            (format!("{V1}, */*"), Format::V1),
            (format!("{V2};q=0.5, */*;q=0.5"), Format::V2),
            (format!("{V1};q=0, */*"), Format::V2),
            (format!("{V2};q=0, application/*;q=0.001"), Format::V1),
        ] {
            assert_eq!(negotiate(&[&accept]), Some(format), "{accept}");
        }
    }

    #[test]
    fn who_takes_none_gets_none() {
        let refused = format!("{V1}; Q=0.000, {V2};q=-1");
        for accept in ["text/html", "*/*;q=0", &refused, "", "application/vnd.hfi.snapshot.v9", "é"] {
            assert_eq!(negotiate(&[accept]), None, "{accept}");
        }
    }
}
