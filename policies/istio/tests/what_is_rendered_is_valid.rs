//! The rules of Istio's resources find no error in what documents render to: `golden/*/*.in.yaml`.
#![cfg(test)]

use std::fs;

use istio_config::{Document, Level, Setting, read, render, rules};

#[test]
fn the_golden_documents_render_to_resources_without_an_error() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for section in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        for case in fs::read_dir(section.unwrap().path()).unwrap() {
            let case = case.unwrap().path();
            if !case.to_str().unwrap().ends_with(".in.yaml") {
                continue;
            }
            for document in read(&fs::read(&case).unwrap()).documents {
                let Document::Application(application) = document else { continue };
                for rendered in render(&application, &Setting::default()).0 {
                    checked += 1;
                    let found = rules::check(&rendered.resource);
                    let found = found.iter().filter(|found| found.level == Level::Error);
                    wrong.extend(found.map(|found| format!("{}: {found}", case.display())));
                }
            }
        }
    }
    assert!(checked > 10, "only {checked} resources were rendered");
    assert!(wrong.is_empty(), "{} errors:\n{}", wrong.len(), wrong.join("\n"));
}
