//! `hfi man`: a page for each command.

use std::fs;

use clap::{Command, CommandFactory as _};
use reconciler::cli::Cli;

use crate::support::command::hfi;

/// The names of the pages of a command and those below it.
fn pages(command: &Command, name: &str) -> Vec<String> {
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    let below = below.flat_map(|command| pages(command, &format!("{name}-{}", command.get_name())));
    std::iter::once(format!("{name}.1")).chain(below).collect()
}

#[tokio::test]
async fn in_a_directory_that_need_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("share/man1");
    let written = hfi(&["man", directory.to_str().unwrap()], &[]).await;
    assert_eq!(written.code, 0, "{written:?}");
    for page in pages(&Cli::command(), "hfi") {
        let text = fs::read_to_string(directory.join(&page)).unwrap_or_else(|_| panic!("{page} is missing"));
        assert!(text.contains(".SH SYNOPSIS") || text.contains(".SH NAME"), "{page}");
    }
    assert!(!directory.join("hfi-fetch-for-serve.1").exists());
    assert!(!directory.join("hfi-plan-for-serve.1").exists());
    let list = fs::read_to_string(directory.join("hfi-policy-list.1")).unwrap();
    assert!(list.contains("\\-\\-watch") && list.contains("\\-\\-server"), "{list}");
}

#[tokio::test]
async fn and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = hfi(&["man", file.join("man1").to_str().unwrap()], &[]).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("cannot write to "), "{refused:?}");
}
