//! The child processes of `hfi serve`.

use std::{fs, path::Path, process::Command, time::Duration};

use tokio::time::{sleep, timeout};

use crate::support::process::Process;

/// Waits for the child that runs this hidden command.
pub(crate) async fn child(hfi: &Process, command: &str, patience: Duration) -> String {
    let parent = format!("PPid:\t{}\n", hfi.child.id());
    let is_ours = |process: &Path| {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        let line = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        status.contains(&parent) && line.ends_with(&format!("{command}\0"))
    };
    let found = async {
        loop {
            let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
            if let Some(process) = processes.into_iter().find(|process| is_ours(process)) {
                return process.file_name().unwrap().to_str().unwrap().to_owned();
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(patience, found).await.unwrap_or_else(|_| panic!("no {command}: {}", hfi.log()))
}

/// Sends a signal to a process.
pub(crate) fn signal(process: &str, name: &str) {
    assert!(Command::new("kill").args(["-s", name, process]).status().unwrap().success());
}

/// Waits until a process is gone, or only its parent has not asked for its end.
pub(crate) async fn ended(process: &str, patience: Duration) {
    let ended = async {
        let status = || fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        while status().lines().any(|line| line.starts_with("State:") && !line.contains('Z')) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(patience, ended).await.expect("it goes on");
}
