//! `--verify`: a commit is served if one of the keys in the directory signed it.

use std::{fs, path::Path};

use harness::Repository;
use reconciler::source::{
    Settings,
    access::Access,
    signers::Signers,
    target::{RefName, Target},
};

use crate::{
    support::remote::{access, following, look_at, repository},
    support::signing::{Signer, commit, head, push_commit},
};

/// The time for `gpg`.
const NEW_YEAR: &str = "--faked-system-time 20250101T000000";

/// A read of the repository, with these keys.
async fn look(repository: &Repository, keys: &Path) -> Result<(), String> {
    look_for(repository, keys, Target::Branch("main".parse().unwrap())).await
}

async fn look_for(repository: &Repository, keys: &Path, target: Target) -> Result<(), String> {
    let access = Access { signers: Some(Signers::new(keys.to_owned())), ..access() };
    let Settings::Git { repository, path, access, .. } =
        following(&repository.bare().display().to_string(), &access)
    else {
        unreachable!()
    };
    look_at(Settings::Git { repository, target, path, access }).await.map(drop)
}

/// `Ok` if the tip is served with these bytes for the only key.
async fn with_key(repository: &Repository, key: &[u8]) -> Result<(), String> {
    let keys = tempfile::tempdir().unwrap();
    fs::write(keys.path().join("key"), key).unwrap();
    look(repository, keys.path()).await
}

/// The reason why it is not.
async fn refusal(repository: &Repository, key: &[u8]) -> String {
    let error = with_key(repository, key).await.unwrap_err();
    assert!(error.starts_with(&format!("commit {} ", head(repository).await)), "{error}");
    error
}

