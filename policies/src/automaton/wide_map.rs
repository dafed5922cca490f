//! Classes of the characters beyond ASCII.

use std::hash::{Hash, Hasher};

/// The first code point beyond ASCII.
pub(crate) const FIRST_WIDE: u32 = 128;

/// The last code point of Unicode.
const LAST: u32 = 0x10_ffff;

/// Classes of the characters beyond ASCII, with numbers of their own: most regexes that tell apart the
/// same of these characters, such as those with `\w`, can share one map, which has hundreds of ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WideMap {
    /// The first code point of each range, ascending from [`FIRST_WIDE`], and its class.
    ranges: Box<[(u32, u16)]>,
    count: u16,
}

/// Classes that have been given out so far, in order.
#[derive(Default)]
pub(super) struct Known(pub(super) u16);

impl Known {
    /// True if the class is known, or the next.
    pub(super) fn take(&mut self, class: u16) -> bool {
        let is_next = class == self.0 && class < u16::MAX;
        self.0 += u16::from(is_next);
        class < self.0
    }
}

/// True if ranges begin with this code point and ascend.
pub(super) fn ascend(ranges: &[(u32, u16)], first: u32) -> bool {
    ranges.first().is_some_and(|(start, _)| *start == first)
        && ranges.is_sorted_by(|(one, _), (next, _)| one < next)
}

impl WideMap {
    /// A map of these ranges, each of which ends where the next begins. `None` if they are not all
    /// characters beyond ASCII, or if the classes are not numbered in their order.
    pub(crate) fn new(ranges: &[(u32, u16)]) -> Option<Self> {
        let mut known = Known::default();
        let are_known = ranges.iter().all(|(start, class)| *start <= LAST && known.take(*class));
        let is_map = ascend(ranges, FIRST_WIDE) && are_known;
        is_map.then(|| Self { ranges: ranges.into(), count: known.0 })
    }

    /// The number of classes.
    pub(crate) fn count(&self) -> u16 {
        self.count
    }

    /// The first code point of each range, and its class.
    pub(crate) fn ranges(&self) -> &[(u32, u16)] {
        &self.ranges
    }

    /// The memory that it takes, in bytes.
    #[cfg(feature = "authoring")]
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.ranges)
    }

    pub(super) fn class_of(&self, character: char) -> u16 {
        let after = self.ranges.partition_point(|(start, _)| *start <= u32::from(character));
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).map_or(0, |(_, class)| *class)
    }
}

/// Hashes one number made of all ranges: there can be hundreds of them.
impl Hash for WideMap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // FNV-1a, a range at a time.
        let mix = |hash: u64, (start, class): &(u32, u16)| {
            (hash ^ (u64::from(*start) << 16 | u64::from(*class))).wrapping_mul(0x100_0000_01b3)
        };
        state.write_u64(self.ranges.iter().fold(0xcbf2_9ce4_8422_2325, mix));
    }
}

#[cfg(test)]
mod tests {
    use super::WideMap;

    #[test]
    fn ranges_that_leave_a_gap_or_go_back_are_no_map() {
        assert_eq!(WideMap::new(&[(128, 0), (0xe9, 1), (0xea, 0)]).unwrap().count(), 2);
        for ranges in [&[][..], &[(0, 0)], &[(129, 0)], &[(128, 1)], &[(128, 0), (0x11_0000, 0)]] {
            assert_eq!(WideMap::new(ranges), None, "{ranges:?}");
        }
        assert_eq!(WideMap::new(&[(128, 0), (200, 1), (200, 0)]), None);
    }
}
