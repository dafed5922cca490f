//! `hfi explain`: the rule that decides a request, and the reason why each other rule does not.
//!
//! It runs the same program as the filter, made from the same bytes.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use policies::{
    Catalog, Decision, Facts, Program, Scope, Snapshot, Timestamp,
    evaluation::{AlwaysHit, StaticRequest},
    language::{self, ClusterDomain, Host, Mode, Reply},
    reading::Problem,
    repository::{LocatedPolicy, State},
    wire::{Format, ScopeError},
};
use serde::Serialize;
use serde_json::json;

use super::console::{DONE, print, warning, wrong_use};
use super::output::Output;
use super::policy_files::PolicyFiles;
use crate::clock::now;

/// Show which policy and rule decide a request, and why the others do not.
#[derive(Debug, Args)]
pub struct Explain {
    /// The directory of policies
    #[arg(long, value_name = "PATH")]
    dir: PathBuf,

    /// The workload's namespace
    #[arg(long, value_name = "N")]
    namespace: String,

    /// The workload's name; give the option twice to add its canonical name
    #[arg(long = "service", value_name = "S", required_unless_present = "host")]
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

    /// The domain of the mesh's services
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = cluster_domain)]
    cluster_domain: ClusterDomain,

    /// The caller's identity, such as spiffe://cluster.local/ns/demo/sa/web
    #[arg(long, value_name = "URI")]
    peer: Option<String>,

    /// The time of the request, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    at: Option<Timestamp>,

    /// The output format
    #[arg(short, long, default_value = "table", value_parser = Output::lists())]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Direction {
    Inbound,
    Outbound,
    Both,
}

/// A line of the answer: a rule, or a policy without any rule that was checked.
#[derive(Serialize)]
struct Line {
    policy: String,
    rule: Option<usize>,
    decides: bool,
    reason: String,
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
    pub fn run(self) -> ExitCode {
        let files = match PolicyFiles::read(std::slice::from_ref(&self.dir)) {
            Ok(files) => files,
            Err(error) => return wrong_use(error),
        };
        let catalog = files.catalog(false, None);
        for ignored in files.warnings() {
            warning(ignored);
        }
        for problem in catalog.problems() {
            let Problem { file, finding } = files.told(problem);
            warning(format_args!("not in force: {file}: {finding}"));
        }
        let explained = self.scope().map_err(|error| error.to_string());
        match explained.and_then(|scope| self.explain(&catalog, &scope)) {
            Ok((decision, lines)) => print(&self.render(decision.as_ref(), &lines)),
            Err(error) => return wrong_use(error),
        }
        ExitCode::from(DONE)
    }

    fn scope(&self) -> Result<Scope, ScopeError> {
        let scope = Scope::new([self.namespace.as_str()], self.services.iter().map(String::as_str))?;
        Ok(match &self.host {
            Some(host) => scope.of_host(host.to_string()),
            None => scope,
        })
    }

    fn program(&self, snapshot: &Snapshot, workload: &Scope) -> Program {
        let program = match self.direction {
            Direction::Inbound | Direction::Outbound => Program::compile(snapshot, workload),
            Direction::Both => Program::compile_for_gateway(snapshot, workload),
        };
        program.in_domain(&self.cluster_domain)
    }

    fn explain(&self, catalog: &Catalog, workload: &Scope) -> Result<(Option<Decision>, Vec<Line>), String> {
        let request = self.request();
        let now = request.now();
        let served = catalog.snapshot(workload, now).encode(Format::V2);
        let snapshot = Snapshot::decode(&served).map_err(|error| error.to_string())?;
        let program = self.program(&snapshot, workload);
        let decision = program.decide(&request, &mut AlwaysHit);
        let mut decided = false;
        let mut lines = Vec::new();
        for verdict in program.explain(&request) {
            let applies = verdict.mismatch.is_none();
            let reason = match verdict.mismatch {
                Some(mismatch) => mismatch.to_string(),
                None if decided => "matches too, but comes later".to_owned(),
                None => fault(catalog, verdict.policy, verdict.rule, decision.as_ref()),
            };
            lines.push(Line {
                policy: verdict.policy.to_owned(),
                rule: Some(verdict.rule),
                decides: applies && !decided,
                reason,
            });
            decided |= applies;
        }
        for placed in catalog.policies() {
            let name = placed.entry.policy.name.as_str();
            if !lines.iter().any(|line| line.policy == name) {
                let reason = not_asked(placed, workload, now);
                lines.push(Line { policy: name.to_owned(), rule: None, decides: false, reason });
            }
        }
        Ok((decision, lines))
    }

