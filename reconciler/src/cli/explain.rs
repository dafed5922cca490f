//! `hfi explain`: the rule that decides a request, and the reason why each other rule does not.
//!
//! It runs the same program as the filter, made from the same bytes.

mod application;
mod known;
mod lines;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use policies::{
    Decision, Facts, Program, Scope, Snapshot, Timestamp,
    evaluation::StaticRequest,
    language::{self, Host, Mode},
    wire::ScopeError,
};
use serde_json::json;

use self::{
    known::Known,
    lines::{Line, table},
};
use super::applications::{Rendering, Selection};
use super::console::{DONE, print, wrong_use};
use super::output::Output;
use super::server::{ServerArgs, failed};
use crate::clock::now;

/// Show which policy and rule decide a request, and why the others do not; or where rendered Istio resources come from.
///
/// The policies are those of a directory, or those that a server serves now. With PATH and --app it shows the resources
/// that the AppConfiguration of an application means: for each field the file and line that it comes from, or the reason
/// why hfi renders it where nobody has written it.
#[derive(Debug, Args)]
pub struct Explain {
    /// The policy directory of --app
    #[arg(value_name = "PATH", requires = "app")]
    directory: Option<PathBuf>,

    /// The application whose resources are explained, instead of a request
    #[arg(long, value_name = "[NAMESPACE/]NAME", requires = "directory", conflicts_with_all = ["dir", "services", "host"])]
    app: Option<String>,

    /// The directory of policies, instead of a server
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,

    /// The workload's namespace
    #[arg(long, value_name = "N", required_unless_present = "app")]
    namespace: Option<String>,

    /// The workload's name; give the option twice to add its canonical name
    #[arg(long = "service", value_name = "S", required_unless_present_any = ["host", "app"])]
    services: Vec<String>,

    /// The host of a ServiceEntry, instead of a workload: the request is at the waypoint of that ServiceEntry, which
    /// serves the namespace
    #[arg(long, value_name = "HOST", conflicts_with_all = ["services", "direction"], value_parser = host)]
    host: Option<Host>,

    /// The direction: `inbound` if the workload receives the request, `outbound` if it makes it, `both` at a gateway
    #[arg(long, default_value = "inbound")]
    direction: Direction,

    #[arg(long, default_value = "GET")]
    method: String,

    /// The path, with the query string if there is one
    #[arg(long, default_value = "/")]
    path: String,

    /// A request header
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// The host that the request is for, such as payments.demo
    #[arg(long, value_name = "HOST")]
    authority: Option<String>,

    /// The cluster that the route chooses, such as `outbound|80||payments.demo.svc.cluster.local`
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<String>,

    #[command(flatten)]
    rendering: Rendering,

    /// The caller's identity, such as spiffe://cluster.local/ns/demo/sa/web
    #[arg(long, value_name = "URI")]
    peer: Option<String>,

    /// The time of the request, in RFC 3339, for --dir [default: now]
    #[arg(long, value_name = "TIME", requires = "dir", value_parser = Timestamp::parse)]
    at: Option<Timestamp>,

    /// The output format
    #[arg(short, long, default_value = "table", value_parser = Output::lists())]
    output: Output,

    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Direction {
    Inbound,
    Outbound,
    Both,
}

impl Explain {
    fn request(&self) -> StaticRequest {
        StaticRequest {
            now: Some(self.at.unwrap_or_else(now)),
            direction: match self.direction {
                Direction::Inbound => Some(language::Direction::Inbound),
                Direction::Outbound => Some(language::Direction::Outbound),
                Direction::Both => None,
            },
            method: Some(self.method.clone()),
            target: Some(self.path.clone()),
            authority: self.authority.clone(),
            cluster: self.cluster.clone(),
            headers: self.headers.clone(),
            spiffe_id: self.peer.clone(),
        }
    }

    /// Prints the explanation. A request that no rule decides is a success too.
    pub async fn run(self) -> ExitCode {
        if let Some((directory, app)) = self.directory.clone().zip(self.app.clone()) {
            let selection = Selection::of(self.namespace, app);
            return application::run(directory, &selection, &self.rendering, self.output);
        }
        let (scope, workload) = match self.scopes() {
            Ok(scopes) => scopes,
            Err(error) => return wrong_use(error),
        };
        let request = self.request();
        let known = match &self.dir {
            Some(dir) => Known::of_dir(dir.clone(), &workload, request.now()).map_err(wrong_use),
            None => match self.server.clone().client().await {
                Ok(client) => {
                    Known::of_server(&client, &scope, &workload).await.map_err(|failure| failed(&failure))
                }
                Err(code) => Err(code),
            },
        };
        match known {
            Ok(known) => {
                let program = self.program(&known.snapshot, &workload);
                let (decision, lines) = lines::explain(known, &program, &request);
                print(&self.render(decision.as_ref(), &lines));
                ExitCode::from(DONE)
            }
            Err(code) => code,
        }
    }

    /// The scope that the filter polls for, and the workload that it decides for. A waypoint polls for every service.
    fn scopes(&self) -> Result<(Scope, Scope), ScopeError> {
        let services: Vec<_> = match self.host {
            Some(_) => vec!["*"],
            None => self.services.iter().map(String::as_str).collect(),
        };
        let scope = Scope::new(self.namespace.as_deref(), services)?;
        let workload = match &self.host {
            Some(host) => scope.clone().of_host(host.to_string()),
            None => scope.clone(),
        };
        Ok((scope, workload))
    }

    fn program(&self, snapshot: &Snapshot, workload: &Scope) -> Program {
        let program = match self.direction {
            Direction::Inbound | Direction::Outbound => Program::compile(snapshot, workload),
            Direction::Both => Program::compile_for_gateway(snapshot, workload),
        };
        program.in_domain(&self.rendering.cluster_domain)
    }

    fn render(&self, decision: Option<&Decision>, lines: &[Line]) -> String {
        let injects = decision.is_some_and(|decision| decision.mode == Mode::Inject);
        let decides = lines.iter().find(|line| line.decides);
        let decides = decides.map(|line| json!({"policy": line.policy, "rule": line.rule}));
        self.output.render(&json!({"decides": decides, "injects": injects, "rules": lines}), || table(lines))
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("must be `name: value`")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

fn host(text: &str) -> Result<Host, String> {
    Host::try_from(text.to_owned()).map_err(|error| error.to_string())
}
