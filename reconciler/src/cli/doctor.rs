//! `hfi doctor`: what is wrong with an installation in a cluster, and what to do next.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{
    console::{DONE, NOT_RIGHT, UNREACHABLE, error, print},
    output::Output,
};
use crate::{
    doctor::{Finding, findings, inventory::Name},
    kubernetes::inspecting::fetch::Inspector,
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

    /// The format of the findings
    #[arg(short, long, default_value = "table", value_parser = Output::lists())]
    output: Output,
}

impl Doctor {
    /// Looks, and prints what it finds. Ends with 1 if that is anything, with 3 if it could not look.
    pub async fn run(self) -> ExitCode {
        let Self { namespace, name, istio_namespace, context, output } = self;
        let inspector = Inspector { control_plane: Name { namespace, name }, istio_namespace };
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
