//! Whatever a commit unfolds to, it is refused before it costs memory or time, and the last good one stays.

use std::{fs, path::PathBuf, time::Duration};

use harness::GitHttp;
use reconciler::{
    source::{Settings, Source, access::Access, target::Target},
    sync::loader::Loader,
};
use tokio::time::timeout;

use crate::support::{
    PATIENCE, Server,
    plumbing::{Plumbing, bare},
    policy,
    process::{Process, peak_memory, text},
    remote::{access, following, look, look_at},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";
/// Far more than it needs, and far less than any of these commits would take, in KiB.
const MUCH_MEMORY: u64 = 300 * 1024;

fn numbered(count: usize, name: impl Fn(usize) -> String) -> impl Iterator<Item = String> {
    (0..count).map(name)
}

/// A directory of ten directories, ten deep, with ten files each at the bottom: a few hundred bytes of objects.
fn bomb(repository: &Plumbing, blob: &str) -> String {
    let files = repository.files(numbered(10, |n| format!("{n}.yaml")), blob);
    (0..10).fold(files, |tree, _| repository.directories(numbered(10, |n| n.to_string()), &tree))
}

async fn until_told(hfi: &Process, reason: &str) {
    let told = async {
        while !hfi.log().contains(reason) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("never told {reason}: {}", hfi.log()));
}

#[tokio::test]
async fn a_tree_bomb_is_refused_and_the_last_good_stays_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let blob = repository.blob(policy("a", "checkout", 503));
    let good = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    let first = repository.commit(&good, "Good");
    let state = folder.path().join("state");
    let environment =
        [("HFI_REPO", text(&repository.0)), ("HFI_STATE_DIR", text(&state)), ("HFI_INTERVAL", "1s")];
    let hfi = Process::start(&environment).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    let bomb = repository.commit(&bomb(&repository, &blob), "Bomb");
    until_told(&hfi, &format!("commit {bomb} is refused: it has more than 100000 policy files")).await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, before);
    assert!(peak_memory(&hfi) < MUCH_MEMORY);
    drop(hfi);

    let hfi = Process::start(&environment).await;
    hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{first}")).await;
    until_told(&hfi, &format!("commit {bomb} is refused")).await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, before);
    assert!(peak_memory(&hfi) < MUCH_MEMORY);
    let repaired = repository.commit(&good, "Repaired");
    hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{repaired}")).await;
}

/// Makes the tree of one commit, given a file with a policy.
type Shape = fn(&Plumbing, &str) -> String;

