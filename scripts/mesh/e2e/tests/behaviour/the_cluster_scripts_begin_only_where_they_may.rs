//! The stories in `scripts/e2e` need a cluster, and this machine has none. Tested is how they begin, and that
//! they leave alone what is not theirs.

use std::collections::BTreeSet;
use std::fs::{Permissions, read_to_string, write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result};
use harness::Repository;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

const STORIES: [&str; 6] = [
    "deploy-control-plane",
    "deploy-plugin",
    "target-services",
    "identify-proxies",
    "distribute-faults",
    "observe",
];
/// The programs that a script runs before it has seen that it has to end.
const TOOLS: [&str; 7] = ["bash", "cat", "dirname", "git", "mktemp", "rm", "sed"];
/// A cluster as they want it, whose namespaces are all somebody else's. Remembers what it is told.
const NOT_OURS: &str = r#"#!/bin/sh
echo "$@" >> "$(dirname "$0")/told"
"#;
const NO_CLUSTER: &str = "#!/bin/sh\nexit 1\n";

#[tokio::test]
async fn wrong_use_is_refused_before_anything_is_asked_for() -> Result<()> {
    let machine = Machine::new(None)?;
    for story in STORIES {
        let refused = machine.play(story, &[], &[("HFI_E2E_REPO", "")]).await?;
        says(&refused, 2, "set HFI_E2E_REPO");
        let refused = machine.play(story, &["frontend"], &[]).await?;
        says(&refused, 2, "takes no arguments");
    }
    for (variable, value) in
        [("HFI_E2E_MODE", "both"), ("HFI_E2E_NAMESPACE", "Hfi"), ("HFI_E2E_PATH", "../policies")]
    {
        let refused = machine.play("identify-proxies", &[], &[(variable, value)]).await?;
        says(&refused, 2, variable);
    }
    Ok(())
}

#[tokio::test]
async fn and_help_names_every_setting() -> Result<()> {
    let help = Machine::new(None)?.play("distribute-faults", &["--help"], &[]).await?;
    let text = String::from_utf8(help.stdout)?;
    assert!(help.status.success() && text.starts_with("US5,"), "{text}");
    let script = read_to_string(scripts().join("cluster.sh"))?;
    let settings: Vec<_> = script.match_indices("${HFI_E2E_").collect();
    assert!(settings.len() > 5, "{settings:?}");
    for (at, _) in settings {
        let name = script[at + 2..].split([':', '}']).next().unwrap();
        assert!(text.contains(&format!("  {name} ")), "{name} is not in:\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn without_kubectl_or_a_cluster_that_is_said() -> Result<()> {
    for story in STORIES.into_iter().chain(["all"]) {
        says(&Machine::new(None)?.play(story, &[], &[]).await?, 3, "kubectl is missing");
        says(&Machine::new(Some(NO_CLUSTER))?.play(story, &[], &[]).await?, 3, "reaches no cluster");
    }
    Ok(())
}

#[tokio::test]
async fn a_namespace_of_somebody_else_is_left_alone() -> Result<()> {
    let repository = Repository::new().await?;
    let before = repository.git(&["rev-parse", "origin/main"]).await?;
    let bare = repository.bare();
    for story in STORIES {
        let machine = Machine::new(Some(NOT_OURS))?;
        let refused = machine.play(story, &[], &[("HFI_E2E_REPO", &bare.to_string_lossy())]).await?;
        says(&refused, 3, "there is a namespace hfi-e2e that is not of these scripts");
        let told = read_to_string(machine.tools.path().join("told"))?;
        let asks = |line: &str| line.starts_with("get ") || line.starts_with("version ");
        assert!(told.lines().all(asks), "{told}");
    }
    repository.git(&["fetch", "--quiet"]).await?;
    assert_eq!(repository.git(&["rev-parse", "origin/main"]).await?, before);
    Ok(())
}

#[test]
fn and_they_show_every_figure_of_the_list() -> Result<()> {
    let list = read_to_string(scripts().join("../mesh/acceptance/stories.json"))?;
    let list: Value = serde_json::from_str(&list)?;
    let names = |story: &str| -> BTreeSet<String> {
        let story = list.as_array().into_iter().flatten().find(|entry| entry["name"] == story);
        let criteria = story.map(|story| &story["criteria"]).and_then(Value::as_array);
        let here = criteria.into_iter().flatten().filter(|criterion| criterion["only"] != "mesh");
        here.map(|criterion| criterion["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    for story in STORIES {
        let script = read_to_string(scripts().join(story))?;
        let shown = script.lines().filter_map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("figure ").or_else(|| line.strip_prefix("within "))?;
            line.split(' ').next().map(str::to_owned)
        });
        assert_eq!(shown.collect::<BTreeSet<_>>(), names(story), "{story}");
    }
    Ok(())
}

#[test]
fn the_manifest_has_every_service_that_they_ask() -> Result<()> {
    let script = read_to_string(scripts().join("cluster.sh"))?;
    let services = script.lines().find_map(|line| line.strip_prefix("services=(")?.strip_suffix(')'));
    let mut services: Vec<_> = services.unwrap().split(' ').collect();
    assert_eq!(services.len(), 10);
    services.sort_unstable();

    let manifest = read_to_string(scripts().join("demo.yaml"))?;
    let objects: Vec<Value> = serde_yaml::from_multiple(&manifest)?;
    let named = |kind: &str| {
        let mut names: Vec<_> = objects
            .iter()
            .filter(|object| object["kind"] == kind)
            .map(|object| object["metadata"]["name"].as_str().unwrap_or_default())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(named("Service"), services);
    let mut workloads = named("Deployment");
    workloads.retain(|name| *name != "client");
    assert_eq!(workloads, services);
    Ok(())
}

/// A machine with little on it, and this `kubectl`.
struct Machine {
    tools: TempDir,
}

impl Machine {
    fn new(kubectl: Option<&str>) -> Result<Self> {
        let tools = tempfile::tempdir()?;
        for tool in TOOLS {
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .map(|folder| folder.join(tool))
                .find(|path| path.is_file());
            symlink(found.with_context(|| format!("{tool} is missing"))?, tools.path().join(tool))?;
        }
        // Of jq only its being there matters.
        for (tool, script) in [("kubectl", kubectl), ("jq", Some(""))] {
            let Some(script) = script else { continue };
            let file = tools.path().join(tool);
            write(&file, script)?;
            std::fs::set_permissions(file, Permissions::from_mode(0o755))?;
        }
        Ok(Self { tools })
    }

    async fn play(&self, script: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Result<Output> {
        let mut command = Command::new(scripts().join(script));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", self.tools.path())
            .env("HFI_E2E_REPO", "policies.git");
        command.envs(settings.iter().copied());
        Ok(command.kill_on_drop(true).output().await?)
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e")
}

fn says(output: &Output, status: i32, wanted: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(wanted), "{said}");
}
