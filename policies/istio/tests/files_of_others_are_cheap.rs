//! A repository holds much that is not for hfi. Its documents are passed over at a glance.
#![cfg(test)]

use std::time::{Duration, Instant};

use istio_config::File;

#[test]
fn a_large_file_of_other_kinds_is_passed_over_at_a_glance() {
    let one = |number: usize| {
        format!("---\nkind: FaultPolicy\nmetadata: {{name: p-{number}}}\nspec:\n  rules: []\n")
    };
    let many: String = (0..)
        .map(one)
        .scan(0, |size, text| {
            *size += text.len();
            (*size < 1024 * 1024).then_some(text)
        })
        .collect();
    let large =
        format!("apiVersion: v1\nkind: ConfigMap\ndata:\n{}", "  key: value {{ template }}\n".repeat(36_000));
    for (text, documents) in [(many.clone(), many.matches("---").count()), (large, 1)] {
        assert!(text.len() > 1_000_000 && text.len() <= 1024 * 1024, "{}", text.len());
        let began = Instant::now();
        let file = File::read(text.as_bytes());
        // A tenth of it on an idle machine, also in a build for tests. To parse the text takes seconds then.
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        assert_eq!((file.ignored(), file.is_unreadable(), file.findings().len()), (documents, false, 0));
    }
}
