//! The bytes of a format, value by value. The one file that names `postcard`.
//!
//! Formats are written and read piece by piece instead of as one type each: they differ in one piece, and
//! the module that every proxy loads would carry all others twice.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

/// The bytes that have been written so far.
pub(super) struct Writer(Vec<u8>);

/// The end of the bytes, as `postcard` writes to it.
struct End<'w>(&'w mut Vec<u8>);

/// The bytes that are left to read.
pub(super) struct Reader<'a>(&'a [u8]);

/// The error of bytes that are no value of the language. The reason is left out: with it the texts of all errors
/// of the language would be in the filter, which is to stay small.
#[derive(Debug)]
pub(super) struct Damaged;

impl Writer {
    /// Writes behind these bytes.
    pub(super) fn new(begin: &[u8]) -> Self {
        Self(begin.to_vec())
    }

    pub(super) fn put(&mut self, value: &impl Serialize) {
        // Writing plain data into memory has no way to fail; a body that is cut short would be refused by its
        // reader, and inject nothing.
        let _ = postcard::serialize_with_flavor(value, End(&mut self.0));
    }

    /// Writes the number of items, and each of them.
    pub(super) fn list<T>(
        &mut self,
        items: impl Iterator<Item = T> + Clone,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.put(&items.clone().count());
        items.for_each(|item| write(self, item));
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Flavor for End<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take<T: Deserialize<'a>>(&mut self) -> Result<T, Damaged> {
        let (value, rest) = postcard::take_from_bytes(self.0).map_err(|_| Damaged)?;
        self.0 = rest;
        Ok(value)
    }

    /// Reads a number, as `put` writes a `u32`.
    #[inline]
    pub(super) fn number(&mut self) -> Result<u32, Damaged> {
        match self.0 {
            // Nearly all are that small.
            [byte @ ..=0x7f, rest @ ..] => {
                self.0 = rest;
                Ok((*byte).into())
            }
            _ => self.large_number(),
        }
    }

    fn large_number(&mut self) -> Result<u32, Damaged> {
        let mut number = 0;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, rest) = self.0.split_first().ok_or(Damaged)?;
            self.0 = rest;
            let digits = u32::from(byte & 0x7f);
            if digits.leading_zeros() < shift {
                return Err(Damaged);
            }
            number |= digits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// Reads the number of items, and has each of them read. A number that is too large ends with the bytes.
    pub(super) fn list(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        for _ in 0..self.number()? {
            read(self)?;
        }
        Ok(())
    }

    /// The number of bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }
}
