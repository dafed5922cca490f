//! Real Istio judges every case of the rules (`policies/istio/tests/rules`): `istioctl validate`, `istioctl analyze`, and
//! an API server with Istio's CRDs. What it says otherwise than the rules is in `differences.yaml`, with the reason.

mod oracle;

// The cases are only read: what is wrong in them ends the test.
#[cfg(test)]
#[path = "../../../../../policies/istio/tests/resources/mod.rs"]
mod resources;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use harness::paths;
use istio_config::Level;
use oracle::{Case, Oracle, Verdict, documents};
use serde_json::Value;

/// The rules that Istio judges otherwise, and why.
const DIFFERENCES: &str = include_str!("istio_and_our_rules_agree/differences.yaml");

#[tokio::test]
async fn on_every_case_or_the_difference_is_listed() -> Result<()> {
    let cases = cases()?;
    let oracle = Oracle::start().await?;
    let mut differences = BTreeMap::new();
    for (case, verdict) in cases.iter().zip(oracle.judge(&cases).await?) {
        let found = resources::findings(&case.value);
        let of_rule = found.iter().filter(|found| case.is_near || found.rule == case.id);
        let own = of_rule.map(|found| Verdict::from(found.level)).max().unwrap_or_default();
        // A warning about a near case may be of another rule than Istio's.
        let agree = if case.is_near {
            (own == Verdict::Refused) == (verdict == Verdict::Refused)
        } else {
            own == verdict
        };
        if !agree {
            differences
                .entry(case.id.clone())
                .or_insert_with(Vec::new)
                .push(format!("{case}: Istio {verdict:?}, hfi {own:?}"));
        }
    }
    let listed: BTreeMap<String, String> = serde_yaml::from_str(DIFFERENCES)?;
    let new: Vec<_> = differences.iter().filter(|(id, _)| !listed.contains_key(*id)).collect();
    ensure!(new.is_empty(), "not listed: {new:#?}");
    let gone: Vec<_> = listed.keys().filter(|id| !differences.contains_key(*id)).collect();
    ensure!(gone.is_empty(), "listed, and Istio and the rules agree: {gone:?}");
    Ok(())
}

#[tokio::test]
async fn and_istio_takes_all_that_is_rendered() -> Result<()> {
    let mut objects = Vec::new();
    for kind in fs::read_dir(paths::workspace().join("policies/istio/tests/golden"))? {
        for file in fs::read_dir(kind?.path())? {
            let path = file?.path();
            if path.to_string_lossy().ends_with(".out.yaml") {
                objects.extend(documents(&fs::read_to_string(&path)?)?);
            }
        }
    }
    ensure!(objects.len() > 50, "{} objects", objects.len());
    let refusals = Oracle::start().await?.refusals(&objects).await?;
    ensure!(refusals.is_empty(), "{refusals:#?}");
    Ok(())
}

/// All cases, in the order of the rules.
fn cases() -> Result<Vec<Case>> {
    let mut files: Vec<_> =
        fs::read_dir(paths::workspace().join("policies/istio/tests/rules"))?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    let mut cases = Vec::new();
    for file in files {
        let (path, text) = (file.path(), fs::read_to_string(file.path())?);
        let all: Value = serde_yaml::from_str(&text)?;
        let id = path.file_stem().and_then(|id| id.to_str()).context("a file without a name")?;
        for (list, is_near) in [("bad", false), ("near", true)] {
            let values = all.get(list).and_then(Value::as_array).into_iter().flatten().enumerate();
            // Objects of Kubernetes are looked at by Istio's analysis in a cluster only.
            let values = values.filter(|(_, value)| value.get("object").is_none());
            cases.extend(values.map(|(number, value)| Case {
                id: id.to_owned(),
                is_near,
                number,
                value: value.clone(),
            }));
        }
    }
    Ok(cases)
}

impl From<Level> for Verdict {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Refused,
            Level::Warning => Self::Warned,
            Level::Notice => Self::Silent,
        }
    }
}
