//! Resources as people write them cause no finding: `ordinary/*.yaml`, each a repository of its own.
#![cfg(test)]

mod resources;

use std::fs;

use istio_config::Level;

#[test]
fn ordinary_repositories_have_no_findings() {
    let mut wrong = Vec::new();
    let files: Vec<_> =
        fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ordinary")).unwrap().collect();
    assert!(files.len() >= 3, "only {} repositories were found", files.len());
    for file in files {
        let file = file.unwrap().path();
        let repository = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let found = resources::findings(&repository);
        let found = found.iter().filter(|found| found.level != Level::Notice);
        wrong.extend(found.map(|found| format!("{}: {found}", file.display())));
    }
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}
