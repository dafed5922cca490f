//! Headers of SPDY: all of one direction are one compressed stream.

use anyhow::{Context, Result, ensure};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Headers;
use super::dictionary::dictionary;

/// More headers than a client has for a port.
const LONGEST: usize = 64 * 1024;

pub(super) struct Decompressor(Decompress);

pub(super) struct Compressor(Compress);

impl Decompressor {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    pub(super) fn decompress(&mut self, mut bytes: &[u8]) -> Result<Headers> {
        let mut text = Vec::with_capacity(LONGEST);
        while !bytes.is_empty() {
            let (before, written) = (self.0.total_in(), text.len());
            match self.0.decompress_vec(bytes, &mut text, FlushDecompress::Sync) {
                // It asks once, at the beginning.
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&dictionary())?;
                }
                other => drop(other.context("headers that cannot be decompressed")?),
            }
            let read = usize::try_from(self.0.total_in() - before)?;
            ensure!(read > 0 || text.len() > written, "headers of more than {LONGEST} bytes");
            bytes = bytes.get(read..).unwrap_or_default();
        }
        parse(&text)
    }
}

impl Compressor {
    pub(super) fn new() -> Result<Self> {
        let mut compress = Compress::new(Compression::fast(), true);
        compress.set_dictionary(&dictionary())?;
        Ok(Self(compress))
    }

    pub(super) fn compress(&mut self, headers: &Headers) -> Result<Vec<u8>> {
        let number = |length: usize| (length as u32).to_be_bytes();
        let mut text = number(headers.len()).to_vec();
        for part in headers.iter().flat_map(|(name, value)| [name, value]) {
            text.extend(number(part.len()));
            text.extend(part.bytes());
        }
        let mut compressed = Vec::with_capacity(text.len() + 1024);
        let status = self.0.compress_vec(&text, &mut compressed, FlushCompress::Sync)?;
        ensure!(status == Status::Ok, "headers that cannot be compressed");
        Ok(compressed)
    }
}

fn parse(mut text: &[u8]) -> Result<Headers> {
    let count = number(&mut text)?;
    let mut part = || {
        let length = number(&mut text)?;
        let (part, rest) = text.split_at_checked(length).context("headers end in the middle")?;
        text = rest;
        Ok::<_, anyhow::Error>(String::from_utf8_lossy(part).into_owned())
    };
    // Each takes 8 bytes, so a count that is too large ends soon.
    (0..count).map(|_| Ok((part()?.to_lowercase(), part()?))).collect()
}

fn number(text: &mut &[u8]) -> Result<usize> {
    let (number, rest) = text.split_first_chunk().context("headers end in the middle")?;
    *text = rest;
    Ok(u32::from_be_bytes(*number) as usize)
}
