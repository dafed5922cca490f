//! Faults that Istio injects.

use policies::language::{GrpcStatus, GrpcStatusError};

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("VS22", vs22),
    Rule::new("VS23", vs23),
    Rule::new("VS24", vs24),
    Rule::new("VS25", vs25),
    Rule::new("H01", h01),
    Rule::new("H02", h02),
    Rule::new("H03", h03),
    Rule::new("H32", h32),
    Rule::new("X002", x002),
];

fn faults<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    routes::http(subject).filter_map(|route| route.get("fault").set())
}

/// The aborts or the delays.
pub(super) fn parts<'a>(
    subject: &Subject<'a>,
    name: &'static str,
) -> impl Iterator<Item = Field<'a>> + use<'a> {
    faults(subject).filter_map(move |fault| fault.get(name).set())
}

fn vs22(subject: &Subject, out: &mut Out) {
    for fault in faults(subject) {
        if fault.present(&["abort", "delay"]).is_empty() {
            out.error(&fault, "has no abort and no delay", "write one of them, or leave it out");
        }
    }
}

fn vs23(subject: &Subject, out: &mut Out) {
    for abort in parts(subject, "abort") {
        let at = abort.get("httpStatus");
        if let Some(status) = at.integer().filter(|status| !(200..=600).contains(status)) {
            out.error(&at, format!("is {status}"), "a status is from 200 to 599");
        }
    }
}

fn h01(subject: &Subject, out: &mut Out) {
    for abort in parts(subject, "abort") {
        let at = abort.get("httpStatus");
        if at.integer() == Some(600) {
            out.error(
                &at,
                "is 600, which Istio takes and Envoy refuses with all routes",
                "a status is from 200 to 599",
            );
        }
    }
}

/// Istio takes `OK` as well, which is no error.
fn is_grpc_code(name: &str) -> bool {
    name == "OK" || GrpcStatus::named(name).is_ok()
}

fn vs24(subject: &Subject, out: &mut Out) {
    for abort in parts(subject, "abort") {
        let at = abort.get("grpcStatus");
        if let Some(code) = at.text().filter(|code| !is_grpc_code(code)) {
            let upper = code.to_ascii_uppercase();
            let right = if is_grpc_code(&upper) {
                format!("write `{upper}`")
            } else {
                format!("it {GrpcStatusError}")
            };
            out.error(&at, format!("`{code}` is not a code of gRPC"), right);
        }
    }
}

fn vs25(subject: &Subject, out: &mut Out) {
    for (part, name) in [("abort", "http2Error"), ("delay", "exponentialDelay")] {
        for holder in parts(subject, part).filter(|holder| holder.has(name)) {
            out.error(&holder.get(name), "is not supported by Istio", "use `httpStatus` or `fixedDelay`");
        }
    }
}

fn h02(subject: &Subject, out: &mut Out) {
    for abort in parts(subject, "abort") {
        if abort.present(&["httpStatus", "grpcStatus", "http2Error"]).is_empty() {
            out.error(
                &abort,
                "has no status, so Istio drops it in silence",
                "write `httpStatus` or `grpcStatus`",
            );
        }
    }
}

fn h03(subject: &Subject, out: &mut Out) {
    for delay in parts(subject, "delay") {
        if !delay.has("percentage") && delay.integer_of("percent").unwrap_or_default() == 0 {
            out.error(
                &delay.get("percentage"),
                "is missing, so no request is delayed",
                "write `percentage: {value: 100}`",
            );
        }
    }
}

fn h32(subject: &Subject, out: &mut Out) {
    for fault in faults(subject) {
        let reason = "has no end, no guardrail and no trial run";
        out.warning(&fault, reason, "write a FaultPolicy");
    }
}

fn x002(subject: &Subject, out: &mut Out) {
    for delay in parts(subject, "delay").filter(|delay| delay.has("percent")) {
        out.warning(&delay.get("percent"), "is an old spelling", "write `percentage: {value: …}`");
    }
}
