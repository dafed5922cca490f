//! A disk that is full when a change is to be committed.

use std::{fs, path::PathBuf};

use crate::support::{
    client, policy,
    process::{Process, text},
    writing::{apply, git, path, process_within, repository, send},
};

/// The temporary directory of a process, as it sees it: 16 MiB.
struct Disk(PathBuf);

impl Disk {
    /// Leaves no room.
    fn fill(&self) {
        let filled = fs::write(self.0.join("fill"), vec![0; 20 << 20]);
        assert!(filled.is_err(), "it has a limit");
    }

    fn free(&self) {
        fs::remove_file(self.0.join("fill")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_until_there_is_room_again() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let (tokens, mount) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut unshare = std::process::Command::new("unshare");
    let script = format!("mount -t tmpfs -o size=16m tmpfs {0} && exec \"$@\"", mount.path().display());
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    let hfi: Process =
        process_within(unshare, &path(&repository), tokens.path(), &[("TMPDIR", text(mount.path()))]).await;
    hfi.until_ready(|_| true).await;
    let disk = Disk(PathBuf::from(format!("/proc/{}/root{}", hfi.child.id(), mount.path().display())));
    let send =
        async |name: &str| send(&client(), &hfi.url, apply("", &policy(name, "web", 500))).await.unwrap();
    send("one").await.is(201, &["one created"]);
    let before = git(&repository, &["rev-parse", "main"]);
    disk.fill();
    let refused = send("two").await;
    refused.is_refused(503, "o space left");
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
    git(&repository, &["fsck", "--strict", "--no-dangling"]);
    disk.free();
    send("two").await.is(201, &["two created"]);
    git(&repository, &["fsck", "--strict", "--no-dangling"]);
}
