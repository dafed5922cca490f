//! What real Istio says of resources.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result};
use harness::{KubeApi, paths};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::resources::resource;

/// The verdict on a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    #[default]
    Silent,
    Warned,
    Refused,
}

/// A case of a rule.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) is_near: bool,
    pub(super) number: usize,
    pub(super) value: Value,
}

/// An API server with Istio's CRDs, and istioctl.
pub(super) struct Oracle {
    api: KubeApi,
    istioctl: PathBuf,
    folder: TempDir,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.id, if self.is_near { "near" } else { "bad" }, self.number)
    }
}

impl Case {
    /// Its resources as objects.
    fn objects(&self) -> Vec<Value> {
        // These are of a cluster, and only analysed.
        if self.value.get("objects").is_some() {
            return Vec::new();
        }
        let several = self.value.get("resources").and_then(Value::as_array);
        let cases = several.map_or_else(|| vec![&self.value], |several| several.iter().collect());
        cases.into_iter().map(|case| resource(case).object()).collect()
    }

    /// A rule of Istio's analysis, by its code without `IST0`.
    fn is_of_analysis(&self) -> bool {
        self.id.starts_with('X')
    }

    /// The objects of Kubernetes around them.
    fn around(&self) -> Vec<Value> {
        let list = |name: &str| {
            self.value
                .pointer(&format!("/around/{name}"))
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let text = |value: &Value, key: &str, default: &str| {
            value.get(key).and_then(Value::as_str).unwrap_or(default).to_owned()
        };
        let of_file = self.value.get("objects").and_then(Value::as_array);
        let mut objects = of_file.cloned().unwrap_or_default();
        for service in list("services") {
            let ports = service.get("ports").and_then(Value::as_array).into_iter().flatten();
            let ports: Vec<_> =
                ports.map(|port| json!({"name": format!("http-{port}"), "port": port})).collect();
            objects.push(json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": text(&service, "name", ""), "namespace": text(&service, "namespace", "shop")},
                "spec": {"selector": service.get("selector").cloned().unwrap_or(json!({})), "ports": ports},
            }));
        }
        for namespace in list("namespaces") {
            let name = namespace.as_str().map_or_else(|| text(&namespace, "name", ""), str::to_owned);
            let labels = namespace.get("labels").cloned().unwrap_or(json!({}));
            objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
        }
        for (number, pod) in list("pods").iter().enumerate() {
            let (namespace, labels) =
                (text(pod, "namespace", "shop"), pod.get("labels").cloned().unwrap_or(json!({})));
            objects.push(json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("pod-{number}"), "namespace": namespace, "labels": labels},
                "spec": {"containers": [{"name": "istio-proxy", "image": "proxyv2"}]},
            }));
        }
        objects
    }
}

impl Oracle {
    pub(super) async fn start() -> Result<Self> {
        let api = KubeApi::empty().await?;
        for file in ["crds.yaml", "gateway-api.yaml"] {
            let crds = std::fs::read_to_string(paths::world_program("istio", file)?)?;
            api.apply(&documents(&crds)?).await?;
        }
        Ok(Self { api, istioctl: paths::world_program("istio", "istioctl")?, folder: tempfile::tempdir()? })
    }

