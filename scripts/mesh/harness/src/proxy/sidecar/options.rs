//! The options of a proxy that only some have.

use std::path::{Path, PathBuf};

use super::{Route, Sidecar};
use crate::system::paths;
use anyhow::Result;

#[derive(Debug, Clone, Default)]
pub(crate) struct EnvoyOptions {
    pub(crate) speaks_http2: bool,
    pub(crate) access_log: Option<PathBuf>,
    pub(crate) core: Option<usize>,
    pub(crate) faulted_header: Option<(String, String)>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) routes: Vec<Route>,
    pub(crate) missing_clusters: Vec<String>,
    /// The number of redirects of its workload that it follows itself.
    pub(crate) followed_redirects: u32,
    /// Names of further plugins, in the order in which they come behind the first, and their builds of the filter,
    /// where they have one of their own.
    pub(crate) further_plugins: Vec<(&'static str, Option<PathBuf>)>,
    drain_seconds: Option<u32>,
    failure_policy: Option<&'static str>,
    module: Option<PathBuf>,
}

/// Somebody with a certificate of the mesh.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: String,
    /// The alternative names in its certificate, as openssl writes them.
    pub(crate) names: String,
}

impl Sidecar {
    /// With a caller whose requests to this waypoint come through tunnels, by a certificate with these names,
    /// such as `URI:spiffe://…`. [`Envoy::tunnel`] tells where it sends them.
    ///
    /// [`Envoy::tunnel`]: crate::Envoy::tunnel
    pub fn called_by(mut self, name: &str, names: &str) -> Self {
        self.options.callers.push(Caller { name: name.to_owned(), names: names.to_owned() });
        self
    }

    /// With another plugin of this name and the same configuration behind it, in the same filter chain.
    pub fn with_plugin(mut self, name: &'static str) -> Self {
        self.options.further_plugins.push((name, None));
        self
    }

    /// The same with another build of the filter.
    pub fn with_plugin_of(mut self, name: &'static str, module: &Path) -> Self {
        self.options.further_plugins.push((name, Some(module.to_owned())));
        self
    }

    /// With a workload that is spoken to in HTTP/2, as gRPC needs.
    pub fn speaking_http2(mut self) -> Self {
        self.options.speaks_http2 = true;
        self
    }

    /// Without this cluster, though a route leads there.
    pub fn lacking(mut self, cluster: &str) -> Self {
        self.options.missing_clusters.push(cluster.to_owned());
        self
    }

    /// With so many redirects of its workload that it follows itself for one request, if they name a whole address.
    pub fn following_redirects(mut self, redirects: u32) -> Self {
        self.options.followed_redirects = redirects;
        self
    }

    /// With a line in this file for every request that has ended.
    pub fn access_log(mut self, file: &Path) -> Self {
        self.options.access_log = Some(file.to_owned());
        self
    }

    /// With Envoy's own fault filter, which aborts every request that has this header.
    pub fn envoys_own_fault(mut self, name: &str, value: &str) -> Self {
        self.options.faulted_header = Some((name.to_owned(), value.to_owned()));
        self
    }

    /// With so many seconds for what a replaced listener still holds, instead of 2; by default Envoy has 600.
    pub fn draining(mut self, seconds: u32) -> Self {
        self.options.drain_seconds = Some(seconds);
        self
    }

    pub(crate) fn drain_seconds(&self) -> u32 {
        self.options.drain_seconds.unwrap_or(2)
    }

    /// With all its threads on this core of the machine.
    pub fn core(mut self, core: usize) -> Self {
        self.options.core = Some(core);
        self
    }

    /// With what Envoy is to do once the filter's VM has trapped, instead of `FAIL_OPEN`.
    pub fn failing(mut self, failure_policy: &'static str) -> Self {
        self.options.failure_policy = Some(failure_policy);
        self
    }

    pub(crate) fn failure_policy(&self) -> &'static str {
        self.options.failure_policy.unwrap_or("FAIL_OPEN")
    }

    /// With another build of the filter.
    pub fn module(mut self, module: &Path) -> Self {
        self.options.module = Some(module.to_owned());
        self
    }

    /// The path of its build of the filter. A proxy without the filter can be had before there is one.
    pub(crate) fn module_file(&self) -> Result<PathBuf> {
        match (&self.options.module, &self.plugin) {
            (Some(module), _) => Ok(module.clone()),
            (None, Some(_)) => paths::filter(),
            (None, None) => Ok(PathBuf::new()),
        }
    }
}
