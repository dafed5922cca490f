//! Documents render to what stands beside them.
//!
//! `golden/SECTION/CASE.in.yaml` is a file as a team writes it. `CASE.out.yaml` is what it renders to, and
//! `CASE.findings.txt` has its errors and warnings; a case has one of them, or both. After a change that is meant,
//! write them again with `HFI_WRITE_GOLDEN=1 cargo test -p istio-config --test golden`, and read the difference. It
//! writes the pages of `docs/` too (`reference`).
#![cfg(test)]

mod reference;

use std::{
    fs,
    path::{Path, PathBuf},
};

use istio_config::{Catalog, Document, File, Finding, InForce, LocatedFinding, Setting};

#[test]
fn documents_render_to_what_stands_beside_them() {
    let is_written = std::env::var_os("HFI_WRITE_GOLDEN").is_some();
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let (out, findings) = rendered(&fs::read(case).unwrap());
        if out.is_empty() && findings.is_empty() {
            wrong.push(format!("{}: renders nothing, and nothing is said about it", case.display()));
        }
        for (ending, now) in [("out.yaml", out), ("findings.txt", findings)] {
            let file = PathBuf::from(case.to_str().unwrap().replace("in.yaml", ending));
            let wanted = fs::read_to_string(&file).unwrap_or_default();
            if wanted == now {
                continue;
            }
            if !is_written {
                wrong.push(format!("{}: wanted:\n{wanted}\nis:\n{now}", file.display()));
            } else if now.is_empty() {
                fs::remove_file(&file).unwrap();
            } else {
                fs::write(&file, now).unwrap();
            }
        }
    }
    assert!(!cases.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let sections = fs::read_dir(golden).unwrap().map(|section| section.unwrap().path());
    let files = sections.flat_map(|section| fs::read_dir(section).unwrap());
    let files = files.map(|file| file.unwrap().path());
    let mut cases: Vec<_> = files.filter(|file| file.to_str().unwrap().ends_with(".in.yaml")).collect();
    cases.sort();
    cases
}

/// What a repository of one file renders to, and what is wrong with it.
fn rendered(bytes: &[u8]) -> (String, String) {
    let file = File::read(bytes);
    let catalog = Catalog::new(
        &[("case.yaml".into(), &file)],
        &InForce::default(),
        &Setting::default(),
        |_, setting| setting,
    );
    let mut applications = catalog.applications().iter();
    let mut out = Vec::new();
    for document in file.documents() {
        match document {
            Document::Application(_) => {
                let resources = &applications.next().unwrap().resources;
                out.extend(resources.iter().map(|rendered| rendered.resource.to_yaml()));
            }
            Document::Removal { name, namespace, .. } => {
                out.push(format!("# {namespace}/{name} is removed.\n"));
            }
        }
    }
    let out = if catalog.is_valid() { out.join("---\n") } else { String::new() };
    let line = |located: &LocatedFinding| {
        let Finding { at, level, .. } = &located.finding;
        format!("{}:{}: {level:?}: {}\n", at.line, at.column, located.finding)
    };
    (out, catalog.findings().iter().map(line).collect())
}
