//! The options of `hfi serve`, and what is said of wrong ones.

use clap::Parser;

use super::ServeConfig;
use crate::{
    cli::{Cli, Command},
    source::Settings,
};

fn serve(arguments: &[&str]) -> Result<ServeConfig, String> {
    serve_with(arguments, &[])
}

fn serve_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<ServeConfig, String> {
    let arguments = ["hfi", "serve"].iter().chain(arguments);
    let cli = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
    let Command::Serve(serve) = cli.command else { panic!("{cli:?}") };
    let variable = |name: &str| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    };
    serve.resolve(variable).map_err(|error| error.to_string())
}

#[test]
fn a_flag_wins_over_the_environment_and_an_empty_variable_is_none() {
    let from = |arguments: &[&str], variables: &[(&str, &str)]| {
        serve_with(arguments, variables).map(|config| config.source)
    };
    assert!(
        matches!(from(&["--dir", "a"], &[("HFI_REPO", "b")]), Ok(Settings::Dir(dir)) if dir.as_os_str() == "a")
    );
    assert!(matches!(from(&[], &[("HFI_REPO", ""), ("HFI_DIR", "b")]), Ok(Settings::Dir(_))));
    assert!(matches!(from(&[], &[("HFI_REPO", "b")]), Ok(Settings::Git { .. })));
    assert!(from(&[], &[("HFI_REPO", "a"), ("HFI_DIR", "b")]).unwrap_err().contains("both set"));
    assert!(from(&[], &[("HFI_REPO", "ftp://a")]).unwrap_err().contains("HFI_REPO has scheme `ftp`"));
}

#[test]
fn a_repository_has_defaults_for_the_rest() {
    let config = serve(&["--repo", "/srv/p.git"]).unwrap();
    let Settings::Git { target, path, access, .. } = config.source else { panic!("{config:?}") };
    assert_eq!((target.label(), path.as_os_str().len()), ("main", 0));
    assert_eq!((access.timeout.as_secs(), access.known_hosts_file), (60, None));
    assert_eq!((config.interval.as_secs(), config.listen.port()), (30, 8080));
}

#[test]
fn a_tag_or_a_commit_is_followed_instead_of_the_branch() {
    let followed = |arguments: &[&str]| match serve(&[&["--repo", "a"], arguments].concat()) {
        Ok(ServeConfig { source: Settings::Git { target, .. }, .. }) => target.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(followed(&[]), "branch `main`");
    assert_eq!(followed(&["--tag", "v1"]), "tag `v1`");
    assert_eq!(followed(&["--commit", &"A1".repeat(20)]), format!("commit {}", "a1".repeat(20)));
}

#[test]
fn a_directory_takes_the_options_of_a_repository() {
    let config = serve(&["--dir", "p", "--branch", "x", "--path", "/a//b/"]).unwrap();
    assert!(matches!(config.source, Settings::Dir(dir) if dir.as_os_str() == "p"));
}

#[test]
fn wrong_use_of_serve_shows_the_usage_of_serve() {
    for arguments in [&[][..], &["--repo", "a", "--dir", "b"], &["--repo", "ftp://a"], &["--nonsense"]] {
        let error = serve(arguments).unwrap_err();
        assert!(error.contains("Usage: hfi serve "), "{arguments:?}: {error}");
    }
}

#[test]
fn wrong_use_says_what_is_wrong() {
    for (arguments, reason) in [
        (&[][..], "give --repo"),
        (&["--repo", "a", "--dir", "b"], "cannot be used with"),
        (&["--repo", "https://me:secret@git.example/p.git"], "holds credentials"),
        (&["--repo", "a", "--interval", "0s"], "from 1s to 1day"),
        (&["--repo", "a", "--path", "../b"], "within the repository"),
        (&["--repo", "a", "--branch", "a b"], "not a name that Git takes"),
        (&["--repo", "a", "--branch", "b", "--tag", "c"], "cannot be used with"),
        (&["--repo", "a", "--commit", "0123456"], "40 hexadecimal digits"),
        (&["--repo", "git@git.example:p.git"], "needs a key; give --ssh-key-file"),
        (&["--repo", "a", "--fetch-timeout", "0s"], "from 1s to 1h"),
        (&["--repo", "a", "--client-prefix", "33,64"], "such as 32,128"),
        (&["--repo", "a", "--interval", "5"], "must be a time from 1s to 1day, as a number with its unit"),
        (&["--repo", "a", "--listen", "8080"], "must be an IP address and a port"),
        (&["--dir", "a", "--verify", "b"], "nobody signs a plain directory"),
        (&["--repo", "a", "--verify", ""], "value is required for '--verify"),
        (&["--repo", "a", "--view-token-file", ""], "value is required for '--view-token-file"),
        (&["--repo", "a", "--tls-cert-file", "c"], "give --tls-key-file"),
        (&["--repo", "a", "--tls-key-file", "k"], "give --tls-cert-file"),
        (&["--repo", "a", "--peers", "hfi-peers:8080"], "give --peer-token-file"),
        (&["--repo", "a", "--peer-token-file", "t"], "give --peers"),
        (&["--repo", "a", "--peers", "hfi-peers", "--peer-token-file", "t"], "must be NAME:PORT"),
        (&["--repo", "a", "--peer-ca-file", "c"], "needs --peers"),
        (&["--repo", "a", "--kubernetes", "--peer-ca-file", "c"], "give --tls-cert-file"),
        (
            &["--repo", "a", "--peers", "p:1", "--peer-token-file", "t", "--peer-ca-file", "c"],
            "give --tls-cert-file",
        ),
        (&["--repo", "a", "--proxies", "watch"], "give --kubernetes"),
        (&["--repo", "a", "--kubernetes", "--proxies", "all"], "must be one of: off, watch, heal"),
    ] {
        let error = serve(arguments).unwrap_err();
        assert!(error.contains(reason), "{arguments:?}: {error}");
        assert!(!error.contains("Usage: hfi <COMMAND>"), "{arguments:?}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