#[tokio::test]
async fn a_signer_with_a_key_of_ssh_there_may_sign() {
    let repository = repository().await;
    let kinds = ["-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"];
    for kind in kinds {
        let alice = Signer::ssh(kind);
        alice.push(&repository).await;
        with_key(&repository, &alice.public()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let error = refusal(&repository, &Signer::ssh(kind).public()).await;
        assert!(error.contains("is signed by the SSH key SHA256:"), "{kind}: {error}");
        assert!(error.contains(", which is not among the keys (--verify /"), "{kind}: {error}");
    }
}

#[tokio::test]
async fn a_signer_with_an_openpgp_certificate_there_may_sign() {
    let repository = repository().await;
    for primary in ["ed25519 sign", "rsa2048 sign", "nistp256 sign", "ed25519 cert"] {
        let alice = Signer::openpgp(primary);
        if primary.ends_with("cert") {
            // Nor is the key of its certificate for signing: it is the subkey that does.
            alice.gpg(&["--quick-add-key", alice.fingerprint(), "cv25519", "encr"], "");
            alice.gpg(&["--quick-add-key", alice.fingerprint(), "ed25519", "sign"], "");
        }
        alice.push(&repository).await;
        for key in [alice.public(), alice.public_binary()] {
            with_key(&repository, &key).await.unwrap_or_else(|error| panic!("{primary}: {error}"));
        }
        let error = refusal(&repository, &Signer::openpgp("ed25519 sign").public()).await;
        assert!(error.contains("is signed by the OpenPGP key "), "{primary}: {error}");
        assert!(error.contains(", which is not among the keys"), "{primary}: {error}");
    }
}

#[tokio::test]
async fn a_commit_that_nobody_signed_is_refused() {
    let repository = repository().await;
    let alice = Signer::ssh("-t ed25519");
    let error = refusal(&repository, &alice.public()).await;
    assert!(error.contains(" is not signed (--verify "), "{error}");
}

#[tokio::test]
async fn a_commit_that_was_changed_after_it_was_signed_is_refused() {
    let repository = repository().await;
    for alice in [Signer::ssh("-t ed25519"), Signer::openpgp("ed25519 sign")] {
        alice.push(&repository).await;
        let signed = commit(&repository).await;
        push_commit(&repository, &format!("{signed}and more\n")).await;
        let error = refusal(&repository, &alice.public()).await;
        assert!(error.contains("the signature does not match"), "{error}");
        // The same signature, in the message.
        let (headers, message) = signed.split_once("\n\n").unwrap();
        let is_signature = |line: &&str| line.starts_with([' ', 'g']);
        let (signature, headers): (Vec<_>, Vec<_>) = headers.lines().partition(is_signature);
        let (headers, signature) = (headers.join("\n"), signature.join("\n"));
        for message in
            [message.to_owned(), format!("{signature}\n{message}"), format!("{message}{signature}\n")]
        {
            push_commit(&repository, &format!("{headers}\n\n{message}")).await;
            assert!(refusal(&repository, &alice.public()).await.contains(" is not signed"), "{message}");
        }
        // Somebody else's signature, which is of something else.
        let other = signed.replace(&message[..1], "X");
        push_commit(&repository, &other).await;
        assert!(with_key(&repository, &alice.public()).await.is_err());
    }
}

#[tokio::test]
async fn a_signature_of_another_kind_or_for_another_purpose_is_refused() {
    let repository = repository().await;
    let alice = Signer::ssh("-t ed25519");
    let unsigned = commit(&repository).await;
    let (headers, message) = unsigned.split_once("\n\n").unwrap();
    let signed_with = async |signature: &str| {
        let signature = signature.trim().replace('\n', "\n ");
        push_commit(&repository, &format!("{headers}\ngpgsig {signature}\n\n{message}")).await;
        with_key(&repository, &alice.public()).await
    };
    signed_with(&alice.sign("git", unsigned.as_bytes())).await.unwrap();
    for (signature, reason) in [
        (alice.sign("file", unsigned.as_bytes()), "for the namespace `file` and not for `git`"),
        (alice.sign("git", b"another text"), "the signature does not match"),
        ("-----BEGIN SIGNED MESSAGE-----\nMIIB\n-----END SIGNED MESSAGE-----".into(), "neither of SSH nor"),
        ("-----BEGIN SSH SIGNATURE-----\nMIIB\n-----END SSH SIGNATURE-----".into(), "cannot be read"),
        (
            "-----BEGIN PGP SIGNATURE-----\n\nMIIB\n-----END PGP SIGNATURE-----".into(),
            "has an OpenPGP signature that cannot",
        ),
        (format!("-----BEGIN SSH SIGNATURE-----\n{}", "A".repeat(100_000)), "too long"),
    ] {
        let error = signed_with(&signature).await.unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn an_openpgp_signature_that_says_less_than_it_seems_is_refused() {
    let repository = repository().await;
    let alice = Signer::openpgp_with(NEW_YEAR, "ed25519 sign never");
    alice.gpg(&["--quick-generate-key", "Bob <bob@example.com>", "ed25519", "sign", "never"], "");
    for (options, reason) in [
        ("--digest-algo SHA1", "has a signature over a hash by SHA1, which can be forged"),
        ("--textmode", "that is not of a document"),
        ("--local-user bob@example.com", "has more than one OpenPGP signature"),
        ("--sig-notation '!team@example.com=x'", "with a critical part that is not known"),
        ("--default-sig-expire 1d", "which made the signature for a time that ended at 2025-01-02T00:00:"),
        ("--faked-system-time 20240101T000000 --ignore-time-conflict", "which is younger than the signature"),
    ] {
        alice.configure(&format!("{NEW_YEAR} {options}"));
        alice.push(&repository).await;
        let error = refusal(&repository, &alice.public()).await;
        assert!(error.contains(reason), "{options}: {error}");
    }
    alice.configure("--sig-notation 'team@example.com=x' --digest-algo SHA512");
    alice.push(&repository).await;
    with_key(&repository, &alice.public()).await.unwrap();
}

#[tokio::test]
async fn who_once_could_sign_and_no_longer_may_is_refused() {
    let repository = repository().await;
    let alice = Signer::openpgp("ed25519 cert");
    alice.gpg(&["--quick-add-key", alice.fingerprint(), "ed25519", "sign"], "");
    alice.push(&repository).await;
    let before = alice.public();
    with_key(&repository, &before).await.unwrap();
    alice.edit("key 1\nrevkey\ny\n0\n\ny\nsave\n");
    assert!(refusal(&repository, &alice.public()).await.contains("which is revoked"));
    // Beside the one that is not revoked yet.
    let both = [before, alice.public()].concat();
    assert!(refusal(&repository, &both).await.contains("which is revoked"));

    let alice = Signer::openpgp("ed25519 sign");
    alice.push(&repository).await;
    with_key(&repository, &alice.public()).await.unwrap();
    alice.edit("change-usage\nS\nQ\nsave\n");
    assert!(refusal(&repository, &alice.public()).await.contains("which is not for signing"));

    let alice = Signer::openpgp("ed25519 sign");
    alice.push(&repository).await;
    alice.revoke();
    assert!(refusal(&repository, &alice.public()).await.contains("which is revoked"));
}

#[tokio::test]
async fn an_openpgp_key_that_has_expired_until_now_is_refused() {
    let repository = repository().await;
    let alice = Signer::openpgp_with(NEW_YEAR, "ed25519 sign 10d");
    alice.configure("--faked-system-time 20250102T000000");
    alice.push(&repository).await;
    let expired = alice.public();
    assert!(refusal(&repository, &expired).await.contains("which expired at 2025-01-11T00:00:00Z"));
    alice.gpg(&["--quick-set-expire", alice.fingerprint(), "0"], "");
    with_key(&repository, &alice.public()).await.unwrap();
    // The older copy may stay.
    with_key(&repository, &[expired.clone(), alice.public()].concat()).await.unwrap();
    // And what it says in the same one: the newest counts.
    alice.gpg(&["--import"], str::from_utf8(&expired).unwrap());
    with_key(&repository, &alice.public()).await.unwrap();

    let alice = Signer::openpgp_with(NEW_YEAR, "ed25519 cert never");
    alice.gpg(&["--quick-add-key", alice.fingerprint(), "ed25519", "sign", "10d"], "");
    alice.push(&repository).await;
    assert!(refusal(&repository, &alice.public()).await.contains("which expired at 2025-01-11T00:00:00Z"));

    // A subkey ends with its certificate.
    let alice = Signer::openpgp_with(NEW_YEAR, "ed25519 cert 20d");
    alice.gpg(&["--quick-add-key", alice.fingerprint(), "ed25519", "sign", "never"], "");
    alice.push(&repository).await;
    assert!(refusal(&repository, &alice.public()).await.contains("which expired at 2025-01-21T00:00:00Z"));
}

#[tokio::test]
async fn an_ssh_key_counts_at_the_time_of_the_commit_if_its_line_says_so() {
    let repository = repository().await;
    let alice = Signer::ssh("-t ed25519");
    alice.push_at(&repository, 1_700_000_000).await;
    let key = String::from_utf8(alice.public()).unwrap();
    let line = |options: &str| format!("alice@example.com,bob {options} {key}");
    for options in ["", "namespaces=\"git\"", "valid-after=\"20231114Z\",valid-before=\"20231115Z\""] {
        with_key(&repository, line(options).as_bytes()).await.unwrap();
    }
    let error = refusal(&repository, line("valid-before=\"20231114Z\"").as_bytes()).await;
    assert!(error.contains("not valid when it was committed, at 2023-11-14T22:13:20Z"), "{error}");
    for options in ["namespaces=\"file\"", "cert-authority", "valid-after=\"20231114\""] {
        let error = refusal(&repository, line(options).as_bytes()).await;
        assert!(error.contains("there is no key to verify it by") && error.contains("/key:1: "), "{error}");
    }
}

#[tokio::test]
async fn it_is_the_commit_of_a_tag_and_the_one_commit_that_must_be_signed() {
    let repository = repository().await;
    let (keys, alice) = (tempfile::tempdir().unwrap(), Signer::ssh("-t ed25519"));
    alice.allow_in(keys.path(), "alice.pub");
    let unsigned = head(&repository).await;
    repository.git(&["tag", "--annotate", "--message", "One", "unsigned"]).await.unwrap();
    alice.push(&repository).await;
    let signed = head(&repository).await;
    repository.git(&["tag", "--annotate", "--message", "One", "signed"]).await.unwrap();
    repository.git(&["push", "--quiet", "--tags", "origin"]).await.unwrap();
    let tag = |name: &str| Target::Tag(name.parse::<RefName>().unwrap());
    let one = |id: &str| Target::Commit(id.parse().unwrap());
    for target in [tag("signed"), one(&signed)] {
        look_for(&repository, keys.path(), target).await.unwrap();
    }
    for target in [tag("unsigned"), one(&unsigned)] {
        let error = look_for(&repository, keys.path(), target).await.unwrap_err();
        assert!(error.contains(&format!("commit {unsigned} is not signed")), "{error}");
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_served() {
    let repository = repository().await;
    let (keys, alice) = (tempfile::tempdir().unwrap(), Signer::ssh("-t ed25519"));
    alice.push(&repository).await;
    let folder = keys.path().join("keys");
    let error = look(&repository, &folder).await.unwrap_err();
    assert!(error.contains("there is no key to verify it by"), "{error}");
    assert!(error.contains("/keys cannot be read: it does not exist"), "{error}");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(".hidden"), alice.public()).unwrap();
    fs::create_dir(folder.join("team")).unwrap();
    alice.allow_in(&folder.join("team"), "alice.pub");
    fs::write(folder.join("notes"), "hello").unwrap();
    let error = look(&repository, &folder).await.unwrap_err();
    assert!(error.contains("there is no key to verify it by"), "{error}");
    assert!(error.contains("/notes:1: is not an SSH public key"), "{error}");
    assert!(error.contains("/team cannot be read: it is not a regular file"), "{error}");
    // What cannot be read takes nothing from what can.
    alice.allow_in(&folder, "alice.pub");
    look(&repository, &folder).await.unwrap();
}
