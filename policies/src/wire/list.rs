//! Lists of a format: written without a copy, and read as a whole.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Items of a format, or the values that they are made of.
pub(super) enum List<'a, S, T> {
    /// Made one by one while they are written.
    Of(&'a [S], fn(&'a S) -> T),
    Read(Vec<T>),
}

impl<S, T> List<'_, S, T> {
    /// The items that were read, each made into a value.
    pub(super) fn try_into_values<V, E>(self, value: impl FnMut(T) -> Result<V, E>) -> Result<Vec<V>, E> {
        match self {
            Self::Of(values, item) => values.iter().map(item).map(value).collect(),
            Self::Read(items) => items.into_iter().map(value).collect(),
        }
    }
}

impl<S, T: Serialize> Serialize for List<'_, S, T> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        match self {
            Self::Of(values, item) => serializer.collect_seq(values.iter().map(item)),
            Self::Read(items) => serializer.collect_seq(items),
        }
    }
}

impl<'de, S, T: Deserialize<'de>> Deserialize<'de> for List<'_, S, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::Read)
    }
}
