//! The key that signs the commits that are made here.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

use crate::{
    clock::now,
    io_reason::io_reason,
    source::{
        bounded_read::read_bounded,
        signers::{GIT, Signature, Signed, Signers},
    },
};

/// A text that is signed to see whether the key is a trusted one.
const PROBE: &[u8] = b"hfi";

/// An SSH key in a file. It is read again for every signature, so a key that is replaced is used at once.
#[derive(Clone)]
pub struct SigningKey {
    file: PathBuf,
}

impl SigningKey {
    /// The key in a file; the error says what is wrong with it.
    pub fn read(file: PathBuf) -> Result<Self, String> {
        private_key(&file)?;
        Ok(Self { file })
    }

    /// The signature of some bytes, as it stands in a commit.
    pub(in crate::source) fn sign(&self, bytes: &[u8]) -> Result<String, String> {
        let unable = |error| format!("the key in {} cannot sign: {error}", self.file.display());
        let signature = private_key(&self.file)?.sign(GIT, HashAlg::Sha512, bytes).map_err(unable)?;
        let armor = signature.to_pem(LineEnding::LF).map_err(unable)?;
        Ok(armor.trim_end().to_owned())
    }

    /// Checks that commits with this signature are served.
    pub fn is_trusted_by(&self, signers: &Signers) -> Result<(), String> {
        let signature = Signature { armor: self.sign(PROBE)?.into_bytes(), covers: PROBE.to_vec() };
        let signed = Signed { commit: "probe".to_owned(), committed_at: now(), signature: Some(signature) };
        match signers.check(Some(&signed), now()).refusal {
            None => Ok(()),
            Some(_) => Err(format!(
                "the public key of {} is not in {}: no replica would serve what is signed by it",
                self.file.display(),
                signers.folder().display()
            )),
        }
    }
}

fn private_key(file: &Path) -> Result<PrivateKey, String> {
    let wrong = |reason: String| format!("{} {reason}", file.display());
    let text = read_bounded(file).map_err(|error| wrong(format!("cannot be read: {}", io_reason(&error))))?;
    let key = PrivateKey::from_openssh(text).map_err(|_| {
        wrong(
            "holds no private ed25519 key of OpenSSH's form; `ssh-keygen -t ed25519 -N ''` makes one"
                .to_owned(),
        )
    })?;
    if key.is_encrypted() {
        let advice = "holds a key with a passphrase, which nobody can type here; `ssh-keygen -p` removes it";
        return Err(wrong(advice.to_owned()));
    }
    // The library cannot sign with RSA, and cannot read one ECDSA key in 256: that whose number begins with a zero.
    if key.algorithm() != Algorithm::Ed25519 {
        let kind = key.algorithm();
        return Err(wrong(format!(
            "holds a key of the kind {kind}, and only ed25519 signs here: `ssh-keygen -t ed25519 -N ''` makes one"
        )));
    }
    Ok(key)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.file.display())
    }
}
