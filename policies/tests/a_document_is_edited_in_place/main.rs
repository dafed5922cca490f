//! Only the values that differ change in a file: all that stands around them stays.
#![cfg(test)]
#![cfg(feature = "authoring")]

mod large_documents;
mod spellings;

use policies::{
    editing::{Document, Format, How, find, put, read_body},
    language::PolicyName,
};

fn name(name: &str) -> PolicyName {
    name.to_owned().try_into().unwrap()
}

/// The one document of a body.
fn document(body: &str) -> Document {
    let mut documents =
        read_body(body.as_bytes(), Format::Yaml).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{body}"));
    assert_eq!(documents.len(), 1, "{body}");
    documents.remove(0)
}

/// The file with `x` in the place of the policy `x`.
fn edited(file: &str, x: &str) -> String {
    let edited = put(file.as_bytes(), &name("x"), &document(x), How::InPlace)
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(edited.changed);
    String::from_utf8(edited.bytes).unwrap()
}

/// The file after an edit of the text that a policy is sent as: what stands there is replaced.
fn after(file: &str, replace: &[(&str, &str)]) -> String {
    let mut sent =
        String::from_utf8(policies::editing::new_file(&find(file.as_bytes(), &name("x")).unwrap()).unwrap())
            .unwrap();
    for (old, new) in replace {
        assert!(sent.contains(old), "{old:?} is not in\n{sent}");
        sent = sent.replace(old, new);
    }
    edited(file, &sent)
}

const FILE: &str = r#"# All faults of checkout.

# A drill of the shop.
apiVersion: hfi.dev/v1 # the one version
metadata:
    name:   x
    labels: { owner: "sre", 'tier': gold }   # who
spec:
    # Where.
    selector: {service: checkout, namespace: shop}
    priority: 7    # above all others

    rules:
    # First the writes.
    -   match:
            method: {exact: POST}
            # Only tests.
            headers:
            - name: x-test
              exact: 'yes'
        fault:
            percentage: 12.50 # {"$imagepolicy": "apps:shop"}
            abort:
                httpStatus: 503
                body: |   # shown to people
                    Sorry.

                    Try again.
    # Then all others.
    - fault: {percentage: 5, delay_ms: 100}
"#;

#[test]
fn a_scalar_is_replaced_where_it_stands() {
    let expected = FILE.replace("12.50 #", "20 #").replace("priority: 7 ", "priority: 8 ");
    assert_eq!(
        after(FILE, &[("percentage: 12.5", "percentage: 20"), ("priority: 7", "priority: 8")]),
        expected
    );
}

#[test]
fn a_text_keeps_its_quotes() {
    assert_eq!(after(FILE, &[("owner: sre", "owner: dev")]), FILE.replace("\"sre\"", "\"dev\""));
    assert_eq!(after(FILE, &[("\"yes\"", "it's")]), FILE.replace("'yes'", "'it''s'"));
    assert_eq!(after(FILE, &[("tier: gold", "tier: \"true\"")]), FILE.replace("gold", "\"true\""));
    assert_eq!(after(FILE, &[("exact: POST", "exact: \"a\\tb\"")]), FILE.replace("POST", "\"a\\tb\""));
}

#[test]
fn a_text_of_several_lines_stays_one() {
    let expected = FILE.replace(
        "|   # shown to people\n                    Sorry.\n\n                    Try again.",
        "|-   # shown to people\n                    Gone.\n                    For good.",
    );
    assert_eq!(
        after(
            FILE,
            &[("Sorry.\n\n            Try again.", "Gone.\n            For good."), ("body: |", "body: |-")]
        ),
        expected
    );
    let expected = FILE.replace(
        "|   # shown to people\n                    Sorry.\n\n                    Try again.",
        "Gone",
    );
    assert_eq!(after(FILE, &[("|\n            Sorry.\n\n            Try again.", "Gone")]), expected);
}

#[test]
fn what_is_there_already_is_unchanged() {
    let x = find(FILE.as_bytes(), &name("x")).unwrap();
    for how in [How::InPlace, How::Rewrite] {
        let edited = put(FILE.as_bytes(), &name("x"), &x, how).unwrap();
        assert_eq!((edited.bytes, edited.line, edited.changed), (FILE.as_bytes().to_vec(), 4, false));
    }
}

#[test]
fn a_new_key_looks_like_its_siblings() {
    assert_eq!(
        after(FILE, &[("  priority: 7", "  suspend: true\n  priority: 7")]),
        FILE.replace("shop}\n    priority", "shop}\n    suspend: true\n    priority"),
    );
    assert_eq!(
        after(FILE, &[("    owner: sre\n", "    owner: sre\n    team: a\n")]),
        FILE.replace("owner: \"sre\",", "owner: \"sre\", team: \"a\","),
    );
    assert_eq!(
        after(FILE, &[("percentage: 5\n", "percentage: 5\n        abort:\n          httpStatus: 500\n")]),
        FILE.replace("percentage: 5,", "percentage: 5, abort: {httpStatus: 500},"),
    );
    assert_eq!(
        after(FILE, &[("        headers:", "        path:\n          prefix: /a\n        headers:")]),
        FILE.replace(
            "            # Only tests.\n",
            "            path:\n                prefix: /a\n            # Only tests.\n",
        ),
    );
}

