//! `k8s/WHO-MAY-DO-WHAT.md` and the reference: every line of a token file in them is one, and their tables have every right
//! that a line can have, and no other.

use std::{collections::BTreeSet, fs, path::Path};

use reconciler::access::token_file::TokenFile;

const DOCUMENTS: [(&str, &str); 2] = [
    ("k8s/WHO-MAY-DO-WHAT.md", "### What a line may say"),
    ("reconciler/REFERENCE.md", "### Who may do what"),
];

fn text(document: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document)).unwrap()
}

/// Reads a file of tokens. The error is that of the first bad line.
fn read(tokens: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    fs::write(&path, tokens).unwrap();
    TokenFile::open(path, "--write-token-file").map(drop).map_err(|error| error.to_string())
}

/// The words of rights, up to `=`.
fn known() -> BTreeSet<String> {
    let error = read("me 0123456789abcdef nonsense\n").unwrap_err();
    let (_, known) = error.split_once("known: ").expect("the error names all rights");
    known.split(", ").map(|right| right.trim().to_owned()).collect()
}

#[test]
fn every_line_in_it_is_a_line_of_a_token_file() {
    let mut lines = 0;
    for (document, _) in DOCUMENTS {
        let text = text(document);
        let blocks = text.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
        for block in blocks.filter(|block| block.starts_with("alice ")) {
            assert_eq!(read(block), Ok(()), "{document}: {block}");
            lines += block.lines().count();
        }
    }
    assert!(lines >= 5, "only {lines} lines");
}

#[test]
fn every_right_is_in_its_tables_and_no_other() {
    for (document, heading) in DOCUMENTS {
        let text = text(document);
        let (_, section) = text.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap().split("\n#### ").next().unwrap();
        let names = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let rights: BTreeSet<_> = names
            .map(|name| name.split_once('=').map_or(name.to_owned(), |(key, _)| format!("{key}=")))
            .collect();
        assert_eq!(rights, known(), "{document}");
    }
}
