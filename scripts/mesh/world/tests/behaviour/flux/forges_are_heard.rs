//! Each Receiver of `flux/examples/receivers` hears what its forge sends, and nobody who does not know the secret.

use anyhow::{Context, Result, ensure};
use harness::http_client;
use serde_json::Value;
use world::FluxWorld;

use super::production::{WEBHOOK, hmac};
use super::support::{address, get, until};

const BODY: &str = r#"{"ref": "refs/heads/main"}"#;

/// What a forge sends with a push.
struct Forge {
    receiver: &'static str,
    namespace: &'static str,
    /// What is read then.
    source: &'static str,
    event: Option<(&'static str, &'static str)>,
    /// The header with the proof.
    proof: &'static str,
    /// True if the proof is the secret itself and not the HMAC of the body.
    is_secret: bool,
}

const FORGES: [Forge; 5] = [
    Forge {
        receiver: "fault-policies-gitlab",
        namespace: "boifi",
        source: "fault-policies",
        event: Some(("x-gitlab-event", "Push Hook")),
        proof: "x-gitlab-token",
        is_secret: true,
    },
    // Gitea and Forgejo send GitHub's headers beside their own.
    Forge {
        receiver: "fault-policies-gitea",
        namespace: "boifi",
        source: "fault-policies",
        event: Some(("x-github-event", "push")),
        proof: "x-hub-signature-256",
        is_secret: false,
    },
    Forge {
        receiver: "fault-policies-bitbucket",
        namespace: "boifi",
        source: "fault-policies",
        event: Some(("x-event-key", "repo:refs_changed")),
        proof: "x-hub-signature",
        is_secret: false,
    },
    Forge {
        receiver: "fault-policies-other",
        namespace: "boifi",
        source: "fault-policies",
        event: None,
        proof: "x-signature",
        is_secret: false,
    },
    Forge {
        receiver: "hfi",
        namespace: "flux-system",
        source: "hfi",
        event: Some(("x-github-event", "push")),
        proof: "x-hub-signature-256",
        is_secret: false,
    },
];

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    let secret = format!("--from-literal=token={WEBHOOK}");
    let create = ["create", "secret", "generic", "forge-webhook", "--namespace=flux-system", &secret];
    world.kubectl(&create).await?;
    let directory = world.platform().work().join("flux/examples/receivers").display().to_string();
    world.kubectl(&["apply", "--kustomize", &directory]).await?;
    for forge in &FORGES {
        is_heard(world, forge).await.with_context(|| forge.receiver)?;
    }
    world.kubectl(&["delete", "--kustomize", &directory]).await.map(drop)
}

async fn is_heard(world: &mut FluxWorld, forge: &Forge) -> Result<()> {
    let object = format!("receiver/{}", forge.receiver);
    until(world, "the Receiver to have a path", async |world| {
        path(&get(world, &object, forge.namespace).await?).map(drop)
    })
    .await?;
    let url = address(world, "webhook-receiver", "flux-system").await?;
    let url = format!("http://{url}{}", path(&get(world, &object, forge.namespace).await?)?);
    let client = http_client()?.no_proxy().build()?;
    let notify = async |secret: &str| {
        let proof = match forge.is_secret {
            true => secret.to_owned(),
            false => format!("sha256={}", hmac(secret, BODY).await?),
        };
        let request = client.post(&url).header("content-type", "application/json").header(forge.proof, proof);
        let request =
            forge.event.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        Ok::<_, anyhow::Error>(request.body(BODY).send().await?.status())
    };
    let before = asked(world, forge).await?;
    let answer = notify("a guess").await?;
    ensure!(answer.is_client_error(), "a forged notification gets {answer}");
    ensure!(asked(world, forge).await? == before, "a forged notification is heard");
    let answer = notify(WEBHOOK).await?;
    ensure!(answer.is_success(), "the notification gets {answer}");
    ensure!(asked(world, forge).await? != before, "the notification asks for nothing");
    Ok(())
}

fn path(receiver: &Value) -> Result<&str> {
    receiver.pointer("/status/webhookPath").and_then(Value::as_str).context("no path")
}

/// When Flux was asked last to read the source.
async fn asked(world: &FluxWorld, forge: &Forge) -> Result<Option<Value>> {
    let source = get(world, &format!("gitrepository/{}", forge.source), forge.namespace).await?;
    Ok(source.pointer("/metadata/annotations/reconcile.fluxcd.io~1requestedAt").cloned())
}