#[test]
fn a_key_goes_with_the_comments_that_are_surely_its_own() {
    assert_eq!(
        after(FILE, &[("        headers:\n          - name: x-test\n            exact: \"yes\"\n", "")]),
        FILE.replace(
            "            # Only tests.\n            headers:\n            - name: x-test\n              exact: 'yes'\n",
            "",
        ),
    );
    // Above the first key there may stand what is about all of them.
    assert_eq!(
        after(FILE, &[("  selector:\n    service: checkout\n    namespace: shop\n", "")]),
        FILE.replace("    selector: {service: checkout, namespace: shop}\n", ""),
    );
    assert_eq!(
        after(FILE, &[("  priority: 7\n", "")]),
        FILE.replace("    priority: 7    # above all others\n", "")
    );
    assert_eq!(after(FILE, &[("    owner: sre\n", "")]), FILE.replace("owner: \"sre\", ", ""));
    assert_eq!(after(FILE, &[("    tier: gold\n", "")]), FILE.replace(", 'tier': gold", ""));
}

#[test]
fn the_first_key_of_an_item_can_go() {
    let match_ = "match:\n            method: {exact: POST}\n            # Only tests.\n            headers:\n            - name: x-test\n              exact: 'yes'\n        ";
    let sent = "match:\n        method:\n          exact: POST\n        headers:\n          - name: x-test\n            exact: \"yes\"\n      ";
    assert_eq!(after(FILE, &[(sent, "")]), FILE.replace(match_, ""));
}

#[test]
fn rules_come_and_go() {
    let second = "    - fault:\n        percentage: 5\n        delay_ms: 100\n";
    assert_eq!(
        after(FILE, &[(second, "")]),
        FILE.replace("    # Then all others.\n    - fault: {percentage: 5, delay_ms: 100}\n", ""),
    );
    let third = "    - fault:\n          percentage: 1\n          delay_ms: 7\n";
    assert_eq!(
        after(
            FILE,
            &[(second, &format!("{second}    - fault:\n        percentage: 1\n        delay_ms: 7\n"))]
        ),
        format!("{FILE}{third}"),
    );
    assert_eq!(
        after(
            FILE,
            &[(second, &format!("    - fault:\n        percentage: 1\n        delay_ms: 7\n{second}"))]
        ),
        FILE.replace("    # Then all", &format!("{third}    # Then all")),
    );
    assert_eq!(
        after(
            FILE,
            &[("  rules:\n", "  rules:\n    - fault:\n        percentage: 1\n        delay_ms: 7\n")]
        ),
        FILE.replace("    -   match:", &format!("{third}    -   match:")),
    );
}

#[test]
fn line_ends_stay_those_of_the_file() {
    let file = FILE.replace('\n', "\r\n");
    let sent = &[("priority: 7", "suspend: true\n  priority: 9\n  mode: shadow")];
    let edited = after(&file, sent);
    assert_eq!(edited, after(FILE, sent).replace('\n', "\r\n"));
    assert!(!edited.replace("\r\n", "").contains(['\n', '\r']));
}

#[test]
fn a_file_without_a_last_line_break_stays_without_one() {
    let file = FILE.trim_end();
    for change in [
        ("delay_ms: 100\n", "delay_ms: 100\n    - fault:\n        percentage: 1\n        delay_ms: 7\n"),
        ("    - fault:\n        percentage: 5\n        delay_ms: 100\n", ""),
    ] {
        assert_eq!(after(file, &[change]), after(FILE, &[change]).trim_end());
    }
}

#[test]
fn other_documents_keep_their_bytes() {
    let before = "\u{feff}%YAML 1.2\n---   # first\n{metadata: {name: a}, spec:   {rules: [{fault: {percentage: 1, delay_ms: 1}}]}}\n...\n# between\n---\n";
    let after_ = "---\n\tnot yaml: [\n--- # last\nkind:  Kustomization\nresources: [&a b, *a]";
    let file = format!("{before}{FILE}{after_}");
    let change = &[("priority: 7", "priority: 8")];
    assert_eq!(after(&file, change), format!("{before}{}{after_}", after(FILE, change)));
}

