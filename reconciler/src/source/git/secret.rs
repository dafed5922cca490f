//! Secrets, read from their files when a server asks for them. Errors name the file and not the secret.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use crate::io_reason::io_reason;

/// The longest password, token or key that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A password, token or passphrase, without the end of its line.
pub(super) fn secret(file: &Path) -> Result<String, String> {
    let secret = read(file)?.trim_end_matches(['\r', '\n']).to_owned();
    if secret.is_empty() {
        Err(format!("asks for a password, and {} is empty", file.display()))
    } else {
        Ok(secret)
    }
}

/// The whole content of a file.
pub(super) fn read(file: &Path) -> Result<String, String> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        File::open(file)?.take(LONGEST).read_to_string(&mut text)?;
        Ok(text)
    };
    let why =
        |error| format!("asks for credentials, and {} cannot be read: {}", file.display(), io_reason(&error));
    read().map_err(why)
}
