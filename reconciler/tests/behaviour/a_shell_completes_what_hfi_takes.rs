//! `hfi completions`: commands, options, and the names of the policies of the server.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::support::{Server, command::hfi, policy};

/// The words that bash offers for the last one of a line.
async fn completed(line: &str, server: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(hfi completions bash); COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9; _clap_complete_hfi hfi \"${{COMP_WORDS[COMP_CWORD]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let directory = Path::new(env!("CARGO_BIN_EXE_hfi")).parent().unwrap().to_owned();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &script]).env("PATH", path).env("HFI_SERVER", server);
    let Output { stdout, stderr, .. } =
        tokio::task::spawn_blocking(move || bash.output()).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(stderr).unwrap(), "");
    String::from_utf8(stdout).unwrap()
}

#[tokio::test]
async fn of_a_command_an_option_and_a_policy() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["checkout-errors", "cart-errors"] {
        fs::write(folder.path().join(format!("{name}.yaml")), policy(name, "checkout", 503)).unwrap();
    }
    let server = Server::of_folder(folder.path()).await;
    assert_eq!(completed("hfi policy des", &server.url).await.trim(), "describe");
    assert!(completed("hfi policy list --ou", &server.url).await.contains("--output"));
    assert_eq!(completed("hfi policy get ch", &server.url).await.trim(), "checkout-errors");
    let both = completed("hfi policy describe ", &server.url).await;
    assert!(both.contains("cart-errors\n") && both.contains("checkout-errors\n"), "{both}");
    for away in ["http://127.0.0.1:9", "nonsense"] {
        assert!(!completed("hfi policy get ch", away).await.contains("checkout"), "nothing is offered");
    }
}

#[tokio::test]
async fn in_every_shell_that_is_known() {
    for (shell, part) in [("bash", "complete "), ("zsh", "#compdef hfi"), ("fish", "complete --")] {
        let script = hfi(&["completions", shell], &[]).await;
        assert_eq!(script.code, 0, "{script:?}");
        assert!(script.stdout.contains(part), "{shell}: {}", script.stdout);
    }
    assert_eq!(hfi(&["completions", "tcsh"], &[]).await.code, 2);
}
