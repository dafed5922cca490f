//! The policies of the stories.

/// A request that a selected service gets aborted, so that it shows which policy is in force there.
pub(crate) const PROBE: &str = "/which-policy";

/// One rule for every request of some workloads.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// Says what it does, so that another policy has another name.
    pub(crate) name: String,
    namespace: &'static str,
    service: &'static str,
    fault: String,
}

impl Policy {
    /// Answers this percentage of the requests to a service of the namespace `demo`, or to `*`, with
    /// this status.
    pub(crate) fn abort(service: &'static str, percentage: u8, status: u16) -> Self {
        let fault = format!("percentage: {percentage}, abort: {{httpStatus: {status}}}");
        Self::of(service, &format!("{status}-{percentage}"), fault)
    }

    /// Delays every request to a service of the namespace `demo`.
    pub(crate) fn delay(service: &'static str, milliseconds: u16) -> Self {
        let fault = format!("percentage: 100, delay: {{fixed_delay_ms: {milliseconds}}}");
        Self::of(service, &format!("later-{milliseconds}"), fault)
    }

    fn of(service: &'static str, effect: &str, fault: String) -> Self {
        let name = format!("{}-{effect}", service.replace('*', "all"));
        Self { name, namespace: "demo", service, fault }
    }

    /// The same in whatever namespace.
    pub(crate) fn in_every_namespace(self) -> Self {
        Self { namespace: "*", ..self }
    }

    /// The file of the repository that it is in.
    pub(crate) fn file(&self) -> String {
        format!("stories/{}.yaml", self.name)
    }

    /// True if it selects this service of the namespace `demo`.
    pub(crate) fn selects(&self, service: &str) -> bool {
        self.service == "*" || self.service == service
    }

    /// As it is written.
    pub(crate) fn yaml(&self) -> String {
        let Self { name, namespace, service, fault } = self;
        format!(
            "metadata: {{name: {name}}}
spec:
  selector: {{service: '{service}', namespace: '{namespace}'}}
  rules:
    - match: {{path: {{exact: {PROBE}}}}}
      fault: {{percentage: 100, abort: {{httpStatus: 503}}}}
    - fault: {{{fault}}}
"
        )
    }
}
