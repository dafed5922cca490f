//! The checks that must hold for any bytes: the bodies of the fuzz targets, and of the test that
//! replays their corpus. What they find they show by panicking.

use std::sync::Arc;

use crate::{
    Catalog, Dice, File, Program, Scope, Snapshot, Timestamp,
    editing::{self, Document, How, find, put, put_all, read_body, remove},
    evaluation::StaticRequest,
    language::Direction,
    reading::{Finding, Node, read_yaml},
    rendering::json,
    repository::Sources,
    wire::{FaultReport, Format, MAX_REPORT_BYTES},
};

/// Before and after the windows that the corpus writes.
const NOW: [Timestamp; 2] = [Timestamp::from_millis(0), Timestamp::from_millis(1_800_000_000_000)];

/// A file is read; and what its author was told is valid is never refused by a filter.
pub fn yaml(bytes: &[u8]) {
    if let Some(snapshot) = authored(bytes) {
        let served = snapshot.encode(Format::V2);
        let arrived = Snapshot::decode(&served);
        assert!(
            arrived.is_ok_and(|arrived| arrived.policies.len() == snapshot.policies.len()),
            "a valid file is refused"
        );
        self::snapshot(&served);
        self::snapshot(&snapshot.encode(Format::V1));
    }
}

/// The served policies of a file, whatever the time; `None` if something in it is wrong.
pub fn authored(bytes: &[u8]) -> Option<Snapshot> {
    let file = File::read(bytes);
    let catalog = catalog(&file);
    for now in NOW {
        catalog.snapshot(&everywhere()?, now);
        catalog.next_change(now);
    }
    catalog.problems().iter().for_each(|problem| drop(problem.to_string()));
    let entries = catalog.policies().iter().map(|placed| placed.entry.clone());
    let snapshot = Snapshot { policies: entries.collect() };
    snapshot.policies.iter().for_each(|entry| drop(json::policy(&entry.policy).to_string()));
    catalog.problems().is_empty().then_some(snapshot)
}

fn catalog(file: &File) -> Catalog {
    let path = Arc::from("team/file.yaml");
    let files = vec![(&path, file)];
    Catalog::new(&Sources { files, ..Sources::default() }, |_, _| NOW.first().copied().map(Into::into))
}

/// A snapshot that can be decoded is compiled, decides whatever the request, and stays the
/// same when it is encoded and decoded again.
pub fn snapshot(bytes: &[u8]) {
    let Ok(snapshot) = Snapshot::decode(bytes) else { return };
    runs(&snapshot);
    let again = Snapshot::decode(&snapshot.encode(Format::V2));
    assert!(again.is_ok_and(|again| again == snapshot), "what is encoded is decoded as something else");
}

/// A report of faults that can be read is written as one that reads the same.
pub fn faults(bytes: &[u8]) {
    let Some(report) = FaultReport::parse(&String::from_utf8_lossy(bytes)) else { return };
    let written = report.to_string();
    assert!(written.len() <= MAX_REPORT_BYTES, "it does not fit into its header");
    assert_eq!(FaultReport::parse(&written), Some(report), "what is written is read as something else");
}

/// Decides and explains.
fn runs(snapshot: &Snapshot) {
    let Some(workload) = everywhere() else { return };
    let programs = [Program::compile(snapshot, &workload), Program::compile_for_gateway(snapshot, &workload)];
    for direction in [Direction::Inbound, Direction::Outbound] {
        for now in NOW {
            let request = request(direction, now);
            for program in &programs {
                program.decide(&request, &mut Highest);
                program.explain(&request);
            }
        }
    }
}

