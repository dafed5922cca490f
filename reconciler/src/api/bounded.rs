//! Lists that are read up to a length. What is empty takes 3 bytes in an answer, and many times that in memory.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// Reads a list of at most this many.
pub(super) fn bounded<'d, const MOST: usize, D: Deserializer<'d>, T: Deserialize<'d>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Bounded::<MOST, T>(PhantomData))
}

struct Bounded<const MOST: usize, T>(PhantomData<T>);

impl<'d, const MOST: usize, T: Deserialize<'d>> Visitor<'d> for Bounded<MOST, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST}")
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut read = Vec::new();
        while let Some(one) = sequence.next_element()? {
            if read.len() == MOST {
                return Err(A::Error::custom(format_args!("a list is longer than {MOST}")));
            }
            read.push(one);
        }
        Ok(read)
    }
}
