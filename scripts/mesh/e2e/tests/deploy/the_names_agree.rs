use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use filter::config::Config;
use harness::paths;
use serde_json::Value;

use crate::manifests::{Setting, build, build_with_all, environment, only, text};

const PLUGINS: [&str; 5] = [
    "k8s/plugin/sidecar",
    "k8s/plugin/waypoint",
    "k8s/plugin/gateway",
    "k8s/plugin/mesh",
    "k8s/overlays/oci",
];

/// By the filter's own reading of its configuration: the cluster that it calls is the one that Istio makes
/// of the Service, and the host that agents pull from is that Service.
#[test]
fn of_the_service_and_of_what_filters_call() -> Result<()> {
    let objects = build("k8s/overlays/default")?;
    let service = only(&objects, "Service")?;
    let port = service["spec"]["ports"][0]["port"].to_string();
    let host = format!(
        "{}.{}.svc.cluster.local",
        text(service, "/metadata/name")?,
        text(service, "/metadata/namespace")?
    );
    for target in PLUGINS {
        for plugin in build(target)? {
            let config = Config::parse(plugin["spec"]["pluginConfig"].to_string().as_bytes());
            let config = config.map_err(|error| anyhow::anyhow!("{target}: {error}"))?;
            assert_eq!(config.authority, format!("{host}:{port}"), "{target}");
            assert_eq!(config.cluster, format!("outbound|{port}||{host}"), "{target}");
            let url = text(&plugin, "/spec/url")?;
            assert!(
                url.starts_with("oci://") || url.starts_with(&format!("http://{host}:{port}/filter/")),
                "{target}: {url}"
            );
        }
    }
    Ok(())
}

/// Unknown variables are nothing to a program, so a name that is mistyped would go unnoticed.
#[test]
fn of_variables_and_options() -> Result<()> {
    let known = known_variables()?;
    let objects = build_with_all()?;
    let names: Vec<_> = environment(&objects)?.into_iter().map(|(name, _)| name).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        assert!(known.contains(&name), "{name} is not an option of `hfi serve`: {known:?}");
    }
    Ok(())
}

/// The paths that variables name lie in a mount.
#[test]
fn of_files_and_mounts() -> Result<()> {
    let objects = build_with_all()?;
    let container = &only(&objects, "Deployment")?["spec"]["template"]["spec"]["containers"][0];
    let mounts: Vec<&Value> = container["volumeMounts"].as_array().context("no mounts")?.iter().collect();
    let mut files = 0;
    for (name, value) in environment(&objects)? {
        let Setting::Is(path) = value else { continue };
        if !path.starts_with('/') {
            continue;
        }
        let mounted = mounts.iter().any(|mount| {
            let place = mount["mountPath"].as_str().unwrap_or_default();
            path == place || path.starts_with(&format!("{place}/"))
        });
        assert!(mounted, "{name}={path} is in no mount");
        files += 1;
    }
    assert!(files >= 7, "only {files} files");
    Ok(())
}

/// The port that is listened on unless told otherwise is the one that containers and Services name.
#[test]
fn of_ports() -> Result<()> {
    let help = help()?;
    let objects = build("k8s/overlays/default")?;
    let container = &only(&objects, "Deployment")?["spec"]["template"]["spec"]["containers"][0];
    let port = &container["ports"][0]["containerPort"];
    assert!(help.contains(&format!("[default: [::]:{port}]")), "{help}");
    assert_eq!(&only(&objects, "Service")?["spec"]["ports"][0]["port"], port);
    for policy in
        build("k8s/overlays/sidecar")?.iter().filter(|object| object["kind"] == "PeerAuthentication")
    {
        assert_eq!(policy["spec"]["portLevelMtls"][port.to_string()]["mode"], "PERMISSIVE");
    }
    Ok(())
}

/// Each path that a manifest names is one that the reconciler says it serves.
#[test]
fn of_paths() -> Result<()> {
    let document = reconciler::http::document();
    let described = document["paths"].as_object().context("no paths")?;
    let objects = build_with_all()?;
    let deployment = only(&objects, "Deployment")?.to_string();
    let container: Value = serde_json::from_str(&deployment)?;
    let container = &container["spec"]["template"]["spec"]["containers"][0];
    let mut paths = vec![text(only(&objects, "PodMonitor")?, "/spec/podMetricsEndpoints/0/path")?.to_owned()];
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        paths.push(text(container, &format!("/{probe}/httpGet/path"))?.to_owned());
    }
    for path in paths {
        assert!(described.contains_key(&path), "{path} is not served");
    }
    let sidecar = build("k8s/overlays/sidecar")?;
    let policy = only(&sidecar, "AuthorizationPolicy")?.to_string();
    for prefix in ["/v1/hooks/", "/v1/policies"] {
        assert!(policy.contains(&format!("\"{prefix}")), "{policy}");
        assert!(described.keys().any(|path| path.starts_with(prefix)), "{prefix} is not served");
    }
    Ok(())
}

/// The paths that the documents tell people to apply can be built, and the files that they name exist.
#[test]
fn of_documents_and_directories() -> Result<()> {
    let top = paths::workspace();
    let mut applied = 0;
    for document in ["README.md", "k8s/README.md"] {
        let document = std::fs::read_to_string(top.join(document))?;
        for (_, rest) in document.match_indices("k8s/").map(|(start, _)| document.split_at(start)) {
            let name: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "/._-".contains(*c)).collect();
            // The one file that is for the user to bring.
            let there = top.join(name.trim_end_matches('.')).exists() || name == "k8s/previous.wasm";
            assert!(there, "{name} is not there");
        }
        for rest in document.split(" -k ").skip(1) {
            let target = rest.split_whitespace().next().context("-k of what?")?;
            assert!(!build(target)?.is_empty(), "{target}");
            applied += 1;
        }
    }
    assert!(applied > 8, "only {applied} commands");
    Ok(())
}

fn known_variables() -> Result<BTreeSet<String>> {
    let help = help()?;
    let names = help.split("HFI_").skip(1).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
        format!("HFI_{name}")
    });
    Ok(names.collect())
}

fn help() -> Result<String> {
    let output = Command::new(paths::hfi()?).args(["serve", "--help"]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
