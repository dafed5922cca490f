//! Kustomizations, which many directories of policies have: `apiVersion` and `kind` are optional in them.

use super::yaml::{MapEntry, Node, Value};

/// The fields of a kustomization beside `apiVersion`, `kind` and `metadata`
/// (`sigs.k8s.io/kustomize/api/types.Kustomization`).
const FIELDS: [&str; 31] = [
    "bases",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "components",
    "configMapGenerator",
    "configurations",
    "crds",
    "generatorOptions",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "imageTags",
    "images",
    "labels",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "openapi",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "replicas",
    "resources",
    "secretGenerator",
    "sortOptions",
    "transformers",
    "validators",
    "vars",
];

/// The kinds that kustomize reads.
const KINDS: [&str; 2] = ["Kustomization", "Component"];

/// True for a kustomization that leaves out `apiVersion`, or `kind` as well. Nothing in it can be a field of ours.
pub(super) fn is_kustomization(document: &Node) -> bool {
    let Value::Map(fields) = &document.value else { return false };
    let is_kind = |value: &Value| matches!(value, Value::String(kind) if KINDS.contains(&kind.as_str()));
    let is_known = |field: &MapEntry| match field.key.as_str() {
        "kind" => is_kind(&field.value.value),
        key => FIELDS.contains(&key),
    };
    !fields.is_empty() && fields.iter().all(is_known)
}