#[test]
fn json_stays_json() {
    let file = r#"{"metadata": {"name": "x", "labels": {"a": "b"}},
 "spec": {"rules": [{"fault": {"percentage": 5, "delay_ms": 1}}]}}"#;
    let sent = r#"{metadata: {name: x, labels: {a: "é", "5": c}}, spec: {suspend: true, rules: [{fault: {percentage: 5, delay_ms: 1}}, {fault: {percentage: 6, abort: {httpStatus: 500}}}]}}"#;
    let expected = r#"{"metadata": {"name": "x", "labels": {"a": "é", "5": "c"}},
 "spec": {"rules": [{"fault": {"percentage": 5, "delay_ms": 1}}, {"fault": {"percentage": 6, "abort": {"httpStatus": 500}}}], "suspend": true}}"#;
    assert_eq!(edited(file, sent), expected);
    let pretty = "{\n\t\"metadata\": {\n\t\t\"name\": \"x\"\n\t},\n\t\"spec\": {\n\t\t\"rules\": [\n\t\t\t{\"fault\": {\"percentage\": 5, \"delay_ms\": 1}}\n\t\t]\n\t}\n}\n";
    let sent = r#"{metadata: {name: x}, spec: {rules: [{fault: {percentage: 5, delay_ms: 1}}], selector: {service: a}}}"#;
    let expected =
        pretty.replace("\t\t]\n\t}", "\t\t],\n\t\t\"selector\": {\n\t\t\t\"service\": \"a\"\n\t\t}\n\t}");
    assert_eq!(edited(pretty, sent), expected);
}

#[test]
fn anchors_elsewhere_stay() {
    let file = "metadata: {name: x, labels: &l {a: b}, annotations: *l}\nspec:\n  priority: 1\n  rules: [{fault: &f {percentage: 5, delay_ms: 1}}, {fault: *f}]\n";
    let sent = "metadata: {name: x, labels: {a: b}, annotations: {a: b}}\nspec: {priority: 2, rules: [{fault: {percentage: 5, delay_ms: 1}}, {fault: {percentage: 5, delay_ms: 1}}]}";
    assert_eq!(edited(file, sent), file.replace("priority: 1", "priority: 2"));
}

#[test]
fn what_the_body_leaves_out_and_means_all_the_same_stays() {
    let file = "apiVersion: hfi.dev/v1\nkind: FaultPolicy\nmetadata: {name: x}\nspec: {rules: [{fault: {percentage: 5, delay_ms: 1}}]}\n";
    let sent = "metadata: {name: x}\nspec: {rules: [{fault: {percentage: 6, delay_ms: 1}}]}";
    assert_eq!(edited(file, sent), file.replace('5', "6"));
}

#[test]
fn a_kind_that_is_wrong_goes() {
    let right = "metadata: {name: x}\nspec: {rules: [{fault: {percentage: 5, delay_ms: 1}}]}\n";
    for wrong in ["kind: FalutPolicy\n", "kind: {a: b}\n"] {
        assert_eq!(edited(&format!("{wrong}{right}"), &right.replace('5', "6")), right.replace('5', "6"));
    }
}

#[test]
fn comments_that_are_indented_further_belong_to_the_key_above() {
    let rules = "  rules: [{fault: {percentage: 5, delay_ms: 1}}]\n";
    let selector =
        "  priority: 1\n  selector:\n    service: a\n    # namespace: b\n\n    # direction: outbound\n";
    let file = format!("metadata: {{name: x}}\nspec:\n{selector}{rules}");
    let sent = format!(
        "metadata: {{name: x}}\nspec:\n  priority: 1\n  selector: {{service: a}}\n  suspend: true\n{rules}"
    );
    assert_eq!(edited(&file, &sent), file.replace(rules, &format!("  suspend: true\n{rules}")));
    let sent = format!("metadata: {{name: x}}\nspec:\n  priority: 1\n{rules}");
    assert_eq!(edited(&file, &sent), sent);
}

#[test]
fn what_goes_at_the_end_of_a_value_and_what_comes_behind_it_take_no_comments() {
    let file = "metadata: {name: x}\nspec:\n  rules:\n    - fault:\n        # agreed with payments, INC-12\n        percentage: 5\n        abort: {httpStatus: 500}\n        delay_ms: 100\n";
    let without = file.replace("        delay_ms: 100\n", "");
    assert_eq!(edited(file, &format!("{without}  priority: 7\n")), format!("{without}  priority: 7\n"));
    let rule = "    - fault:\n        percentage: 1\n        delay_ms: 7\n";
    assert_eq!(edited(file, &format!("{without}{rule}")), format!("{without}{rule}"));
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(edited(&crlf(file), &format!("{without}{rule}")), crlf(&format!("{without}{rule}")));
}

#[test]
fn the_first_keys_of_a_document_can_go() {
    let rest =
        "# Its faults.\nspec:\n  rules: [{fault: {percentage: 5, delay_ms: 1}}]\nmetadata: {name: x}\n";
    for line_break in ["\n", "\r\n"] {
        let lines = |text: &str| text.replace('\n', line_break);
        let file = lines(&format!("status:\n  a: b\nother: c\n{rest}"));
        assert_eq!(edited(&file, rest), lines(rest));
    }
}

#[test]
fn a_member_of_brackets_leaves_the_comments_of_the_next() {
    let file = "metadata: {name: x}\nspec:\n  rules: [{fault: {percentage: 5, delay_ms: 1}},\n    # keep: agreed\n    {fault: {percentage: 6, delay_ms: 1}}]\n";
    let sent = "metadata: {name: x}\nspec: {rules: [{fault: {percentage: 6, delay_ms: 1}}]}";
    assert_eq!(edited(file, sent), file.replace("{fault: {percentage: 5, delay_ms: 1}},", ""));
}
