//! The time of an edit grows with the document alone.

use policies::editing::find;

use super::{edited, name};

#[test]
fn a_large_document_is_edited_in_a_moment() {
    let labels: Vec<_> = (0..40_000).map(|i| format!("\"k{i}\":\"v\"")).collect();
    let list = ["\"a\""; 40_000].join(",");
    let begin = r#"{"metadata":{"name":"x","labels":{"#;
    let file = |labels: &str, list: &str| {
        format!(
            r#"{begin}{labels}}},"annotations":[{list}]}},"spec":{{"rules":[{{"fault":{{"percentage":5,"delay_ms":1}}}}]}}}}"#
        )
    };
    let sent = file(&labels[1..].join(","), &format!("\"b\",{list},\"c\""));
    let started = std::time::Instant::now();
    let edited = edited(&file(&labels.join(","), &list), &sent);
    assert!(edited.len() == sent.len() && started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn many_values_are_replaced_in_a_moment() {
    let labels = |value: &str, separator: &str| {
        (0..60_000).map(|i| format!("\"{i:05}\": {value}")).collect::<Vec<_>>().join(separator)
    };
    let rules = "\"spec\": {\"rules\": [{\"fault\": {\"percentage\": 5, \"delay_ms\": 1}}]}";
    let json = |value: &str| {
        format!("{{\"metadata\": {{\"name\": \"x\", \"labels\": {{{}}}}}, {rules}}}", labels(value, ","))
    };
    let yaml = |value: &str| {
        format!(
            "metadata:\n  name: x\n  labels:\n    {}\n{}\n",
            labels(value, "\n    "),
            rules.replacen(r#""spec""#, "spec", 1)
        )
    };
    for (file, sent) in [(json("1"), json("2")), (yaml("1"), yaml("2"))] {
        let started = std::time::Instant::now();
        find(file.as_bytes(), &name("x")).unwrap();
        let (read, started) = (started.elapsed(), std::time::Instant::now());
        assert!(edited(&file, &sent) == sent);
        // Some readings, however busy the machine is.
        assert!(started.elapsed() < 40 * read, "{:?}, read in {read:?}", started.elapsed());
    }
}
