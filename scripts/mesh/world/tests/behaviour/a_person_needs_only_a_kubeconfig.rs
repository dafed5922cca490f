//! `k8s/WHO-MAY-DO-WHAT.md`, word for word: a person outside of the cluster, whose kubeconfig has the rights of that page
//! and no others, changes policies as a ServiceAccount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use harness::{Answer, Client, Deadline, Repository, Request, first, paths};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use world::World;

use crate::person;
use crate::support::{address, control_plane, get, install, merge, roll_out, run_workload, serve, start};

const PAGE: &str = "k8s/WHO-MAY-DO-WHAT.md";
const SERVICE: &str = "--kubernetes-service boifi/hfi-control-plane";
const PATIENCE: Duration = Duration::from_secs(60);

const POLICY: &str = "\
metadata: {name: first-fault}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

/// A directory with the file of a policy, and the kubeconfigs of persons who may be all that they say they are.
struct People<'w> {
    world: &'w World,
    directory: PathBuf,
}

impl<'w> People<'w> {
    fn of(world: &'w World) -> Result<Self> {
        let directory = world.directory().join("people");
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("first-fault.yaml"), POLICY)?;
        Ok(Self { world, directory })
    }

    /// What the administrator types.
    async fn admin(&self, commands: &str) -> Result<String> {
        person::types_in(&self.directory, self.world, commands).await
    }

    /// Makes the kubeconfig of a person: the administrator's, who acts as that person.
    async fn add(&self, name: &str) -> Result<()> {
        let config = self.admin("kubectl config view --raw --output=json").await?;
        let mut config: Value = serde_json::from_str(&config)?;
        let user = config.pointer_mut("/users/0/user").context("no user")?;
        merge(user, json!({"as": format!("{name}@example.com")}));
        Ok(fs::write(self.directory.join(name), config.to_string())?)
    }

    /// What a person sees of a command: both outputs, and the exit code unless it is 0.
    async fn sees(&self, name: &str, command: &str) -> Result<String> {
        self.admin(&format!("export KUBECONFIG=$PWD/{name}; {command} 2>&1 || echo \"exit code $?\"")).await
    }

    /// A command that succeeds prints this.
    async fn says(&self, name: &str, command: &str, expected: &str) -> Result<()> {
        let seen = self.sees(name, command).await?;
        ensure!(seen.contains(expected) && !seen.contains("exit code"), "{command}: {seen}");
        Ok(())
    }

    /// A command prints this once the replica that it asks has it, too.
    async fn comes_to_say(&self, name: &str, command: &str, expected: &str) -> Result<()> {
        let deadline = Deadline::of("a replica to have it", PATIENCE);
        while let Err(other) = self.says(name, command, expected).await {
            deadline.pause().await.context(other)?;
        }
        Ok(())
    }

    /// A command that fails prints all of this.
    async fn fails(&self, name: &str, command: &str, parts: &[&str]) -> Result<()> {
        let seen = self.sees(name, command).await?;
        for part in parts {
            ensure!(seen.contains(part), "no {part:?} after {command}: {seen}");
        }
        Ok(())
    }
}

/// `hfi watch` of a person.
struct Watching {
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Watching {
    fn start(people: &People<'_>, name: &str) -> Result<Self> {
        let command = format!("KUBECONFIG=$PWD/{name} exec hfi watch --output=json {SERVICE} 2>complaints");
        let mut process =
            person::shell(&people.directory, people.world, &command)?.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        Ok(Self { lines, _process: process })
    }

    /// True if it says, in a while, that it looks for another replica.
    async fn goes_elsewhere(&self, people: &People<'_>) -> Result<bool> {
        let deadline = Deadline::of("a complaint", Duration::from_secs(20));
        loop {
            if fs::read_to_string(people.directory.join("complaints"))?.contains("trying again") {
                return Ok(true);
            }
            if deadline.pause().await.is_err() {
                return Ok(false);
            }
        }
    }

    async fn next(&mut self) -> Result<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.context("no event")??;
        Ok(serde_json::from_str(&line.context("hfi watch ended")?)?)
    }
}

/// The blocks of a language in a section of the page.
fn blocks(section: &str, language: &str) -> Result<Vec<String>> {
    let page = fs::read_to_string(paths::workspace().join(PAGE))?;
    let (_, text) = page.split_once(&format!("\n## {section}\n")).context("no such section")?;
    let text = text.split("\n## ").next().unwrap_or(text);
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    Ok(blocks.filter_map(|rest| Some(rest.split("```").next()?.to_owned())).collect())
}

/// Does what the page says for the administrator, and deploys the control plane with `components/writes`.
async fn prepare(people: &People<'_>) -> Result<()> {
    let directory: &Path = &people.directory;
    let section = "Let people change policies";
    let (tokens, secret) = (blocks(section, "text")?, blocks(section, "sh")?);
    let ([tokens], [secret]) = (tokens.as_slice(), secret.as_slice()) else {
        bail!("the steps of {section:?} have changed")
    };
    fs::write(directory.join("tokens"), tokens)?;
    people.admin(&format!("kubectl create namespace boifi; {secret}")).await?;
    control_plane("default")?.with_component("k8s/components/writes")?.apply(people.world, None).await?;
    let role = blocks("People with a kubeconfig", "yaml")?.concat();
    fs::write(directory.join("role.yaml"), role)?;
    people.admin("kubectl apply -f role.yaml").await?;
    let bindings = blocks("People with a kubeconfig", "sh")?.into_iter().next().context("no bindings")?;
    people.admin(&bindings).await?;
    people.add("alice").await?;
    roll_out(people.world, "boifi", "hfi-control-plane").await
}

