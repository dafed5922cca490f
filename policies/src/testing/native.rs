//! The outcome of a request without a proxy: from the bytes that are served to the decision.

use crate::{
    Catalog, Decision, Dice, Facts, Program, Scope, Snapshot, Timestamp,
    evaluation::StaticRequest,
    language::{self, Mode, Percentage, Reply},
    wire::Format,
};

use super::cases::{Abort, Delay, Direction, Expectation, Request, Table};

/// When the policies got their content, and the time of requests that name none.
pub const NOON: &str = "2026-12-01T12:00:00Z";

/// Decides about the request as the filter of its workload would, for the least and the greatest
/// delay that chance can choose.
pub fn decide(catalog: &Catalog, table: &Table, request: &Request) -> Expectation {
    let workload = request.workload.as_ref().or(table.workload.as_ref());
    let (service, namespace) = workload.map_or("checkout.demo", String::as_str).split_once('.').unwrap();
    let workload = Scope::new([namespace], [service]).unwrap();
    let given = given(request);
    let snapshot = catalog.snapshot(&workload, given.now());
    let travelled = Snapshot::decode(&snapshot.encode(Format::V2)).unwrap();
    let program = match request.direction {
        Direction::Inbound | Direction::Outbound => Program::compile(&travelled, &workload),
        Direction::Both => Program::compile_for_gateway(&travelled, &workload),
    };
    let least = program.decide(&given, &mut Fallen { to: |_| 0 });
    let greatest = program.decide(&given, &mut Fallen { to: |bound| bound.saturating_sub(1) });
    match (least, greatest) {
        (Some(least), Some(greatest)) => outcome(&least, &greatest),
        (None, None) => Expectation::Nothing,
        differing => panic!("the dice fall whenever they can, and yet: {differing:?}"),
    }
}

fn outcome(least: &Decision, greatest: &Decision) -> Expectation {
    let policy = least.policy.to_string();
    let millis = |decision: &Decision| decision.hold.as_millis() as u64;
    let (ms, max_ms) = (millis(least), Some(millis(greatest)).filter(|max| *max > millis(least)));
    match (&least.abort, least.mode) {
        (_, Mode::Shadow) => Expectation::Shadow(policy),
        (None, _) => Expectation::Delay(Delay { policy, ms, max_ms }),
        (Some(abort), _) => {
            let headers = abort.headers.iter();
            let headers =
                headers.map(|(name, value)| (name.to_string(), value.as_str().to_owned())).collect();
            let (status, grpc, body, message) = match &abort.reply {
                Reply::Http { status, body } => (Some(status.as_u16()), None, body.as_str(), ""),
                Reply::Grpc { status, message } => (None, Some(status.as_u8()), "", message.as_str()),
            };
            let (body, message) = (body.to_owned(), message.to_owned());
            Expectation::Abort(Abort { policy, status, grpc, body, message, headers, ms, max_ms })
        }
    }
}

/// Dice that always fall in favour of a fault, and choose this number for its delay.
struct Fallen {
    to: fn(u32) -> u32,
}

impl Dice for Fallen {
    fn below(&mut self, bound: u32) -> u32 {
        (self.to)(bound)
    }

    fn hits(&mut self, share: Percentage) -> bool {
        share.parts_per_million() > 0
    }
}

/// The request in the form in which it can be decided about without a proxy.
fn given(request: &Request) -> StaticRequest {
    let headers = request.headers.iter();
    StaticRequest {
        now: Some(Timestamp::parse(request.now.as_deref().unwrap_or(NOON)).unwrap()),
        direction: match request.direction {
            Direction::Inbound => Some(language::Direction::Inbound),
            Direction::Outbound => Some(language::Direction::Outbound),
            Direction::Both => None,
        },
        method: Some(request.method.clone()),
        target: Some(request.path.clone()),
        authority: request.authority.clone(),
        cluster: request.cluster.clone(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        spiffe_id: request.peer.clone(),
    }
}
