//! The keys in the directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use policies::reading::MAX_FILE_BYTES;

use super::{openpgp, ssh};
use crate::{
    io_reason::io_reason,
    source::{bounded_read::read_bounded, names::is_hidden},
};

/// All keys that could be read, and the problems with the other files.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    pub(super) ssh: Vec<ssh::Signer>,
    pub(super) openpgp: Vec<openpgp::Certificate>,
    pub(super) faults: Vec<String>,
}

impl Keyring {
    /// Reads the files of a directory, except those whose name begins with a dot: in a mounted Secret, the other
    /// names are links into `..data`.
    pub(super) fn read(folder: &Path) -> Self {
        let mut keyring = Self::default();
        match files(folder) {
            Ok(files) => files.iter().for_each(|path| keyring.add_file(path)),
            Err(error) => {
                keyring.faults.push(format!("{} cannot be read: {}", folder.display(), io_reason(&error)))
            }
        }
        keyring
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ssh.is_empty() && self.openpgp.is_empty()
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        match read(path) {
            Ok(bytes) => self.add(&shown, &bytes),
            // Between the listing and the reading it was removed, as it was meant to be.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {}
            Err(error) => self.faults.push(format!("{shown} cannot be read: {}", io_reason(&error))),
        }
    }

    /// Adds the keys of a file.
    fn add(&mut self, file: &str, bytes: &[u8]) {
        let armor = str::from_utf8(bytes).map(|text| text.trim_start_matches('\u{feff}'));
        let fault = match armor {
            Ok(text) if text.contains("PRIVATE KEY") => {
                Some("holds a private key, which must not be here; put the public one".to_owned())
            }
            Ok(text) if text.trim().is_empty() => Some("is empty".to_owned()),
            Ok(text) if text.contains(openpgp::ARMOR) => self.add_openpgp(openpgp::armored(text)),
            Ok(text) => return self.add_ssh(file, text),
            Err(_) if openpgp::is_binary(bytes) => self.add_openpgp(openpgp::binary(bytes)),
            Err(_) => Some("is neither SSH public keys nor an OpenPGP certificate".to_owned()),
        };
        self.faults.extend(fault.map(|fault| format!("{file} {fault}")));
    }

    fn add_openpgp(&mut self, parsed: Result<Vec<openpgp::Certificate>, String>) -> Option<String> {
        parsed.map(|certificates| self.openpgp.extend(certificates)).err()
    }

    fn add_ssh(&mut self, file: &str, text: &str) {
        let is_key = |line: &str| !line.is_empty() && !line.starts_with('#');
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| is_key(line));
        for (number, line) in lines {
            match ssh::signer(line) {
                Ok(signer) => self.ssh.push(signer),
                Err(reason) => self.faults.push(format!("{file}:{}: {reason}", number + 1)),
            }
        }
    }
}

/// The files in the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !is_hidden(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Others could hold the reader for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let bytes = read_bounded(path)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Keyring;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+00aFquXlAA0hFIhCowG9uOqV25A/ehaD3lxQf/VBI alice@example";
    const CERTIFICATE: &str = include_str!("openpgp/alice.asc");

    fn keyring(bytes: &[u8]) -> Keyring {
        let mut keyring = Keyring::default();
        keyring.add("file", bytes);
        keyring
    }

    #[test]
    fn keys_of_both_kinds_are_read() {
        let several = format!("# Team\r\n{ED25519}\r\n\r\nbob@example namespaces=\"git\" {ED25519}\r\n");
        assert_eq!(keyring(several.as_bytes()).ssh.len(), 2);
        assert_eq!(keyring(format!("\u{feff}{ED25519}").as_bytes()).ssh.len(), 1);
        let two = format!("{CERTIFICATE}\n{CERTIFICATE}");
        assert_eq!(keyring(two.as_bytes()).openpgp.len(), 2);
    }

    #[test]
    fn what_is_no_key_is_told_and_is_none() {
        let cut = CERTIFICATE.split("-----END").next().unwrap();
        for (text, fault) in [
            ("", "file is empty"),
            ("\n \n", "file is empty"),
            ("hello", "file:1: is not an SSH public key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret", "holds a private key"),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nsecret", "holds a private key"),
            ("-----BEGIN PUBLIC KEY-----", "file:1: is not an SSH public key"),
            (cut, "file is an OpenPGP certificate that is cut short"),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----", "no OpenPGP"),
        ] {
            let keyring = keyring(text.as_bytes());
            assert!(keyring.is_empty(), "{text}");
            assert!(keyring.faults.first().unwrap().contains(fault), "{:?}", keyring.faults);
            assert!(!keyring.faults.iter().any(|fault| fault.contains("secret")), "{:?}", keyring.faults);
        }
        assert!(keyring(&[0xff, 0xfe, 0]).faults.first().unwrap().starts_with("file "));
        let half = keyring(format!("{ED25519}\nssh-ed25519 AAAA\n").as_bytes());
        assert_eq!((half.ssh.len(), half.faults.len()), (1, 1), "{half:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            keyring(&bytes);
            // As the packet of a public key.
            keyring(&[&[0x99, 0x01][..], &bytes].concat());
        }

        #[test]
        fn no_line_makes_it_panic(line in "([a-z@*,]{0,8} )?([a-zA-Z=\", -]{0,30} )?(ssh-ed25519|ssh-rsa|sk-ssh-ed25519@openssh.com)? ?[A-Za-z0-9+/=]{0,90}") {
            keyring(line.as_bytes());
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0..CERTIFICATE.len(), byte in any::<u8>(), ssh in any::<bool>()) {
            let mut bytes = if ssh { ED25519 } else { CERTIFICATE }.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            keyring(&bytes);
        }
    }
}
