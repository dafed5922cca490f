//! `hfi doctor`: what is wrong with an installation in a cluster, and what to do next.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use super::{
    console::{DONE, NOT_RIGHT, UNREACHABLE, error, print},
    output::Output,
    server::{failed, no_way, object_name},
    values::maybe_path,
};
use crate::{
    client::{Failure, Token},
    doctor::{Finding, findings, inventory::Name},
    kubernetes::{
        forwarding::{Cluster, ObjectName},
        inspecting::fetch::Inspector,
    },
    printable::printable,
};

/// Check an installation in a cluster: the control plane, the plugins, and every proxy that should run them.
///
/// Needs a kubeconfig whose user may read pods, their logs and their ports (`pods/proxy`), forward ports to them
/// (get and create `pods/portforward`: without it a lost filter is told by its polls alone), and read Deployments, ConfigMaps, Namespaces, Services, Ingresses, and the resources of Istio and the Gateway API. Changes nothing.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The namespace of the control plane
    #[arg(short, long, default_value = "boifi", value_name = "NAMESPACE")]
    namespace: String,

    /// The name of its Deployment and Service
    #[arg(long, default_value = "hfi-control-plane", value_name = "NAME")]
    name: String,

    /// The namespace of istiod
    #[arg(long, default_value = "istio-system", value_name = "NAMESPACE")]
    istio_namespace: String,

    /// The context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The file with a token for replicas that ask for one (--view-token-file)
    #[arg(long, env = "HFI_TOKEN_FILE", value_name = "FILE", value_parser = maybe_path())]
    token_file: Option<PathBuf>,

    /// Ask the cluster for a token of this service account. Takes the place of --token-file
    #[arg(long, value_name = "[NS/]NAME", value_parser = object_name)]
    service_account: Option<ObjectName>,

    /// The format of the findings
    #[arg(short, long, default_value = "table", value_parser = Output::lists())]
    output: Output,
}

impl Doctor {
    /// Looks, and prints what it finds. Ends with 1 if that is anything, with 3 if it could not look.
    pub async fn run(self) -> ExitCode {
        let token = match self.token().await {
            Ok(token) => token,
            Err(code) => return code,
        };
        let Self { namespace, name, istio_namespace, context, output, .. } = self;
        let inspector = Inspector { control_plane: Name { namespace, name }, istio_namespace, token };
        let inventory = match inspector.read(context).await {
            Ok(inventory) => inventory,
            Err(unreachable) => {
                error(unreachable);
                return ExitCode::from(UNREACHABLE);
            }
        };
        let found = findings(&inventory);
        print(&output.render(&json!({"findings": found}), || table(&found)));
        ExitCode::from(if found.is_empty() { DONE } else { NOT_RIGHT })
    }
}

impl Doctor {
    /// The token for replicas that ask for one, or the exit code of what is wrong.
    async fn token(&self) -> Result<Option<Token>, ExitCode> {
        if let Some(account) = &self.service_account {
            let granted = async { Cluster::of_kubeconfig(self.context.clone()).await?.token(account).await };
            return granted.await.map(Some).map_err(|why| no_way(&why));
        }
        // A variable that is set to nothing is not set.
        let file = self.token_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        let token = file.map(Token::of_file).transpose();
        token.map_err(|error| failed(&Failure::from(error)))
    }
}

/// A paragraph each: what to do next does not fit into a column.
fn table(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "ok: nothing is wrong\n".to_owned();
    }
    let paragraph = |Finding { severity, subject, message, next }: &Finding| {
        let [subject, message, next] = [subject, message, next].map(|part| printable(part));
        format!("{severity}: {subject} {message}\n  next: {next}\n")
    };
    findings.iter().map(paragraph).collect()
}

#[cfg(test)]
mod tests {
    use super::{Finding, table};
    use crate::{cli::snapshots::is_as_in, doctor::Severity};

    fn finding(severity: Severity, subject: &str, message: &str) -> Finding {
        let (subject, message) = (subject.to_owned(), message.to_owned());
        Finding { severity, subject, message, next: "`kubectl -n shop get pods` shows why".to_owned() }
    }

    #[test]
    fn findings_are_as_they_were() {
        let found = [
            finding(Severity::Error, &format!("WasmPlugin shop/{}", "n".repeat(63)), "selects no pod"),
            finding(Severity::Warning, "Pod shop/a\u{1b}[2J", "has not polled for 20 min\nor more"),
        ];
        is_as_in("doctor.txt", &format!("{}\n{}", table(&found), table(&[])));
    }

    #[test]
    fn a_thousand_findings_are_two_thousand_lines() {
        let found = vec![finding(Severity::Error, "Pod shop/a", "has no filter"); 1_000];
        assert_eq!(table(&found).lines().count(), 2_000);
    }
}
