//! Every link of every Markdown file leads to a file that is there, and to a heading that is in it; and what
//! documents say of files and rooms is so.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::Server;

/// Directories that hold nothing of the repository.
const FOREIGN: [&str; 6] = ["target", "dist", ".git", ".cache", "node_modules", "artifacts"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every Markdown file in and below a directory.
fn documents(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() && !path.is_symlink() && !FOREIGN.iter().any(|foreign| name == *foreign) {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The text without its blocks of code.
fn prose(document: &Path) -> String {
    let text = fs::read_to_string(document).unwrap();
    let is_fence = |line: &str| line.trim_start().starts_with("```");
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        in_code ^= is_fence(line);
        !in_code && !is_fence(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors of a document, as forges make them of its headings.
fn anchors(document: &Path) -> Vec<String> {
    let prose = prose(document);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

/// The targets of all links to other places than the web.
fn links(document: &Path) -> Vec<String> {
    let prose = prose(document);
    let targets = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    targets.filter(|target| !target.contains("://")).collect()
}

#[test]
fn by_every_link() {
    let mut all = Vec::new();
    documents(&top(), &mut all);
    let mut followed = 0;
    for document in &all {
        for link in links(document) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} is not there", document.display());
            let is_known = anchor.is_empty() || anchors(&target).iter().any(|known| known == anchor);
            assert!(is_known, "{}: {link}: no such heading", document.display());
            followed += 1;
        }
    }
    assert!(followed > 50, "only {followed} links in {} documents", all.len());
}

#[test]
fn from_a_readme_that_is_read_in_minutes() {
    let bytes = fs::metadata(top().join("README.md")).unwrap().len();
    assert!(
        bytes <= 8 * 1024,
        "README.md has {bytes} bytes: move a table to the reference that it belongs to"
    );
}

#[tokio::test]
async fn from_a_readme_whose_first_commands_do_what_it_shows() {
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let (_, commands) = readme.split_once("```sh\n").unwrap();
    let (before, after) = commands.split_once("\nexport PATH=\"$PWD/dist:$PATH\"").unwrap();
    assert!(!before.contains("\nhfi "), "the shell does not find it");
    assert!(!after.contains("dist/hfi "), "one program has one name");

    // Copies begin now, as the files of the reader do that are touched.
    let (touched, _) = after.split_once("\nhfi serve --dir policies/examples").unwrap();
    assert!(
        touched.contains("\ntouch policies/examples/* policies/examples/*/* "),
        "a duration of a checkout may be over"
    );
    let directory = tempfile::tempdir().unwrap();
    let examples = directory.path().join("examples");
    copy(&top().join("policies/examples"), &examples);
    let server = Server::of_folder(&examples).await;
    let active = server.json("/v1/policies/status").await["summary"]["active"].to_string();
    assert!(readme.contains(&format!("\"active\":{active},")), "{active} are active");
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir(to).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap().path();
            copy(&file, &to.join(file.file_name().unwrap()));
        }
    } else {
        fs::write(to, fs::read(from).unwrap()).unwrap();
    }
}

/// Paths as contributors read them: of the repository, or below `src` of the crate that is meant.
#[test]
fn by_every_path_that_contributors_are_told_of() {
    let document = fs::read_to_string(top().join(".github/CONTRIBUTING.md")).unwrap();
    let spans = document.split('`').skip(1).step_by(2);
    let is_path = |span: &&str| {
        span.contains('/') && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
    };
    let paths: Vec<_> = spans.filter(is_path).collect();
    assert!(paths.len() > 30, "{paths:?}");
    for path in paths {
        let bases = ["", "policies/src", "reconciler/src"];
        // What is made by scripts is not in the repository.
        let is_made = path.starts_with(".cache/") || path.starts_with("dist/");
        assert!(is_made || bases.iter().any(|base| top().join(base).join(path).exists()), "{path}");
    }
}

#[test]
fn by_a_map_with_every_room_of_the_reconciler() {
    let map = fs::read_to_string(top().join("reconciler/README.md")).unwrap();
    let rooms = include_str!("../../src/lib.rs").lines();
    let rooms =
        rooms.filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    for room in rooms {
        let rows = map.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
        let is_there = rows.flat_map(|cell| cell.split(", ")).any(|name| name == format!("`{room}`"));
        assert!(is_there, "{room} is not on the map");
    }
}
