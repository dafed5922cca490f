//! An application in ambient, with the labels of its Service and of its Namespace.

use std::collections::BTreeMap;

use istio_config::{
    Document, File, Finding, Rendered, Setting, render,
    surroundings::{Named, Namespace, Service, Surroundings, Waypoints},
    written::Dataplane,
};

/// The application `reviews` in `shop` with these sections, rendered, and what is wrong. The labels are without
/// `istio.io/`.
pub(crate) fn rendered(
    sections: &str,
    service: &[(&str, &str)],
    namespace: &[(&str, &str)],
) -> (Vec<Rendered>, Vec<Finding>) {
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
        pairs.iter().map(|(key, value)| (format!("istio.io/{key}"), (*value).to_owned())).collect()
    };
    let named = Named { namespace: "shop".to_owned(), name: "reviews".to_owned() };
    let service =
        Service { named, labels: labels(service), ports: vec![80.into()], selector: BTreeMap::new() };
    let namespace = Namespace { name: "shop".to_owned(), labels: labels(namespace) };
    let around =
        Surroundings { services: vec![service], namespaces: vec![namespace], ..Surroundings::default() };
    let waypoint = Waypoints::new(&around).of("shop", "reviews");
    let setting = Setting { waypoint, dataplane: Dataplane::Ambient, ..Setting::default() };
    let text = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: reviews, namespace: shop}}\nspec:\n  {sections}\n"
    );
    let file = File::read(text.as_bytes());
    let [Document::Application(application)] = file.documents() else {
        panic!("{sections}: {:?}", file.findings())
    };
    render(application, &setting)
}
