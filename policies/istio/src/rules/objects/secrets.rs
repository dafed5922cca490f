//! Secrets of TLS. Nothing of their content is kept or shown.

use super::{Object, Rule};
use crate::{field::Field, rules::subject::Out};

pub(super) const RULES: &[Rule] = &[Rule::new("X161", x161)];

fn x161(object: &Object, out: &mut Out) {
    let is_tls = object.whole.get("type").is_some_and(|kind| kind == "kubernetes.io/tls");
    if object.kind != "Secret" || !is_tls {
        return;
    }
    let maps =
        ["data", "stringData"].map(|name| Field::root(name, object.whole.get(name).unwrap_or(&super::NONE)));
    for key in ["tls.crt", "tls.key"] {
        if maps.iter().all(|map| map.word(key).trim().is_empty()) {
            let [data, _] = &maps;
            out.error(&data.get(key), "is missing, so that no gateway can use the Secret", "write both keys");
        }
    }
}
