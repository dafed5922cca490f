//! Classes of characters: those that an automaton does not tell apart have one number.

use std::sync::Arc;

use super::wide_map::{FIRST_WIDE, Known, WideMap, ascend};

/// The class of every character, and of a byte that belongs to none because it is not UTF-8.
///
/// Classes are numbered in the order in which code points first have them, so that those of ASCII are
/// below 128.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClassMap {
    ascii: [u8; FIRST_WIDE as usize],
    wide: Arc<WideMap>,
    /// The class of each class of `wide`.
    of_wide: Box<[u16]>,
    invalid: u16,
    count: u16,
}

impl ClassMap {
    /// A map of these ranges of ASCII and of these classes of other characters. `None` if a range is
    /// missing, or if the classes are not numbered in their order.
    pub(crate) fn new(
        ascii: &[(u32, u16)],
        wide: Arc<WideMap>,
        of_wide: &[u16],
        invalid: u16,
    ) -> Option<Self> {
        let mut known = Known::default();
        let are_known = ascii.iter().all(|(_, class)| known.take(*class))
            && of_wide.iter().all(|class| known.take(*class))
            && known.take(invalid);
        if !ascend(ascii, 0) || !are_known || of_wide.len() != usize::from(wide.count()) {
            return None;
        }
        let mut table = [0; FIRST_WIDE as usize];
        let ends = ascii.iter().skip(1).map(|(start, _)| *start).chain([FIRST_WIDE]);
        for ((start, class), end) in ascii.iter().zip(ends) {
            let range = table.get_mut(*start as usize..end as usize).filter(|range| !range.is_empty());
            range?.fill(u8::try_from(*class).ok()?);
        }
        Some(Self { ascii: table, wide, of_wide: of_wide.into(), invalid, count: known.0 })
    }

    /// The number of columns of a table: one for each class, and one for the end of the value.
    pub(crate) fn columns(&self) -> usize {
        usize::from(self.count) + 1
    }

    /// The column of the end of the value.
    pub(super) fn end(&self) -> u16 {
        self.count
    }

    /// The first code point of each range of ASCII, and its class.
    pub(crate) fn ascii(&self) -> impl Iterator<Item = (u32, u16)> + Clone {
        let mut last = None;
        (0..).zip(self.ascii).filter_map(move |(start, class)| {
            let is_new = last.replace(class) != Some(class);
            is_new.then_some((start, u16::from(class)))
        })
    }

    /// The map of the characters beyond ASCII.
    pub(crate) fn wide(&self) -> &Arc<WideMap> {
        &self.wide
    }

    /// The class of each class of that map.
    pub(crate) fn of_wide(&self) -> &[u16] {
        &self.of_wide
    }

    /// The class of a byte that is not UTF-8.
    pub(crate) fn invalid(&self) -> u16 {
        self.invalid
    }

    /// The class of an ASCII character; `None` if the byte is none.
    pub(super) fn of_ascii(&self, byte: u8) -> Option<u16> {
        self.ascii.get(usize::from(byte)).map(|class| u16::from(*class))
    }

    /// The class of the character beyond ASCII that begins with `first`, and what comes after it; `after` is
    /// all that comes after that byte.
    pub(super) fn read_wide<'v>(&self, first: u8, after: &'v [u8]) -> (u16, &'v [u8]) {
        match character(first, after) {
            Some((character, after)) => {
                let class = self.of_wide.get(usize::from(self.wide.class_of(character)));
                (class.copied().unwrap_or(self.invalid), after)
            }
            None => (self.invalid, after),
        }
    }
}

/// The character beyond ASCII that begins with `first`; `None` if it is not UTF-8 (RFC 3629).
fn character(first: u8, after: &[u8]) -> Option<(char, &[u8])> {
    let length = match first {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => return None,
    };
    let (more, rest) = after.split_at_checked(length)?;
    let mut bytes = [first, 0, 0, 0];
    bytes.get_mut(1..=length)?.copy_from_slice(more);
    let text = str::from_utf8(bytes.get(..=length)?).ok()?;
    Some((text.chars().next()?, rest))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ClassMap, WideMap};

    fn map(ascii: &[(u32, u16)], wide: &[(u32, u16)], of_wide: &[u16], invalid: u16) -> Option<ClassMap> {
        ClassMap::new(ascii, Arc::new(WideMap::new(wide)?), of_wide, invalid)
    }

    fn classes(map: &ClassMap, mut value: &[u8]) -> Vec<u16> {
        let mut classes = Vec::new();
        while let Some((first, after)) = value.split_first() {
            let (class, rest) = match map.of_ascii(*first) {
                Some(class) => (class, after),
                None => map.read_wide(*first, after),
            };
            classes.push(class);
            value = rest;
        }
        classes
    }

    #[test]
    fn each_character_has_the_class_of_its_range() {
        let ascii = [(0, 0), (97, 1), (98, 0)];
        let map = map(&ascii, &[(128, 0), (0xe9, 1), (0xea, 0)], &[0, 2], 3).unwrap();
        assert_eq!((map.end(), map.columns()), (4, 5));
        assert_eq!(map.ascii().collect::<Vec<_>>(), ascii);
        assert_eq!(classes(&map, "xaé€😀".as_bytes()), [0, 1, 2, 0, 0]);
    }

    #[test]
    fn each_byte_that_is_not_utf8_is_invalid() {
        let map = map(&[(0, 0)], &[(128, 0)], &[0], 1).unwrap();
        for (value, wanted) in [
            (&b"\xffa"[..], &[1, 0][..]),
            (b"\xc3", &[1]),
            (b"\xc3a", &[1, 0]),
            (b"\xe2\x82a", &[1, 1, 0]),
            (b"\xed\xa0\x80", &[1, 1, 1]),
            (b"\xc0\x80", &[1, 1]),
            (b"\xf4\x90\x80\x80", &[1, 1, 1, 1]),
        ] {
            assert_eq!(classes(&map, value), wanted, "{value:?}");
        }
    }

    #[test]
    fn ranges_that_leave_a_gap_or_go_back_are_no_map() {
        let wide = &[(128, 0)][..];
        assert!(map(&[(0, 0), (5, 1)], wide, &[2], 3).is_some());
        for (ascii, of_wide, invalid) in [
            (&[][..], &[0][..], 0),
            (&[(1, 0)], &[0], 0),
            (&[(0, 0), (5, 1), (5, 0)], &[0], 0),
            (&[(0, 0), (5, 1), (4, 0)], &[0], 0),
            (&[(0, 0), (128, 1)], &[0], 0),
            (&[(0, 0), (200, 1)], &[0], 0),
            (&[(0, 1)], &[0], 0),
            (&[(0, 0), (1, 2)], &[0], 0),
            (&[(0, 0)], &[], 0),
            (&[(0, 0)], &[0, 1], 0),
            (&[(0, 0)], &[2], 0),
            (&[(0, 0)], &[0], 2),
        ] {
            assert_eq!(map(ascii, wide, of_wide, invalid), None, "{ascii:?} {of_wide:?} {invalid}");
        }
    }
}
