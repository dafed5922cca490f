//! Each place has the fields that the reader takes there.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{Place, Step, document, each_place, path, reader};

const UNKNOWN: &str = "zzzzzzzz";

/// The fields that the reader lists for an unknown one, beside another field or none; `None` if it takes any.
fn known_beside(way: &[Step], other: Option<&str>) -> Option<BTreeSet<String>> {
    let mut fields = Map::from_iter([(UNKNOWN.to_owned(), json!(1))]);
    fields.extend(other.map(|name| (name.to_owned(), Value::Null)));
    let place = [way, &[Step::Field(UNKNOWN.to_owned())]].concat();
    let found = reader::findings(&document(way, fields.into()));
    let found = found.iter().find(|finding| finding.field == path(&place))?;
    let (_, listed) = found.reason.split_once("known here: ")?;
    Some(listed.split(", ").map(camel_case).collect())
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| camel + &word[..1].to_uppercase() + &word[1..])
}

#[test]
fn each_place_has_the_fields_of_the_reader() {
    let mut places = 0;
    each_place(&mut |way, place: &Place| {
        let names = place.fields.iter().map(|(name, _)| name.as_str());
        let others = names.clone().map(Some).chain([None]);
        // With some fields the reader takes others than without.
        let known: Vec<_> = others.filter_map(|other| known_beside(way, other)).collect();
        assert_eq!(!known.is_empty(), place.is_closed, "{}", path(way));
        let known: BTreeSet<_> = known.into_iter().flatten().collect();
        assert_eq!(names.map(camel_case).collect::<BTreeSet<_>>(), known, "{}", path(way));
        places += usize::from(place.is_closed);
    });
    assert!(places > 60, "{places} places are closed");
}

#[test]
fn each_field_is_taken_by_the_reader_as_it_is_spelled() {
    each_place(&mut |way, place: &Place| {
        for (name, _) in &place.fields {
            let place = [way, &[Step::Field(name.clone())]].concat();
            let found = reader::findings(&document(&place, Value::Null));
            let unknown = found.iter().find(|finding| {
                finding.field == path(&place) && finding.reason.starts_with("is not a known field")
            });
            assert!(unknown.is_none(), "{unknown:?}");
        }
    });
}
