//! Problems of the reconciler itself.

use super::{
    Finding,
    inventory::{Answer, Inventory, Replica, Silence},
};
use crate::api::{kubernetes::FailingDuty, policy_status::PolicyState, status::Status};

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    let Inventory { control_plane, deployment, replicas, .. } = inventory;
    let namespace = &control_plane.namespace;
    let subject = format!("Deployment {control_plane}");
    let mut findings = Vec::new();
    match deployment {
        None => {
            let next = "deploy it with `kubectl apply -k`, or say where it is with --namespace and --name";
            return vec![Finding::error(subject, "does not exist", next)];
        }
        Some((wanted, ready)) if ready < wanted => findings.push(Finding::error(
            &subject,
            format!("{ready} of {wanted} replicas are ready"),
            format!("`kubectl --namespace {namespace} describe pods` shows what they wait for"),
        )),
        Some((0, _)) => findings.push(Finding::error(
            &subject,
            "is scaled to 0: no proxy gets policies, and those that run stay as they are",
            format!("`kubectl --namespace {namespace} scale deployment {} --replicas=2`", control_plane.name),
        )),
        Some((1, _)) => findings.push(Finding::warning(
            &subject,
            "has one replica: while that is replaced, no new policy takes effect",
            "set `replicas: 2`",
        )),
        Some(_) => {}
    }
    findings.extend(replicas.iter().filter_map(|replica| silence(replica, namespace)));
    findings.extend(halt(inventory, &subject));
    findings.extend(disagreement(inventory, &subject));
    for Answer { status, .. } in inventory.answers() {
        for finding in of_status(status, &subject) {
            // Most replicas report the same.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

/// The reason why a replica says nothing.
fn silence(Replica { pod, answer }: &Replica, namespace: &str) -> Option<Finding> {
    let (message, next) = match answer.as_ref().err()? {
        Silence::Closed => (
            "asks for a token (--view-token-file), so its policies and the proxies that poll it are not judged".to_owned(),
            "give the doctor a token with --token-file FILE, or with --service-account NAMESPACE/NAME if that has a \
             line in the file: it then asks the replica by port-forward"
                .to_owned(),
        ),
        Silence::Refused(reason) => (
            format!("does not take the token, so its policies and the proxies that poll it are not judged: {reason}"),
            "give a token of --view-token-file with --token-file FILE or --service-account NAMESPACE/NAME; a line for \
             a ServiceAccount that only reads belongs into the Secret hfi-view"
                .to_owned(),
        ),
        Silence::Other(reason) => (
            format!("does not answer: {reason}"),
            format!(
                "see `kubectl --namespace {namespace} logs {pod}`; the API server asks it for us, so a NetworkPolicy \
                 must let the addresses of the API server in on its port, 8080"
            ),
        ),
    };
    Some(Finding::error(format!("Pod {namespace}/{pod}"), message, next))
}

/// A halt of all replicas, or of some: the filters of the others inject.
fn halt(inventory: &Inventory, subject: &str) -> Option<Finding> {
    let (mut halted, mut injecting, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for Replica { pod, answer } in &inventory.replicas {
        let group = match answer {
            Ok(answer) if answer.status.halted => &mut halted,
            Ok(_) => &mut injecting,
            Err(_) => &mut silent,
        };
        group.push(pod.as_str());
    }
    if halted.is_empty() {
        return None;
    }
    let halted = halted.join(", ");
    let finding = match injecting.first() {
        Some(first) => Finding::error(
            subject,
            format!("is halted at {halted} and not at {}: faults go on there", injecting.join(", ")),
            format!(
                "run the doctor again after one --interval, in which a halt in Git is read; if nothing changes, halt \
                 there too: `kubectl --namespace {} port-forward {first} 8080`, then `hfi halt`; or create the halt file",
                inventory.control_plane.namespace
            ),
        ),
        None if silent.is_empty() => Finding::warning(
            subject,
            "is halted: no fault is injected anywhere",
            "when faults may be injected again, end the halt that GET /v1/halt shows, or remove the halt file",
        ),
        None => Finding::error(
            subject,
            format!("is halted at {halted}; no answer from {}, which may inject faults", silent.join(", ")),
            "see why that does not answer; the halt file stops it too",
        ),
    };
    Some(finding)
}

/// The same commit gives the same bytes: a replica with other bytes is at another commit. Those of one that is halted are
/// of none.
fn disagreement(inventory: &Inventory, subject: &str) -> Option<Finding> {
    let answers = inventory.replicas.iter();
    let versions = answers.filter_map(|Replica { pod, answer }| Some((pod, &answer.as_ref().ok()?.status)));
    let versions: Vec<_> = versions.filter(|(_, status)| !status.halted).collect();
    let (_, first) = versions.first()?;
    versions.iter().any(|(_, status)| status.digest != first.digest).then(|| {
        let shown = versions.iter().map(|(pod, Status { revision, digest, .. })| {
            format!("{pod}: {revision} {}", digest.get(..17).unwrap_or(digest))
        });
        Finding::error(
            subject,
            format!("the replicas do not agree: {}", shown.collect::<Vec<_>>().join("; ")),
            "run the doctor again after one --interval; if they still differ, the log of the older replica says \
             why it cannot read the repository",
        )
    })
}

fn of_status(status: &Status, subject: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(failing) = &status.source.failing {
        findings.push(Finding::error(
            subject,
            format!("cannot read the policies: {}", failing.reason),
            "check that the repository can be reached and the credentials are valid; the last good commit stays \
             in force meanwhile",
        ));
    }
    if let Some(reason) = &status.withdrawn {
        findings.push(Finding::error(
            subject,
            format!("has withdrawn all policies: {reason}"),
            "push a commit that is signed by an allowed key",
        ));
    }
    for FailingDuty { duty, reason, since: _ } in
        status.kubernetes.iter().flat_map(|kubernetes| &kubernetes.failing)
    {
        findings.push(Finding::warning(
            subject,
            format!("cannot do its duty in the cluster ({duty}): {reason}"),
            "check that its ServiceAccount has the Roles and ClusterRoles of the manifests, and that a NetworkPolicy \
             lets it reach the API server and the other replicas",
        ));
    }
    let rejected: Vec<_> = status.rejected.iter().map(|rejected| rejected.file.as_str()).collect();
    if !rejected.is_empty() {
        findings.push(Finding::warning(
            subject,
            format!("files with errors, whose faults are not injected: {}", rejected.join(", ")),
            "`hfi validate` in the repository shows each error and its place",
        ));
    }
    for policy in status.policies.iter().filter(|policy| policy.state == PolicyState::Inactive) {
        let namespace = &policy.targets.selector.namespace;
        findings.push(Finding::warning(
            format!("policy {}", policy.name),
            format!("is for namespace {namespace}, which does not exist"),
            "correct the namespace, or remove the policy",
        ));
    }
    findings
}
