//! Short lists as sets: in order, each item once. A set or a sort of the standard library would be a fiftieth of the
//! module that every proxy loads.

/// Inserts an item, unless it is there.
pub(super) fn insert<T: Ord>(set: &mut Vec<T>, item: T) {
    if let Err(place) = set.binary_search(&item) {
        set.insert(place, item);
    }
}