    /// The verdict on each case, in their order.
    pub(super) async fn judge(&self, cases: &[Case]) -> Result<Vec<Verdict>> {
        let validated = self.validate(cases).await?;
        self.create_namespaces(&cases.iter().flat_map(Case::objects).collect::<Vec<_>>()).await;
        let mut verdicts = Vec::new();
        for case in cases {
            let name = case.to_string().to_lowercase();
            let mut verdict = validated.get(&name).copied().unwrap_or_default();
            for object in case.objects() {
                if self.api.would_create(&object).await?.is_err() {
                    verdict = Verdict::Refused;
                }
            }
            if case.is_of_analysis() {
                verdict = verdict.max(self.analyze(case).await?);
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// The reasons why objects are refused, each with the object.
    pub(super) async fn refusals(&self, objects: &[Value]) -> Result<Vec<String>> {
        self.create_namespaces(objects).await;
        let mut refusals = Vec::new();
        for object in objects {
            refusals.extend(
                self.api.would_create(object).await?.err().map(|reason| format!("{object}: {reason}")),
            );
        }
        let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
        let output = self.istioctl(&["validate", "-f"], &self.write("objects.yaml", &text)?).await?;
        if !output.status.success() {
            refusals.push(String::from_utf8(output.stderr)?);
        }
        Ok(refusals)
    }

    /// That of a case may be no name at all.
    async fn create_namespaces(&self, objects: &[Value]) {
        let namespaces: BTreeSet<_> = objects.iter().filter_map(namespace).collect();
        for namespace in namespaces {
            let _ = self.api.create_namespace(&namespace).await;
        }
    }

    async fn istioctl(&self, arguments: &[&str], file: &Path) -> Result<Output> {
        Ok(Command::new(&self.istioctl).args(arguments).arg(file).output().await?)
    }

    /// What `istioctl validate` says of all cases, by their names.
    async fn validate(&self, cases: &[Case]) -> Result<BTreeMap<String, Verdict>> {
        let mut text = String::new();
        for case in cases {
            for mut object in case.objects() {
                // A rule may be about the name itself: then no verdict is found, and the API server has one.
                if let Some(name) = object.pointer_mut("/metadata/name") {
                    *name = case.to_string().to_lowercase().into();
                }
                text += &format!("---\n{object}\n");
            }
        }
        let path = self.write("all.yaml", &text)?;
        let output = self.istioctl(&["validate", "-f"], &path).await?;
        let said = String::from_utf8(output.stderr)?;
        // Warnings come first: `"FILE" has warnings:`, then `Error: 3 errors occurred:`.
        let (warnings, errors) = said.split_once("Error:").context("istioctl finds no error at all")?;
        let mut verdicts = BTreeMap::new();
        for (part, verdict) in [(warnings, Verdict::Warned), (errors, Verdict::Refused)] {
            let lines = part.lines().filter_map(|line| line.trim_start().strip_prefix("* "));
            // `KIND/NAMESPACE/NAME: REASON`.
            let names = lines.filter_map(|line| line.split(':').next()?.split('/').nth(2));
            verdicts.extend(names.map(|name| (name.to_owned(), verdict)));
        }
        Ok(verdicts)
    }

    /// What `istioctl analyze` says of a case by the code of its rule.
    async fn analyze(&self, case: &Case) -> Result<Verdict> {
        let objects = case.around().into_iter().chain(case.objects());
        let text: String = objects.map(|object| format!("---\n{object}\n")).collect();
        let path = self.write("case.yaml", &text)?;
        let output = self.istioctl(&["analyze", "--use-kube=false", "-A", "-o", "json"], &path).await?;
        let messages: Value =
            serde_json::from_slice(&output.stdout).with_context(|| format!("{case}: {output:?}"))?;
        let code = format!("IST0{}", case.id.trim_start_matches('X').trim_end_matches(char::is_alphabetic));
        let of_rule = messages.as_array().into_iter().flatten();
        let of_rule = of_rule.filter(|message| message.get("code").and_then(Value::as_str) == Some(&code));
        let verdicts = of_rule.map(|message| match message.get("level").and_then(Value::as_str) {
            Some("Error") => Verdict::Refused,
            Some("Warning") => Verdict::Warned,
            _ => Verdict::Silent,
        });
        Ok(verdicts.max().unwrap_or_default())
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path: &Path = self.folder.path();
        std::fs::write(path.join(name), text)?;
        Ok(path.join(name))
    }
}

/// The objects of a stream of YAML.
pub(super) fn documents(text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_yaml::from_multiple(text)?;
    Ok(documents.into_iter().filter(Value::is_object).collect())
}

fn namespace(object: &Value) -> Option<String> {
    Some(object.pointer("/metadata/namespace")?.as_str()?.to_owned())
}