    fn render(&self, decision: Option<&Decision>, lines: &[Line]) -> String {
        let injects = decision.is_some_and(|decision| decision.mode == Mode::Inject);
        let decides = lines.iter().find(|line| line.decides);
        let decides = decides.map(|line| json!({"policy": line.policy, "rule": line.rule}));
        self.output.render(&json!({"decides": decides, "injects": injects, "rules": lines}), || table(lines))
    }
}

fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.policy.len()).max().unwrap_or(0).max("policy".len());
    let mut table = format!("{:<8}  {:<width$}  {:<4}  why\n", "", "policy", "rule");
    for Line { policy, rule, decides, reason } in lines {
        let mark = if *decides { "decides" } else { "" };
        let rule = rule.map_or("-".to_owned(), |rule| rule.to_string());
        table += &format!("{mark:<8}  {policy:<width$}  {rule:<4}  {reason}\n");
    }
    if !lines.iter().any(|line| line.decides) {
        table += "\nNo rule applies: the request passes untouched.\n";
    }
    table
}

/// The reason why no rule of a policy was checked.
fn not_asked(placed: &LocatedPolicy, workload: &Scope, now: Timestamp) -> String {
    let policy = &placed.entry.policy;
    let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339).unwrap_or_default();
    match placed.state(now) {
        State::Suspended => "is suspended".to_owned(),
        State::Scheduled => format!("is in force only from {}", time(placed.in_force_from())),
        State::Expired => format!("is over since {}", time(placed.entry.last_end())),
        State::Active if !workload.is_selected_by(&policy.selector) => {
            format!("selects {} in {}", policy.selector.target, policy.selector.namespace)
        }
        State::Active => format!("is for {:?} requests", policy.flow.direction()).to_lowercase(),
    }
}

/// The fault of the rule that decides.
fn fault(catalog: &Catalog, name: &str, rule: usize, decision: Option<&Decision>) -> String {
    let placed = catalog.policies().iter().find(|placed| placed.entry.policy.name.as_str() == name);
    let Some((policy, rule)) = placed.and_then(|placed| {
        let policy = &placed.entry.policy;
        Some((policy, policy.rules.get(rule)?))
    }) else {
        return String::new();
    };
    let mut does = vec![match &rule.fault.sticky_by {
        Some(header) => format!("{} % by {header}", rule.fault.percentage),
        None => format!("{} %", rule.fault.percentage),
    }];
    if rule.fault.start_delay_ms > 0 {
        does.push(format!("wait {} ms", rule.fault.start_delay_ms));
    }
    does.extend(rule.fault.delay.map(|delay| match delay.min_ms == delay.max_ms {
        true => format!("delay {} ms", delay.min_ms),
        false => format!("delay {} to {} ms", delay.min_ms, delay.max_ms),
    }));
    does.extend(rule.fault.abort.as_ref().map(|abort| match &abort.reply {
        Reply::Http { status, .. } => format!("abort with {status}"),
        Reply::Grpc { status, .. } => format!("abort with {status}"),
    }));
    if policy.mode == Mode::Shadow {
        does.push("shadow: counted, not injected".to_owned());
    } else if decision.is_none() && rule.fault.percentage.parts_per_million() > 0 {
        does.push("but not this request: a probe of the kubelet, or its value is not chosen".to_owned());
    }
    does.join(", ")
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("must be `name: value`")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

fn host(text: &str) -> Result<Host, String> {
    Host::try_from(text.to_owned()).map_err(|error| error.to_string())
}

fn cluster_domain(text: &str) -> Result<ClusterDomain, String> {
    ClusterDomain::try_from(text.to_owned()).map_err(|error| error.to_string())
}
