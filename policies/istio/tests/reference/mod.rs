//! The pages of `docs/`, a page for each kind: entries as teams write them, and beside them what they render to.

use std::{collections::BTreeSet, fs, path::Path};

use istio_config::{Application, Document, File, Kind, Setting, render, written::is_application};
use policies::{
    editing::new_document,
    reading::{MapEntry, Node, Place, Value, read_yaml},
};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The cases of a page, in order, and the heading of each.
const CASES: [(&str, &str); 7] = [
    ("contract", "In short"),
    ("attributes", "Every attribute"),
    ("port", "The port of the service"),
    ("consumer", "Calls of another service"),
    ("http_route", "Routes of the Gateway API"),
    ("grpc_route", "Routes of gRPC"),
    ("ambient", "In ambient"),
];

#[test]
fn the_pages_of_the_kinds_show_the_golden_files() {
    let mut wrong = Vec::new();
    for kind in Kind::ALL {
        let page = page(kind);
        let file = Path::new(CRATE).join("docs").join(format!("{}.md", kind.in_kebab_case()));
        if std::env::var_os("HFI_WRITE_GOLDEN").is_some() {
            fs::write(&file, &page).unwrap();
        }
        if fs::read_to_string(&file).unwrap_or_default() != page {
            wrong.push(file.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "not as the golden files have it, write them again: {}", wrong.join(", "));
}

fn page(kind: Kind) -> String {
    let section = kind.section();
    let mut page = format!(
        "# `{section}`\n\nWhat you write stands on the left. What hfi renders stands on the right, without \
         `apiVersion` and labels. The application is `reviews` in the namespace `shop` unless a name says another. \
         [`REFERENCE.md`](../REFERENCE.md#{}) has the meaning of each attribute.\n",
        section.to_lowercase()
    );
    for (case, heading) in CASES {
        let path = format!("{CRATE}/tests/golden/{}/{case}.in.yaml", kind.in_snake_case());
        let Ok(bytes) = fs::read(path) else { continue };
        let rows = rows(kind, &bytes);
        if !rows.is_empty() {
            page += &format!("\n## {heading}\n{rows}");
        }
    }
    page
}

/// The entries of a kind in a file, each with its resources.
fn rows(kind: Kind, bytes: &[u8]) -> String {
    let nodes = read_yaml(bytes).into_iter().map(Result::unwrap);
    let file = File::read(bytes);
    let documents: Vec<_> = nodes.filter(is_application).collect();
    assert_eq!(documents.len(), file.documents().len(), "{:?}", file.findings());
    let mut rows = String::new();
    for (node, document) in documents.iter().zip(file.documents()) {
        let Document::Application(application) = document else { continue };
        let spec = get(node, "spec").unwrap();
        let Some(section) = get(spec, kind.section()) else { continue };
        let entries = match &section.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![section],
        };
        for (number, entry) in entries.into_iter().enumerate() {
            let written = written(kind, spec, entry);
            let rendered = rendered(kind, application, number);
            if !rendered.is_empty() {
                if let Some(Value::String(name)) = get(entry, "name").map(|name| &name.value) {
                    rows += &format!("\n### {name}\n");
                }
                rows += &format!(
                    "\n<table><tr><th>you write</th><th>hfi renders</th></tr><tr><td>\n\n```yaml\n{written}```\n\n\
                     </td><td>\n\n```yaml\n{rendered}```\n\n</td></tr></table>\n"
                );
            }
        }
    }
    rows
}

/// An entry alone, below what its document says beside the sections.
fn written(kind: Kind, spec: &Node, entry: &Node) -> String {
    let sections: BTreeSet<_> = Kind::ALL.into_iter().map(Kind::section).collect();
    let Value::Map(fields) = &spec.value else { panic!("a document without fields") };
    let mut fields: Vec<_> =
        fields.iter().filter(|field| !sections.contains(field.key.as_str())).cloned().collect();
    fields.push(MapEntry { place: Place::default(), key: kind.section().to_owned(), value: entry.clone() });
    new_document(&Value::Map(fields))
}

/// The resources of an entry, without what is the same in all.
fn rendered(kind: Kind, application: &Application, number: usize) -> String {
    let entry = application.entries.iter().filter(|entry| entry.kind == kind).nth(number).unwrap();
    let (rendered, _) = render(application, &Setting::default());
    let of_entry = rendered.iter().filter(|rendered| rendered.field == entry.field);
    let resource = |rendered: &istio_config::Rendered| {
        let resource = &rendered.resource;
        let text = resource.to_yaml();
        let spec = text.split_once("\nspec:").map_or("", |(_, spec)| spec);
        let annotations =
            resource.annotations.iter().map(|(key, value)| format!("# annotation {key}: {value}\n"));
        let annotations: String = annotations.collect();
        format!("# {} {}\n{annotations}spec:{spec}", resource.kind.name(), resource.name)
    };
    of_entry.map(resource).collect::<Vec<_>>().join("---\n")
}

/// The field of a map.
fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}
