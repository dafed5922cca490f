//! Fields take the words and the numbers that the reader takes.

use serde_json::{Value, json};

use crate::{Place, Step, document, each_place, path, reader};

/// What the reader says of a value at a place; of what is around it, it says much.
fn complaint(way: &[Step], value: &Value) -> Option<String> {
    let found = reader::findings(&document(way, value.clone()));
    let found = found.into_iter().find(|finding| finding.field == path(way) && reader::is_error(finding));
    found.map(|finding| finding.reason)
}

fn listed<'p>(place: &'p Place, keyword: &str) -> impl Iterator<Item = &'p Value> {
    place.plain.iter().filter_map(move |part| part.get(keyword))
}

#[test]
fn words_are_those_of_the_reader() {
    let mut fields = 0;
    each_place(&mut |way, place| {
        let words: Vec<_> = listed(place, "enum").flat_map(|words| words.as_array().unwrap()).collect();
        let Some(first) = words.iter().find(|word| word.is_string()) else { return };
        fields += 1;
        for word in &words {
            assert_eq!(complaint(way, word), None, "{} {word}", path(way));
        }
        // The reader lists what it takes.
        let Some(message) = complaint(way, &json!("zzzz")) else {
            // A name beside the words, of which there are no others.
            assert!([".", "*"].contains(&first.as_str().unwrap()), "{}: any word is taken", path(way));
            return;
        };
        let said = message.split(|c: char| c.is_whitespace() || "`,".contains(c));
        for word in said.filter(|word| !word.is_empty()).map(|word| json!(word)) {
            let is_taken = complaint(way, &word).is_none();
            assert!(!is_taken || words.contains(&&word), "{}: {word} is missing", path(way));
        }
    });
    assert!(fields > 15, "{fields} fields have words");
}

#[test]
fn numbers_have_the_limits_of_the_reader() {
    let mut fields = 0;
    each_place(&mut |way, place| {
        for part in place.plain.iter().filter(|part| part.get("minimum").is_some()) {
            fields += 1;
            let [least, most] = ["minimum", "maximum"].map(|keyword| part[keyword].as_i64().unwrap());
            for (number, is_taken) in [(least, true), (most, true), (least - 1, false), (most + 1, false)] {
                let complaint = complaint(way, &json!(number));
                assert_eq!(complaint.is_none(), is_taken, "{} {number}: {complaint:?}", path(way));
            }
        }
    });
    assert!(fields > 20, "{fields} fields have numbers");
}
