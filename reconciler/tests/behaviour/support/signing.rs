//! People who sign their commits, with real keys that `ssh-keygen` and `gpg` made for them.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness::Repository;
use tempfile::TempDir;

/// A private key, and how Git signs with it.
pub(crate) struct Signer {
    home: TempDir,
    /// Options of `git` before its command.
    options: Vec<String>,
    /// Of OpenPGP.
    fingerprint: Option<String>,
}

impl Signer {
    /// Signs with SSH; `kind` as `ssh-keygen` takes it, such as `-t ed25519`.
    pub(crate) fn ssh(kind: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-N", "", "-C", "alice@example.com", "-f"]).arg(&file).args(kind.split(' '));
        assert!(keygen.status().unwrap().success());
        let options = ["gpg.format=ssh".to_owned(), format!("user.signingkey={}", file.display())];
        Self { home, options: options.to_vec(), fingerprint: None }
    }

    /// Signs with OpenPGP: `primary` is the algorithm and usage of the primary key, such as
    /// `ed25519 sign`, as `gpg --quick-generate-key` takes them.
    pub(crate) fn openpgp(primary: &str) -> Self {
        Self::openpgp_with("", primary)
    }

    /// The same with more options for `gpg`.
    pub(crate) fn openpgp_with(options: &str, primary: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut signer = Self { home, options: Vec::new(), fingerprint: None };
        signer.configure(options);
        let generate = ["--quick-generate-key", "Alice <alice@example.com>"];
        signer.gpg(&[&generate[..], &primary.split(' ').collect::<Vec<_>>()].concat(), "");
        let list = signer.gpg(&["--list-keys", "--with-colons"], "");
        let fingerprint = list.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).unwrap();
        let fingerprint = fingerprint.trim_end_matches(':').to_owned();
        let program = signer.program();
        signer.options = vec![
            "gpg.format=openpgp".to_owned(),
            format!("user.signingkey={fingerprint}"),
            format!("gpg.program={}", program.display()),
        ];
        signer.fingerprint = Some(fingerprint);
        signer
    }

    /// Sets the options of `gpg` for every call.
    pub(crate) fn configure(&self, options: &str) {
        let home = self.home.path().display();
        let common = "--batch --no-tty --quiet --yes --pinentry-mode loopback --passphrase ''";
        let script = format!("#!/bin/sh\nexec gpg --homedir {home} {common} {options} \"$@\"\n");
        fs::write(self.program(), script).unwrap();
        fs::set_permissions(self.program(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn program(&self) -> PathBuf {
        self.home.path().join("gpg")
    }

    pub(crate) fn fingerprint(&self) -> &str {
        self.fingerprint.as_deref().unwrap()
    }

    /// Runs `gpg`, and answers what it printed.
    pub(crate) fn gpg(&self, arguments: &[&str], input: &str) -> String {
        String::from_utf8(self.gpg_bytes(arguments, input)).unwrap()
    }

    fn gpg_bytes(&self, arguments: &[&str], input: &str) -> Vec<u8> {
        let mut gpg = Command::new(self.program());
        gpg.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut gpg = gpg.spawn().unwrap();
        gpg.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = gpg.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Answers what `gpg` asks about the primary key, a line for each answer.
    pub(crate) fn edit(&self, answers: &str) {
        self.gpg(&["--no-batch", "--expert", "--command-fd", "0", "--edit-key", self.fingerprint()], answers);
    }

    /// Takes the certificate back, by what `gpg` made for that when it made the key.
    pub(crate) fn revoke(&self) {
        let file = self.home.path().join(format!("openpgp-revocs.d/{}.rev", self.fingerprint()));
        // A colon before it keeps it from being imported by mistake.
        let revocation = fs::read_to_string(file).unwrap().replace(":-----BEGIN", "-----BEGIN");
        self.gpg(&["--import"], &revocation);
    }

    /// The file with the private key, of SSH.
    pub(crate) fn private_key(&self) -> PathBuf {
        self.home.path().join("key")
    }

    /// The public key, as one has it.
    pub(crate) fn public(&self) -> Vec<u8> {
        match &self.fingerprint {
            Some(fingerprint) => self.gpg_bytes(&["--armor", "--export", fingerprint], ""),
            None => fs::read(self.home.path().join("key.pub")).unwrap(),
        }
    }

    /// The same, in the bytes that the armor is of.
    pub(crate) fn public_binary(&self) -> Vec<u8> {
        self.gpg_bytes(&["--export", self.fingerprint()], "")
    }

    /// Puts the public key into a folder.
    pub(crate) fn allow_in(&self, folder: &Path, name: &str) {
        fs::write(folder.join(name), self.public()).unwrap();
    }

    /// Signs bytes with SSH for a namespace, and answers the signature.
    pub(crate) fn sign(&self, namespace: &str, text: &[u8]) -> String {
        let file = self.home.path().join("text");
        fs::write(&file, text).unwrap();
        // One that is there would not be overwritten.
        let _ = fs::remove_file(file.with_extension("sig"));
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(self.home.path().join("key"));
        assert!(keygen.arg(&file).stderr(Stdio::null()).status().unwrap().success());
        fs::read_to_string(file.with_extension("sig")).unwrap()
    }

    /// Commits every change, signed, and pushes it.
    pub(crate) async fn push(&self, repository: &Repository) {
        let (then, commit) = (None, ["commit", "--quiet", "--allow-empty", "-S", "-m", "Change"]);
        self.run(repository, then, &commit).await;
    }

    /// The same as if it were then, in seconds since the Unix epoch.
    pub(crate) async fn push_at(&self, repository: &Repository, seconds: u64) {
        let commit = ["commit", "--quiet", "--allow-empty", "-S", "-m", "Change"];
        self.run(repository, Some(seconds), &commit).await;
    }

    async fn run(&self, repository: &Repository, at: Option<u64>, commit: &[&str]) {
        repository.git(&["add", "--all"]).await.unwrap();
        let options = self.options.iter().flat_map(|option| ["-c", option]);
        let arguments: Vec<_> = options.chain(commit.iter().copied()).collect();
        match at {
            Some(seconds) => repository.git_at(seconds, &arguments).await.unwrap(),
            None => repository.git(&arguments).await.unwrap(),
        };
        push(repository).await;
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        if self.fingerprint.is_some() {
            // It would stay for minutes after its directory has gone.
            let mut kill = Command::new("gpgconf");
            let _ = kill.arg("--homedir").arg(self.home.path()).args(["--kill", "gpg-agent"]).status();
        }
    }
}

/// Pushes what is committed, whatever is there.
pub(crate) async fn push(repository: &Repository) {
    repository.git(&["push", "--quiet", "--force", "origin", "main"]).await.unwrap();
}

/// Makes this object the tip of the branch, and pushes it.
pub(crate) async fn push_commit(repository: &Repository, object: &str) {
    repository.write("../commit", object).unwrap();
    let made = repository.git(&["hash-object", "-t", "commit", "-w", "../commit"]).await.unwrap();
    repository.git(&["reset", "--quiet", "--hard", made.trim()]).await.unwrap();
    push(repository).await;
}

/// The tip of the branch, as it is stored.
pub(crate) async fn commit(repository: &Repository) -> String {
    repository.git(&["cat-file", "commit", "HEAD"]).await.unwrap()
}

/// The id of the tip.
pub(crate) async fn head(repository: &Repository) -> String {
    repository.git(&["rev-parse", "HEAD"]).await.unwrap().trim().to_owned()
}
