//! Lists of a format: written without a copy, and read as a whole.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq as _};

/// Items of a format, or the values that they are made of.
pub(super) enum List<'a, S, T> {
    /// Made one by one while they are written.
    Of(&'a [S], fn(&'a S) -> T),
    /// Made of so many of the values.
    OfSome(usize, &'a [S], fn(&'a S) -> Option<T>),
    Items(Vec<T>),
}

impl<S, T> List<'_, S, T> {
    /// The items that were read.
    pub(super) fn into_items(self) -> Vec<T> {
        match self {
            Self::Of(values, item) => values.iter().map(item).collect(),
            Self::OfSome(_, values, item) => values.iter().filter_map(item).collect(),
            Self::Items(items) => items,
        }
    }
}

impl<S, T: Serialize> Serialize for List<'_, S, T> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        match self {
            Self::Of(values, item) => serializer.collect_seq(values.iter().map(item)),
            Self::OfSome(count, values, item) => {
                let mut list = serializer.serialize_seq(Some(*count))?;
                let mut items = values.iter().filter_map(item).take(*count);
                items.try_for_each(|item| list.serialize_element(&item))?;
                list.end()
            }
            Self::Items(items) => serializer.collect_seq(items),
        }
    }
}

impl<'de, S, T: Deserialize<'de>> Deserialize<'de> for List<'_, S, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::Items)
    }
}