#[tokio::test]
async fn a_commit_over_any_limit_is_refused_with_the_limit_and_the_place() {
    let million: Shape = |repository, blob| {
        let files = repository.files(numbered(1_000, |n| format!("{n}.yaml")), blob);
        repository.directories(numbered(1_000, |n| format!("d{n}")), &files)
    };
    let other_files: Shape = |repository, blob| {
        let files = repository.files(numbered(2_000, |n| format!("{n}.txt")), blob);
        repository.directories(numbered(1_000, |n| format!("d{n}")), &files)
    };
    let long_name: Shape =
        |repository, blob| repository.files([format!("{}.yaml", "n".repeat(5_000))].into_iter(), blob);
    let long_names: Shape = |repository, blob| {
        let files = repository.files(numbered(5_000, |n| format!("{n}{}.yaml", "n".repeat(1_000))), blob);
        repository.directories(numbered(4, |n| n.to_string()), &files)
    };
    let wide: Shape =
        |repository, blob| repository.files(numbered(9_000, |n| format!("{n}{}", "n".repeat(1_000))), blob);
    let wide_ones: Shape = |repository, blob| {
        let files = repository.files(numbered(7_000, |n| format!("{n}{}", "n".repeat(1_000))), blob);
        repository.directories(numbered(30, |n| n.to_string()), &files)
    };
    let long_files: Shape = |repository, _| {
        let blob = repository.blob(policy("a", "checkout", 503) + &"#\n".repeat(500_000));
        repository.files(numbered(80, |n| format!("{n}.yaml")), &blob)
    };
    for (shape, reason) in [
        (million, "it has more than 100000 policy files, at the latest at `d"),
        (other_files, "it has more than 1000000 entries of directories, at the latest at `d"),
        (long_name, "is longer than 4096 bytes: use shorter names"),
        (long_names, "it has more than 16777216 bytes of paths, at the latest at `3/"),
        (wide, "the directory `/` has 9"),
        (wide_ones, "it has more than 134217728 bytes of directories"),
        (long_files, "its policy files have more than 67108864 bytes: name a smaller directory by --path"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let repository = bare(folder.path());
        let blob = repository.blob(policy("a", "checkout", 503));
        let tree = shape(&repository, &blob);
        let commit = repository.commit(&tree, "x");
        let error = look(text(&repository.0), &access()).await.unwrap_err();
        assert!(error.starts_with(&format!("commit {commit} is refused: ")), "{error}");
        assert!(error.contains(reason) && error.len() < 1_000, "{error}");
    }
}

#[tokio::test]
async fn a_huge_commit_message_is_refused_and_a_deep_directory_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let blob = repository.blob(policy("a", "checkout", 503));
    let files = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    let deep =
        (0..300).fold(files.clone(), |tree, _| repository.directories(["d".to_owned()].into_iter(), &tree));
    repository.commit(&deep, "Deep");
    let checkout = look(text(&repository.0), &access()).await.unwrap();
    assert!(checkout.warnings[0].message.contains("is more than 32 directories deep and is ignored"));
    repository.commit(&files, &"m".repeat(2 << 20));
    let error = look(text(&repository.0), &access()).await.unwrap_err();
    assert!(error.contains("with its message has 209") && error.ends_with("more than 1048576"), "{error}");
}

#[tokio::test]
async fn a_file_that_unfolds_from_a_huge_one_is_refused_within_the_memory_of_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let text_of_policy = policy("a", "checkout", 503);
    let huge = repository.blob(vec![b'#'; 192 << 20]);
    repository.blob(text_of_policy.clone());
    let blob = repository.git(&["hash-object", "--stdin"], text_of_policy.clone());
    // A pack in which the policy is stored as a difference to the huge file, of which it takes nothing.
    let name = repository.git(&["pack-objects", "objects/pack/pack"], format!("{huge}\n"));
    let pack = repository.0.join(format!("objects/pack/pack-{name}.pack"));
    let mut bytes = fs::read(&pack).unwrap();
    bytes.truncate(bytes.len() - 20);
    bytes[11] = 2;
    bytes.extend(as_difference(&huge, 192 << 20, text_of_policy.as_bytes()));
    let unsigned = folder.path().join("unsigned");
    fs::write(&unsigned, &bytes).unwrap();
    let sum = std::process::Command::new("sha1sum").arg(&unsigned).output().unwrap().stdout;
    bytes.extend(
        (0..20).map(|n| u8::from_str_radix(str::from_utf8(&sum[2 * n..2 * n + 2]).unwrap(), 16).unwrap()),
    );
    for object in [&huge, &blob] {
        fs::remove_file(repository.0.join("objects").join(&object[..2]).join(&object[2..])).unwrap();
    }
    fs::remove_file(&pack).unwrap();
    fs::remove_file(pack.with_extension("idx")).unwrap();
    repository.git(&["index-pack", "--stdin"], bytes);
    assert_eq!(repository.git(&["cat-file", "blob", &blob], ""), text_of_policy.trim());
    let tree = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    repository.commit(&tree, "x");
    let error = look(text(&repository.0), &access()).await.unwrap_err();
    assert!(error.contains("128 MiB of memory"), "{error}");
}

