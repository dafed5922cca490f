//! Documents that are made of resources render these resources again.
//!
//! `importing/CASE.in.yaml` is a file of resources as people write them. `CASE.out.yaml` has the documents that are
//! made of it, and `CASE.notes.txt` what they do not keep. `HFI_WRITE_GOLDEN=1` writes them again.
#![cfg(test)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use istio_config::{
    Document, File, Kind, Setting,
    importing::{Import, Origin, import, read},
    render,
    written::Dataplane,
};
use serde_json::{Value, json};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// The files of a directory and of those in it that end so, in order.
fn files(directory: &str, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![Path::new(TESTS).join(directory)];
    while let Some(directory) = directories.pop() {
        for file in fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()) {
            if file.is_dir() {
                directories.push(file);
            } else if file.to_str().unwrap().ends_with(ending) {
                files.push(file);
            }
        }
    }
    files.sort();
    files
}

/// The objects that documents render to, by kind and name: `spec` of each.
fn rendered(import: &Import, dataplane: Dataplane) -> BTreeMap<(Kind, String, String), Value> {
    let mut objects = BTreeMap::new();
    for imported in &import.applications {
        let file = File::read(imported.text.as_bytes());
        let [Document::Application(application)] = file.documents() else {
            panic!("{:?}\n{}", file.findings(), imported.text);
        };
        let setting = Setting { dataplane, ..Setting::default() };
        for rendered in render(application, &setting).0 {
            let resource = rendered.resource;
            objects.insert((resource.kind, resource.namespace, resource.name), resource.spec);
        }
    }
    objects
}

/// The `spec` of each object that is read.
fn wanted(objects: &[Value]) -> BTreeMap<(Kind, String, String), Value> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let object = |object: &Value| {
        let metadata = &object["metadata"];
        let kind = Kind::of(object["kind"].as_str().unwrap()).unwrap();
        ((kind, text(&metadata["namespace"]), text(&metadata["name"])), object["spec"].clone())
    };
    objects.iter().map(object).collect()
}

/// True for what is imported: routes of the Gateway API are not.
fn is_of_istio(object: &Value) -> bool {
    Kind::of(object["kind"].as_str().unwrap()).is_some()
}

/// Asserts that every object is rendered as it was read, whatever the data plane, unless a note says that it is left
/// out; tells how many have
/// attributes alone, and how many are left out, for sidecars.
fn assert_kept(objects: &[Value], what: &str) -> (usize, usize) {
    let (mut fitted, mut left_out) = (0, 0);
    for dataplane in [None, Some(Dataplane::Sidecar), Some(Dataplane::Ambient)] {
        let import = import(objects, &Origin { dataplane, ..Origin::default() });
        let planes = dataplane.map_or(vec![Dataplane::Sidecar, Dataplane::Ambient], |plane| vec![plane]);
        let mut wanted = wanted(objects);
        for note in import.notes.iter().filter(|note| note.text.starts_with("is left out")) {
            let is_it = |(kind, namespace, name): &(Kind, String, String)| {
                note.about == format!("{} {namespace}/{name}", kind.name())
            };
            wanted.retain(|object, _| !is_it(object));
        }
        for plane in planes {
            assert_eq!(rendered(&import, plane), wanted, "{what}: {:?}", import.notes);
        }
        let differs = import.notes.iter().find(|note| note.text.starts_with("differs"));
        assert!(differs.is_none(), "{what}: {differs:?}");
        if dataplane == Some(Dataplane::Sidecar) {
            let lines = import.applications.iter().flat_map(|imported| imported.text.lines());
            let objects = objects.len();
            let passed_through = lines.filter(|line| ["    spec:", "      spec:"].contains(line)).count();
            fitted += objects.saturating_sub(passed_through);
            left_out += objects - wanted.len();
        }
    }
    (fitted, left_out)
}

#[test]
fn what_hfi_renders_comes_back() {
    let (mut objects, mut fitted) = (0, 0);
    for file in files("golden", ".out.yaml") {
        let mut read = read(&fs::read(&file).unwrap()).unwrap();
        read.retain(is_of_istio);
        objects += read.len();
        let (attributes, left_out) = assert_kept(&read, &file.display().to_string());
        assert_eq!(left_out, 0, "{}", file.display());
        fitted += attributes;
    }
    assert!(objects > 80 && fitted * 2 > objects, "{fitted} of {objects} have attributes alone");
}

#[test]
fn what_nearly_breaks_a_rule_comes_back() {
    let (mut objects, mut left_out) = (0, 0);
    for file in files("rules", ".yaml") {
        let cases: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let near = cases["near"].as_array().unwrap().iter();
        // Objects of Kubernetes are not for import.
        let is_of_kubernetes = |case: &Value| !case["object"].is_null() || !case["objects"].is_null();
        for case in near.filter(|case| !is_of_kubernetes(case)) {
            let resources = case["resources"].as_array().cloned().unwrap_or_else(|| vec![case.clone()]);
            let object = |(number, case): (usize, &Value)| {
                let kind = Kind::of(case["kind"].as_str().unwrap()).unwrap();
                let metadata = json!({
                    "name": case["name"].as_str().map_or(format!("reviews-{number}"), str::to_owned),
                    "namespace": case["namespace"].as_str().unwrap_or("shop"),
                    "labels": case["labels"],
                    "annotations": case["annotations"],
                });
                json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata, "spec": case["spec"]})
            };
            let of_istio = resources.iter().filter(|case| is_of_istio(case));
            let read: Vec<_> = of_istio.enumerate().map(object).collect();
            objects += read.len();
            left_out += assert_kept(&read, &file.display().to_string()).1;
        }
    }
    assert!(objects > 200, "only {objects} objects");
    assert!(left_out < 10, "{left_out} objects are left out");
}

#[test]
fn resources_become_documents_and_notes() {
    let is_written = std::env::var_os("HFI_WRITE_GOLDEN").is_some();
    let cases = files("importing", ".in.yaml");
    assert!(cases.len() > 2);
    for case in cases {
        let objects = read(&fs::read(&case).unwrap()).unwrap();
        let dataplane = case.to_str().unwrap().contains("sidecar").then_some(Dataplane::Sidecar);
        let import = import(&objects, &Origin { dataplane, ..Origin::default() });
        let documents: Vec<_> = import.applications.iter().map(|imported| imported.text.as_str()).collect();
        let notes: String = import.notes.iter().map(|note| format!("{note}\n")).collect();
        let others = import.others.iter().map(|(kind, count)| format!("{count} {kind}\n"));
        let notes = notes + &others.collect::<String>();
        for (ending, now) in [("out.yaml", documents.join("---\n")), ("notes.txt", notes)] {
            let file = PathBuf::from(case.to_str().unwrap().replace("in.yaml", ending));
            if is_written {
                fs::write(&file, &now).unwrap();
            }
            assert_eq!(fs::read_to_string(&file).unwrap_or_default(), now, "{}", file.display());
        }
    }
}
