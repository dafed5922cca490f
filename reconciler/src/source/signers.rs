//! The trusted signers of commits: the owners of the keys in a directory.
//!
//! The directory is read again for every check, so a key counts from the moment it is there until it is
//! removed. A file that cannot be read is no key and is reported: an error never makes more signers trusted.

mod allowed_signers;
mod keyring;
mod openpgp;
mod ssh;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use policies::Timestamp;

pub use self::ssh::SigningKey;
use self::{allowed_signers::GIT, keyring::Keyring};

/// The longest signature that is read, in bytes; a longer one is refused.
const LONGEST_SIGNATURE: usize = 64 * 1024;
/// The first line of the armor of each kind of signature.
const SSH: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
const OPENPGP: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// The directory with the keys of the trusted signers.
#[derive(Clone, Debug)]
pub struct Signers {
    folder: PathBuf,
}

/// A commit and its signature.
#[derive(Clone, Debug)]
pub struct Signed {
    pub commit: String,
    pub committed_at: Timestamp,
    pub signature: Option<Signature>,
}

/// The signature of a commit.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The signature as it stands in the commit.
    pub armor: Vec<u8>,
    /// The signed bytes: the commit without its signature.
    pub covers: Vec<u8>,
}

/// The result of a check.
#[derive(Debug)]
pub struct Verdict {
    /// The reason why the commit may not be served, if there is one.
    pub refusal: Option<String>,
    /// Problems with the files of the directory.
    pub faults: Vec<String>,
}

impl Signers {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks that a trusted signer signed this commit. Reads the directory.
    pub fn check(&self, signed: Option<&Signed>, now: Timestamp) -> Verdict {
        let folder = self.folder.display();
        // Those who parse foreign bytes for us should not panic. If one does, nothing is vouched for.
        let verdict = catch_unwind(AssertUnwindSafe(|| {
            let keyring = Keyring::read(&self.folder);
            let refusal = signed.and_then(|signed| {
                let why = by_ring(&keyring, signed, now).err()?;
                let faults: String = keyring.faults.iter().map(|fault| format!("; {fault}")).collect();
                Some(format!("commit {} {why} (--verify {folder}){faults}", signed.commit))
            });
            Verdict { refusal, faults: keyring.faults }
        }));
        verdict.unwrap_or_else(|_| {
            let what = "a key or the signature is of a form that cannot be read";
            let refusal = signed.map(|signed| format!("commit {} is not verified: {what}", signed.commit));
            Verdict { refusal, faults: vec![format!("{folder}: {what}")] }
        })
    }
}

/// Checks the signature. The error completes a sentence: it says why the commit may not be served.
fn by_ring(keyring: &Keyring, signed: &Signed, now: Timestamp) -> Result<(), String> {
    if keyring.is_empty() {
        return Err("is not verified: there is no key to verify it by".to_owned());
    }
    let Some(Signature { armor, covers }) = &signed.signature else {
        return Err("is not signed".to_owned());
    };
    let armor = armor.trim_ascii();
    if armor.len() > LONGEST_SIGNATURE {
        Err("has a signature that is too long to be one".to_owned())
    } else if armor.starts_with(SSH) {
        ssh::check(&keyring.ssh, armor, covers, signed.committed_at)
    } else if armor.starts_with(OPENPGP) {
        openpgp::check(&keyring.openpgp, armor, covers, now)
    } else {
        Err("has a signature that is neither of SSH nor of OpenPGP".to_owned())
    }
}
