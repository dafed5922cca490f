//! `hfi explain --app`: the line of each rendered field, or the reason why hfi renders it.

use serde_json::Value;

use super::applications_are_checked_with_policies::{REVIEWS, directory};
use crate::support::{command, hfi};

/// The origin of a field of the only resource: the lines of what it comes from, and whether it is an opinion.
fn origin(explained: &Value, field: &str) -> (Vec<u64>, bool) {
    let fields = explained["resources"][0]["fields"].as_array().unwrap();
    let found = fields
        .iter()
        .find(|origin| origin["field"] == field)
        .unwrap_or_else(|| panic!("{field}: {explained}"));
    let lines = found["written"].as_array().unwrap().iter().map(|at| at["line"].as_u64().unwrap());
    (lines.collect(), found["opinion"].is_string())
}

#[test]
fn a_field_comes_from_its_line_and_a_default_has_a_reason() {
    let directory = directory(&[("shop/reviews.yaml", REVIEWS)]);
    let (code, text) = hfi(directory.path(), &["explain", ".", "--app", "shop/reviews", "-o", "json"]);
    assert_eq!(code, 0, "{text}");
    let explained: Value = serde_json::from_str(&text).unwrap();
    let resource = &explained["resources"][0];
    assert_eq!(
        (&resource["kind"], &resource["name"]),
        (&"DestinationRule".into(), &"reviews-destination-rule".into())
    );
    assert_eq!(
        (&resource["entry"]["file"], &resource["entry"]["field"]),
        (&"./shop/reviews.yaml".into(), &"spec.destinationRule".into())
    );
    for (field, expected) in [
        ("metadata.name", (vec![3], false)),
        ("metadata.labels.app.kubernetes.io/managed-by", (vec![6], true)),
        ("spec.host", (vec![6], false)),
        ("spec.subsets[0].labels.version", (vec![7], false)),
        ("spec.trafficPolicy.outlierDetection.interval", (vec![9], false)),
        ("spec.trafficPolicy.outlierDetection.consecutive5xxErrors", (vec![9], true)),
    ] {
        assert_eq!(origin(&explained, field), expected, "{field}");
    }
}

#[tokio::test]
async fn people_get_a_table_for_each_resource() {
    let directory = directory(&[("reviews.yaml", REVIEWS)]);
    let path = directory.path().to_str().unwrap();
    let ended = command::hfi(&["explain", path, "--app", "reviews"], &[]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let mut lines = ended.stdout.lines();
    assert!(
        lines.next().unwrap().starts_with("DestinationRule shop/reviews-destination-rule, by "),
        "{}",
        ended.stdout
    );
    assert_eq!(lines.next().unwrap().split_whitespace().collect::<Vec<_>>(), ["FIELD", "VALUE", "FROM"]);
    let interval = ended.stdout.lines().find(|line| line.contains("baseEjectionTime")).unwrap();
    assert!(interval.contains("30s") && interval.contains("it is Istio's own default"), "{interval}");
}

#[tokio::test]
async fn what_is_nowhere_or_not_valid_is_no_success() {
    let directory = directory(&[("reviews.yaml", &REVIEWS.replace("host:", "hst:"))]);
    let path = directory.path().to_str().unwrap();
    let ended = command::hfi(&["explain", path, "--app", "shop/reviews"], &[]).await;
    assert!(ended.code == 1 && ended.stderr.contains("did you mean `host`?"), "{ended:?}");
    let ended = command::hfi(&["explain", path, "--app", "shop/reviws"], &[]).await;
    assert!(ended.code == 1 && ended.stderr.contains("did you mean `shop/reviews`?"), "{ended:?}");
    for wrong in [
        &["explain", path][..],
        &["explain", "--app", "reviews"],
        &["explain", path, "--app", "a", "--dir", path],
    ] {
        assert_eq!(command::hfi(wrong, &[]).await.code, 2, "{wrong:?}");
    }
}