/// A file is edited: what is before the first zero byte, by the documents after it and by some that differ from it
/// in one field.
pub fn edit(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (file, body) = (parts.next().unwrap_or_default(), parts.next());
    let sent = read_body(body.unwrap_or(file), editing::Format::Yaml).unwrap_or_default();
    let here = read_body(file, editing::Format::Yaml).unwrap_or_default();
    [How::InPlace, How::Rewrite].into_iter().for_each(|how| all_edited(file, &sent, how));
    let annotated = here.iter().map(|document| document.with_annotation("a", Some("b: c # d\n")));
    let bare = here.iter().map(|document| document.with_annotation("a", None));
    let suspended =
        here.iter().flat_map(|document| [true, false].map(|suspend| document.with_suspend(suspend)));
    for document in sent.into_iter().chain(annotated).chain(bare).chain(suspended) {
        [How::InPlace, How::Rewrite].into_iter().for_each(|how| edited(file, &document, how));
    }
}

/// Documents are put into a file at once, and each of them is there then.
fn all_edited(file: &[u8], documents: &[Document], how: How) {
    let mut names = std::collections::BTreeSet::new();
    let named = documents.iter().filter_map(|document| Some((document.name()?, document)));
    let named: Vec<_> = named.filter(|(name, _)| names.insert(*name)).collect();
    let Ok(edited) = put_all(file, &named, how) else { return };
    assert_eq!(read_yaml(file).len(), read_yaml(&edited.bytes).len(), "a document came or went");
    assert!(edited.changed.contains(&true) || edited.bytes == file, "unchanged, and other bytes");
    for (name, document) in named {
        let again = put(&edited.bytes, name, document, how);
        assert!(again.is_ok_and(|again| !again.changed), "what was put is not there");
    }
}

/// A document is put into a file, read back, and put again; and it is taken out.
fn edited(file: &[u8], document: &Document, how: How) {
    let Some(name) = document.name() else { return };
    let Ok(edited) = put(file, name, document, how) else { return };
    let written = find(&edited.bytes, name).map(|written| written.node().clone());
    assert!(written.is_some_and(|written| written.place.line == edited.line), "what was put is not there");
    assert!(edited.changed || edited.bytes == file, "unchanged, and other bytes");
    let again = put(&edited.bytes, name, document, How::InPlace);
    assert!(again.is_ok_and(|again| !again.changed), "what was put is not what is there");
    assert_eq!(others(file, document), others(&edited.bytes, document), "others are changed");
    if let Ok(Some(left)) = remove(&edited.bytes, name) {
        assert_eq!(others(file, document), others(&left, document), "others are changed");
        assert!(put(&left, name, document, how).is_err(), "it is still there");
    }
}

/// The documents but those of a name, without their places; of those that cannot be read, only that they are there.
fn others(file: &[u8], document: &Document) -> Vec<Result<String, ()>> {
    let name = document.name().map(|name| format!("{:?}", name.as_str()));
    let printed = |node: Node| {
        let text = format!("{:?}", node.value);
        // Moved lines are no change.
        text.split("place: Place")
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
            .collect::<String>()
    };
    let read = read_yaml(file).into_iter().map(|read| read.map(printed).map_err(|_: Finding| ()));
    read.filter(|read| !matches!((read, &name), (Ok(text), Some(name)) if text.contains(name))).collect()
}

/// Every workload, so that no policy is left out.
fn everywhere() -> Option<Scope> {
    Scope::new(["*"], ["*"]).ok()
}

/// A request that has everything, so that every kind of condition is tested.
fn request(direction: Direction, now: Timestamp) -> StaticRequest {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    StaticRequest {
        now: Some(now),
        direction: Some(direction),
        method: Some("GET".to_owned()),
        target: Some("/api/orders/17?debug=1&&d%65bug=%zz&=&a%".to_owned()),
        authority: Some("payments.demo.svc.cluster.local:8080".to_owned()),
        cluster: Some("outbound|443||api.partner.example".to_owned()),
        headers: [("content-type", "application/grpc"), ("x-user-id", "test-1"), ("a", "")]
            .map(header)
            .into(),
        spiffe_id: Some("spiffe://cluster.local/ns/demo/sa/web".to_owned()),
    }
}

/// Throws the highest number there is, where an overflow would show.
struct Highest;

impl Dice for Highest {
    fn below(&mut self, bound: u32) -> u32 {
        bound.saturating_sub(1)
    }
}