/// An entry of a pack: a difference to another object that takes nothing of it.
fn as_difference(base: &str, base_size: usize, content: &[u8]) -> Vec<u8> {
    let size = |mut number: usize| {
        let mut bytes = Vec::new();
        while number >= 128 {
            bytes.push((number & 127) as u8 | 128);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let mut difference = [size(base_size), size(content.len())].concat();
    for part in content.chunks(127) {
        difference.push(part.len() as u8);
        difference.extend(part);
    }
    // The kind (7, a difference to an object by its id) and the length of the difference.
    let length = difference.len();
    let mut entry = vec![0x70 | (length & 15) as u8 | 128];
    entry.extend(size(length >> 4));
    entry.extend((0..20).map(|n| u8::from_str_radix(&base[2 * n..2 * n + 2], 16).unwrap()));
    // Stored as it is, in the form of zlib.
    let length = u16::try_from(length).unwrap();
    entry.extend([0x78, 1, 1]);
    entry.extend(length.to_le_bytes());
    entry.extend((!length).to_le_bytes());
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &difference {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    entry.extend(&difference);
    entry.extend(((b << 16) | a).to_be_bytes());
    entry
}

#[tokio::test]
async fn refs_by_the_hundred_thousand_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let blob = repository.blob(policy("a", "checkout", 503));
    let tree = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    let commit = repository.commit(&tree, "x");
    let refs: String = (100_000..200_000).map(|n| format!("{commit} refs/heads/b{n}\n")).collect();
    fs::write(repository.0.join("packed-refs"), format!("# pack-refs with: sorted \n{refs}")).unwrap();
    assert_eq!(look(text(&repository.0), &access()).await.unwrap().files.len(), 1);
    let http = GitHttp::start(folder.path()).await.unwrap();
    let url = http.url("r.git");
    assert_eq!(look(&url, &access()).await.unwrap().files.len(), 1);
    let settings = Settings::Git {
        repository: url.parse().unwrap(),
        target: Target::Commit("0123456789".repeat(4).parse().unwrap()),
        path: PathBuf::new(),
        access: Box::new(access()),
    };
    let error = look_at(settings).await.unwrap_err();
    assert!(error.ends_with("and 99996 more") && error.len() < 1_000, "{error}");
}

/// A policy whose duration begins somewhere in the history.
fn lasting() -> String {
    policy("a", "checkout", 503).replace("fault: {", "fault: {duration_seconds: 3600, ")
}

/// A server of the repository starts, and serves the policy.
async fn is_served(repository: &Plumbing) {
    let server = Server::start(following(text(&repository.0), &access()), Duration::from_secs(1)).await;
    server.until_ready().await;
    assert_eq!(server.names().await, ["a"]);
}

#[tokio::test]
async fn a_bomb_in_the_history_counts_for_no_duration() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let blob = repository.blob(lasting());
    let good = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    repository.commit(&good, "Good");
    repository.commit(&bomb(&repository, &blob), "Bomb");
    repository.commit(&good, "Revert");
    is_served(&repository).await;
}

#[tokio::test]
async fn a_huge_commit_in_the_history_counts_for_no_duration_either() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let files = repository.files(["a.yaml".to_owned()].into_iter(), &repository.blob(lasting()));
    repository.commit(&files, "Good");
    repository.commit(&files, &"m".repeat(2 << 20));
    repository.commit(&files, "Better");
    is_served(&repository).await;
}

#[tokio::test]
async fn a_history_of_bombs_takes_no_longer_than_a_fetch_may() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    let blob = repository.blob(lasting());
    let good = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    repository.commit(&good, "Good");
    let bomb = bomb(&repository, &blob);
    for _ in 0..200 {
        repository.commit(&bomb, "Bomb");
    }
    let commit = repository.commit(&good, "Good again");
    let impatient = Access { timeout: Duration::from_secs(3), ..access() };
    let url = text(&repository.0).to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut source = Source::open(following(&url, &impatient), None).unwrap();
        Loader::default().load(&mut source).unwrap_err().to_string()
    });
    let error = timeout(PATIENCE, read).await.expect("it goes on").unwrap();
    assert_eq!(
        error,
        format!(
            "reading the history of commit {commit} was given up: it did not end within 3s (--fetch-timeout)"
        )
    );
}