#[tokio::test]
async fn a_person_with_a_kubeconfig_breaks_and_mends_a_service() -> Result<()> {
    let world = start().await?;
    let policies = Repository::new().await?;
    policies.git(&["-C", "../policies.git", "config", "http.receivepack", "true"]).await?;
    let _git = serve(&world, &policies).await?;
    let people = People::of(&world)?;
    prepare(&people).await?;
    world.kubectl(&["create", "namespace", "demo"]).await?;
    world.kubectl(&["label", "namespace", "demo", "istio-injection=enabled"]).await?;
    install(&world, "demo", "k8s/plugin/sidecar").await?;
    run_workload(&world, "demo", "frontend").await?;
    let frontend = address(&world, "demo", "frontend").await?;
    let (client, request) = (Client::new()?, Request::get("/"));
    ensure!(client.send(frontend, &request).await?.status == 200);

    let typed = blocks("People with a kubeconfig", "sh")?.pop().context("no commands")?;
    let [list, apply, delete] = typed.lines().collect::<Vec<_>>()[..] else { bail!("{typed}") };
    people.says("alice", list, "").await?;
    people.says("alice", apply, "policy/first-fault created").await?;
    first(&client, frontend, &request, Answer::aborted).await?;
    people.comes_to_say("alice", list, "first-fault").await?;

    // The replica that is asked goes: what follows goes on, and what begins goes elsewhere.
    let mut watching = Watching::start(&people, "alice")?;
    let before = watching.next().await?;
    let pods = get(&world, "boifi", "pods --selector=app.kubernetes.io/name=hfi-control-plane").await?;
    // Any of them may be the one that is asked.
    for pod in pods.pointer("/items").and_then(Value::as_array).context("no replicas")? {
        let replica = pod.pointer("/metadata/name").and_then(Value::as_str).context("no name")?;
        roll_out(&world, "boifi", "hfi-control-plane").await?;
        world.kubectl(&["delete", "pod", replica, "--namespace=boifi", "--wait=false"]).await?;
        if watching.goes_elsewhere(&people).await? {
            break;
        }
    }
    people.says("alice", delete, "policy/first-fault deleted").await?;
    while watching.next().await?["revision"] == before["revision"] {}
    ensure!(watching.goes_elsewhere(&people).await?, "no replica was the one that was asked");
    first(&client, frontend, &request, |answer| answer.status == 200).await?;
    let author = policies.git(&["-C", "../policies.git", "log", "-1", "--format=%an %s", "main"]).await?;
    ensure!(author.trim() == "alice Delete first-fault", "{author}");

    refuses(&people, list, apply).await?;
    stops(&people).await?;
    world.end().await
}

/// Who has only the Role for it stops everything, and resumes, by the commands of `k8s/README.md` but the annotation.
async fn stops(people: &People<'_>) -> Result<()> {
    let page = fs::read_to_string(paths::workspace().join(PAGE))?;
    let (_, role) = page.split_once("```yaml\n").context("no Role")?;
    fs::write(people.directory.join("halt.yaml"), role.split("```").next().unwrap_or(role))?;
    people.add("carol").await?;
    people
        .admin(
            "kubectl apply -f halt.yaml; kubectl -n boifi create configmap hfi-halt; \
             kubectl -n boifi create rolebinding carol --role=hfi-halt --user=carol@example.com",
        )
        .await?;
    ensure!(page.contains("`kubectl -n boifi create configmap hfi-halt`"), "the page creates it otherwise");
    let readme = fs::read_to_string(paths::workspace().join("k8s/README.md"))?;
    let (_, section) = readme.split_once("\n## To stop everything\n").context("no such section")?;
    let first = |block: &str| block.lines().next().unwrap_or_default().to_owned();
    let commands: Vec<_> = section.split("```sh\n").skip(1).take(2).map(first).collect();
    let [stop, resume] = commands.as_slice() else { bail!("{commands:?}") };
    let key = "kubectl -n boifi get configmap hfi-halt -o 'jsonpath={.data}'";
    people.says("carol", stop, "hfi-halt").await?;
    people.says("carol", key, "halt").await?;
    people.says("carol", resume, "hfi-halt").await?;
    let left = people.sees("carol", key).await?;
    ensure!(!left.contains("halt"), "{left}");
    Ok(())
}

/// What goes wrong, as the table of the page says.
async fn refuses(people: &People<'_>, list: &str, apply: &str) -> Result<()> {
    people.add("bob").await?;
    people
        .admin(
            "kubectl -n boifi create role finds-hfi --verb=get,list --resource=services,pods; \
             kubectl -n boifi create rolebinding bob --role=finds-hfi --user=bob@example.com; \
             kubectl -n people create serviceaccount robot; \
             kubectl -n people create token alice --audience=vault > token",
        )
        .await?;
    let next = ["cannot forward a port of the pod", "forbidden", "to create pods/portforward", "exit code 3"];
    people.fails("bob", list, &next).await?;
    let other = apply.replace("people/alice", "people/robot");
    let next =
        ["ServiceAccount people/robot", "cannot create resource \"serviceaccounts/token\"", "exit code 3"];
    people.fails("alice", &other, &next).await?;
    // A kubeconfig that may do everything.
    people.admin("kubectl config view --raw > admin").await?;
    people
        .fails(
            "admin",
            &other,
            &["`people-robot serviceaccount:people/robot namespaces=people`", "exit code 1"],
        )
        .await?;
    let vault = apply.replace("--service-account people/alice", "--token-file token");
    people.fails("admin", &vault, &["not for the audience `hfi`", "exit code 1"]).await?;
    people.fails("admin", &list.replace("boifi/", "demo/"), &["next: ", "exit code 3"]).await
}
