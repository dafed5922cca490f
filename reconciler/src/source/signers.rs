//! Who may sign the commit that is served: whoever has a key in a folder.
//!
//! The folder is read anew for every check, so that a key counts from when it is there until it is
//! gone. What cannot be read is no key, and says so: fewer may sign then, never more.

mod allowed_signers;
mod keyring;
mod openpgp;
mod ssh;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use policies::Timestamp;

use self::keyring::Ring;

/// Longer than any signature; what is longer is not read.
const LONGEST_SIGNATURE: usize = 64 * 1024;
/// What the armor of each kind of signature begins with.
const SSH: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
const OPENPGP: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// The folder of those who may sign.
#[derive(Clone, Debug)]
pub struct Signers {
    folder: PathBuf,
}

/// A commit, and what vouches for it.
#[derive(Clone, Debug)]
pub struct Signed {
    pub commit: String,
    pub committed_at: Timestamp,
    pub signature: Option<Signature>,
}

/// The signature of a commit.
#[derive(Clone, Debug)]
pub struct Signature {
    /// As it stands in the commit.
    pub armor: Vec<u8>,
    /// What was signed: all of the commit but this.
    pub covers: Vec<u8>,
}

/// What a check found.
#[derive(Debug)]
pub struct Verdict {
    /// Why the commit may not be served, if it may not.
    pub refusal: Option<String>,
    /// What is wrong with the files of the folder.
    pub faults: Vec<String>,
}

impl Signers {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether one of those who may sign signed this commit. Reads the folder.
    pub fn check(&self, signed: Option<&Signed>, now: Timestamp) -> Verdict {
        let folder = self.folder.display();
        // Those who parse foreign bytes for us should not panic. If one does, nothing is vouched for.
        let verdict = catch_unwind(AssertUnwindSafe(|| {
            let ring = Ring::read(&self.folder);
            let refusal = signed.and_then(|signed| {
                let why = by_ring(&ring, signed, now).err()?;
                let faults: String = ring.faults.iter().map(|fault| format!("; {fault}")).collect();
                Some(format!("commit {} {why} (--verify {folder}){faults}", signed.commit))
            });
            Verdict { refusal, faults: ring.faults }
        }));
        verdict.unwrap_or_else(|_| {
            let what = "a key or the signature is of a form that cannot be read";
            let refusal = signed.map(|signed| format!("commit {} is not verified: {what}", signed.commit));
            Verdict { refusal, faults: vec![format!("{folder}: {what}")] }
        })
    }
}

/// An error is why the commit may not be served, as the rest of a sentence.
fn by_ring(ring: &Ring, signed: &Signed, now: Timestamp) -> Result<(), String> {
    if ring.is_empty() {
        return Err("is not verified: there is no key to verify it by".to_owned());
    }
    let Some(Signature { armor, covers }) = &signed.signature else {
        return Err("is not signed".to_owned());
    };
    let armor = armor.trim_ascii();
    if armor.len() > LONGEST_SIGNATURE {
        Err("has a signature that is too long to be one".to_owned())
    } else if armor.starts_with(SSH) {
        ssh::check(&ring.ssh, armor, covers, signed.committed_at)
    } else if armor.starts_with(OPENPGP) {
        openpgp::check(&ring.openpgp, armor, covers, now)
    } else {
        Err("has a signature that is neither of SSH nor of OpenPGP".to_owned())
    }
}
