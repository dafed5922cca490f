//! An empty variable of the environment, as a template leaves it that was given no value.

use std::{collections::BTreeSet, process::Command};

use crate::support::process::{Process, text};

/// The variables that `hfi serve` reads.
fn variables() -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_hfi")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let words = help.split(|c: char| c != '_' && !c.is_ascii_uppercase());
    words.filter(|word| word.starts_with("HFI_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn for_any_option() {
    let variables = variables();
    assert!(variables.contains("HFI_VERIFY") && variables.len() > 20, "{variables:?}");
    let folder = tempfile::tempdir().unwrap();
    let given = ["HFI_DIR", "HFI_LISTEN"];
    let empty = variables.iter().map(String::as_str).filter(|name| !given.contains(name));
    let empty: Vec<_> = empty.map(|name| (name, "")).collect();
    let hfi = Process::start(&[&empty[..], &[("HFI_DIR", text(folder.path()))]].concat()).await;
    hfi.until_ready(|_| true).await;
}

#[test]
fn on_the_command_line_it_is_a_mistake() {
    let mut hfi = Command::new(env!("CARGO_BIN_EXE_hfi"));
    // As of a variable of the shell that is not set: a user that asks for signatures must get them.
    let refused = hfi.args(["serve", "--repo", "policies.git", "--verify", ""]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a value is required for '--verify <DIR>'"));
}
