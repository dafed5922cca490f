//! A field keeps the spelling that it has in the file, in camel case or in snake case.

use policies::editing::find;

use super::{document, edited, name};

#[test]
fn a_field_keeps_the_spelling_of_the_file_and_its_comment() {
    let file = "metadata: {name: x}
spec:
  rules:
    - fault:
        percentage: 5
        delay_ms: 10   # the timeout of the shop
        durationSeconds: 60 # a minute
        abort: {httpStatus: 503, headers: {delayMs: a}}
";
    let sent = "metadata: {name: x}
spec: {rules: [{fault: {percentage: 5, delayMs: 20, duration_seconds: 60, abort: {httpStatus: 503, headers: {delay_ms: a}}}}]}
";
    let expected = file.replace("delay_ms: 10 ", "delay_ms: 20 ").replace("{delayMs: a}", "{delay_ms: a}");
    assert_eq!(edited(file, sent), expected);
}

#[test]
fn each_rule_keeps_its_spelling_and_its_comments() {
    let file = "metadata: {name: x}
spec:
  rules:
    - fault:
        percentage: 5
        delay_ms: 10   # the timeout of the shop
    - fault:
        percentage: 6
        delayMs: 30    # that of the cart
";
    for (one, two) in [("delay_ms", "delay_ms"), ("delayMs", "delayMs"), ("delayMs", "delay_ms")] {
        let sent = format!(
            "metadata: {{name: x}}\nspec: {{rules: [{{fault: {{percentage: 5, {one}: 20}}}}, \
             {{fault: {{percentage: 6, {two}: 40}}}}, {{fault: {{percentage: 7, delayMs: 50}}}}]}}\n"
        );
        let after = edited(file, &sent);
        let expected = file.replace("delay_ms: 10", "delay_ms: 20").replace("delayMs: 30", "delayMs: 40");
        assert!(after.starts_with(&expected), "{after}");
    }
}

#[test]
fn of_two_spellings_in_one_document_an_edit_leaves_no_field_twice() {
    let rules = |one: &str, two: &str| {
        format!(
            "metadata: {{name: x}}\nspec:\n  rules:\n  - fault: {{percentage: 1, {one}}}\n  - fault: {{percentage: 2, {two}}}\n"
        )
    };
    let file = rules("delay_ms: 1", "delayMs: 2");
    for sent in [rules("delayMs: 3", "delay_ms: 4"), rules("delay_ms: 3", "delay_ms: 2")] {
        let after = edited(&file, &sent);
        assert!(find(after.as_bytes(), &name("x")).unwrap().same_content(&document(&sent)), "{after}");
        assert_eq!(after.matches("elay").count(), 2, "{after}");
    }
}
