//! Policies that several tests need; what only one test needs stands in that test.

/// Aborts every request to a service with 503.
pub(crate) fn abort_all(name: &str, service: &str) -> String {
    policy(name, service, "percentage: 100, abort: {httpStatus: 503}")
}

/// Does this to every request of a service.
pub(crate) fn policy(name: &str, service: &str, fault: &str) -> String {
    format!(
        "metadata: {{name: {name}}}
spec:
  selector: {{service: {service}, namespace: demo}}
  rules:
    - fault: {{{fault}}}
"
    )
}
