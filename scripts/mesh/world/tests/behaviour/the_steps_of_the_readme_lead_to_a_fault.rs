//! The commands of README.md and k8s/README.md, word for word, as a person types them: from an empty cluster to the
//! first fault, to the halt, and to where hfi is gone again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use harness::{Deadline, Repository, paths};
use kubelet::{Images, Program};
use serde_json::json;
use tokio::process::Child;
use world::World;

use crate::doctor::{finds, show_istiod};
use crate::person::{shell, types_in};
use crate::support::serve;

const PATIENCE: Duration = Duration::from_secs(60);

/// A person in a checkout of their own, with what was started in the background.
struct Person<'w> {
    world: &'w World,
    checkout: PathBuf,
    background: Vec<Child>,
}

#[tokio::test]
async fn word_for_word() -> Result<()> {
    let world = start().await?;
    show_istiod(&world).await?;
    let policies = Repository::new().await?;
    policies.git(&["-C", "../policies.git", "config", "http.receivepack", "true"]).await?;
    let _git = serve(&world, &policies).await?;
    let checkout = checkout(&world).await?;
    let mut person = Person { world: &world, checkout, background: Vec::new() };

    // Only Istio's own Envoy tells the receiver that there is HTTP inside of mutual TLS, where a port does not say so.
    let plain = json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "default", "namespace": "istio-system"},
        "spec": {"mtls": {"mode": "DISABLE"}},
    });
    world.apply(&[plain]).await?;

    // The image is there, and so is Istio.
    let readme = text("README.md")?;
    person.types(&["kubectl create namespace shop".to_owned()]).await?;
    let blocks = commands(&readme, "**In a cluster**", "\n\n**", "sh")?;
    let block = lines(blocks.first().context("no commands")?);
    let (image, install) = block.split_first().context("no commands")?;
    ensure!(image.starts_with("podman build"), "{image}");
    person.types(install).await?;

    let readme = text("k8s/README.md")?;
    let steps =
        |language| commands(&readme, "## From an empty cluster to the first fault", "\n## ", language);
    let blocks = steps("sh")?;
    let [istio, image, install, secrets, workload, apply, ask] = blocks.as_slice() else {
        bail!("the steps have changed: {blocks:#?}")
    };
    for (step, word) in
        [(istio, "istioctl install"), (image, "podman build"), (secrets, "create secret generic hfi-git")]
    {
        ensure!(step.contains(word), "it is not what is left out here: {step}");
    }
    person.types(&lines(install)).await?;
    person.types(&lines(workload)).await?;
    // One replica is asked by the port that is forwarded; the doctor asks both.
    finds(&world, "the steps of the README", &[]).await?;

    let policy = steps("yaml")?.pop().context("no policy")?;
    fs::write(person.checkout.join("first-fault.yaml"), policy)?;
    uncomment(&person.checkout, &["components:", "  - ../../components/writes"])?;
    person.types(&lines(apply)).await?;
    let half = |codes: &str| codes.contains("503") && codes.contains("200");
    person.until("half of the answers to be 503", ask, half).await?;
    let help = commands(&readme, "## When it does not work", "\n## ", "sh")?;
    person.types(&lines(help.first().context("no commands")?)).await?;

    let halt = commands(&readme, "## To stop everything", "\n## ", "sh")?;
    let [halt, resume] = halt.as_slice() else { bail!("the steps have changed: {halt:#?}") };
    let halted = |codes: &str| !codes.contains("503");
    person.types(&lines(halt)).await?;
    person.until("the faults to end", ask, halted).await?;
    person.types(&lines(resume)).await?;
    person.until("the faults to return", ask, half).await?;
    // Now the ConfigMap is there.
    person.types(&lines(halt)).await?;
    person.until("the faults to end again", ask, halted).await?;

    person.background.clear();
    let remove = commands(&readme, "## To remove it", "\n## ", "sh")?;
    person.types(&lines(remove.first().context("no commands")?)).await?;
    let codes = types_in(&person.checkout, &world, ask).await?;
    ensure!(codes.trim() == ["200"; 8].join(" "), "{codes}");
    drop(person);
    world.end().await
}

async fn start() -> Result<World> {
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/nginx.conf");
    let words = ["nginx", "-e", "stderr", "-c", "/etc/nginx/test.conf"];
    let nginx = Program::installed(&words).file("/etc/nginx/test.conf", configuration);
    World::start(Images::new().with("nginx", nginx)).await
}

/// A copy of `k8s`, with the address of the policies in the file that the README names.
async fn checkout(world: &World) -> Result<PathBuf> {
    let checkout = world.directory().join("checkout");
    fs::create_dir_all(&checkout)?;
    let copy = format!("cp -r k8s {}", checkout.display());
    types_in(&paths::workspace(), world, &copy).await?;
    let settings = checkout.join("k8s/overlays/default/settings.env");
    let text = fs::read_to_string(&settings)?;
    let repo = text.lines().find(|line| line.starts_with("HFI_REPO=")).context("no HFI_REPO")?;
    let changed = text.replace(repo, "HFI_REPO=http://git.example/policies.git\nHFI_INTERVAL=1s");
    fs::write(settings, changed)?;
    Ok(checkout)
}

/// Uncomments lines of the overlay.
fn uncomment(checkout: &Path, lines: &[&str]) -> Result<()> {
    let file = checkout.join("k8s/overlays/default/kustomization.yaml");
    let mut text = fs::read_to_string(&file)?;
    for line in lines {
        let commented = format!("\n# {line}\n");
        ensure!(text.contains(&commented), "no {line}");
        text = text.replace(&commented, &format!("\n{line}\n"));
    }
    Ok(fs::write(file, text)?)
}

fn text(file: &str) -> Result<String> {
    Ok(fs::read_to_string(paths::workspace().join(file))?)
}

/// The blocks of a language in a section.
fn commands(readme: &str, begin: &str, end: &str, language: &str) -> Result<Vec<String>> {
    let (_, section) = readme.split_once(begin).with_context(|| format!("no {begin:?}"))?;
    let section = section.split(end).next().unwrap_or(section);
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1);
    Ok(blocks.filter_map(|rest| Some(rest.split("```").next()?.to_owned())).collect())
}

/// The commands of a block, of which some go over two lines.
fn lines(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    joined.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

impl Person<'_> {
    /// Types one command after the other. A person to whom nothing answers yet types it again, and runs the doctor again
    /// as it says, until each proxy has followed.
    async fn types(&mut self, commands: &[String]) -> Result<()> {
        for command in commands {
            let words = command.split('#').next().unwrap_or(command).trim();
            if let Some(words) = words.strip_suffix('&') {
                self.background.push(shell(&self.checkout, self.world, &format!("exec {words}"))?.spawn()?);
            } else if words.starts_with("curl") {
                self.until("an answer", words, |_| true).await?;
            } else if words == "hfi doctor" {
                self.until("the doctor to find nothing", words, |found| found.contains("nothing is wrong"))
                    .await?;
            } else {
                types_in(&self.checkout, self.world, words).await?;
            }
        }
        Ok(())
    }

    /// Types a command again and again until it prints what it should.
    async fn until(&self, what: &'static str, command: &str, good: impl Fn(&str) -> bool) -> Result<()> {
        let deadline = Deadline::of_costly(what, PATIENCE);
        loop {
            match types_in(&self.checkout, self.world, command).await {
                Ok(printed) if good(&printed) => return Ok(()),
                Ok(printed) => deadline.pause().await.context(printed)?,
                Err(error) => deadline.pause().await.context(error)?,
            }
        }
    }
}
