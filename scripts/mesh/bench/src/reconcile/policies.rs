//! A repository of policies: each in a file of its own, a hundred to a directory.

use anyhow::Result;
use harness::Repository;

const FILES_OF_A_FOLDER: usize = 100;
/// One in so many counts its duration from its commit.
const TIMED: usize = 10;

/// One of the policies, by its number: for the requests of a service of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy(pub(crate) usize);

impl Policy {
    fn namespace(self) -> String {
        format!("team-{}", self.0 / FILES_OF_A_FOLDER)
    }

    fn service(self) -> String {
        format!("service-{}", self.0)
    }

    /// The path of the snapshot that holds it and no other.
    pub(crate) fn snapshot(self) -> String {
        format!("/v1/snapshot?namespace={}&service={}", self.namespace(), self.service())
    }

    /// Writes its file, with this status.
    pub(crate) fn write(self, repository: &Repository, status: usize) -> Result<()> {
        let (namespace, service) = (self.namespace(), self.service());
        let duration = if self.0.is_multiple_of(TIMED) { "duration_seconds: 86400, " } else { "" };
        let text = format!(
            "\
metadata:
  name: policy-{}
spec:
  selector:
    service: {service}
    namespace: {namespace}
  rules:
    - match:
        path: {{prefix: /api/orders/}}
        headers: [{{name: x-user-id, regex: '^test-[0-9]+$'}}]
      fault: {{{duration}percentage: 12.5, abort: {{httpStatus: {status}, body: out of order}}}}
    - match:
        path: {{exact: /api/carts}}
        method: {{exact: POST}}
      fault: {{percentage: 5, delay: {{min_ms: 100, max_ms: 400}}}}
",
            self.0
        );
        repository.write(&format!("{namespace}/{service}.yaml"), &text)
    }
}
