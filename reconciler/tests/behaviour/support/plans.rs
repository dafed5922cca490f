//! Plans of the commits of a repository, made by a process of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use harness::Repository;
use policies::language::ClusterDomain;
use reconciler::{
    istio::{
        foreign::Foreign,
        plan::{Namespaces, Plan},
    },
    planning::{
        order::Known,
        planner::{Newest, Planner},
        process::Terms,
    },
    source::{SourceError, ancestry::CommitId, git::CommitLog},
};

use crate::support::NEVER;

/// A planner, and the processes that it has started.
pub(crate) struct Plans {
    pub(crate) planner: Planner,
    starts: tempfile::TempDir,
}

impl Plans {
    /// A planner for the policy directory `path`, by processes that run these lines of a shell before they are `hfi`.
    pub(crate) fn of(
        repository: &Repository,
        path: &str,
        first: &str,
        terms: impl FnOnce(&mut Terms),
    ) -> Self {
        let starts = tempfile::tempdir().unwrap();
        let (program, pids) = (starts.path().join("hfi"), starts.path().join("pids"));
        let script = format!(
            "#!/bin/sh\necho $$ >> {}\n{first}\nexec {} \"$@\"\n",
            pids.display(),
            env!("CARGO_BIN_EXE_hfi")
        );
        write_program(&program, &script);
        let mut all = Terms { program, idle: NEVER, ..Terms::default() };
        terms(&mut all);
        let commits = CommitLog::of(repository.bare(), PathBuf::from(path));
        Self { planner: Planner::new(commits, ClusterDomain::default(), all), starts }
    }

    /// The plan for the namespace `shop` at the newest commit, where nothing is in force.
    pub(crate) async fn shop(&mut self, repository: &Repository) -> Result<Plan, SourceError> {
        let plans = self.all(repository, &Known::default()).await?;
        Ok(plans.get("shop").cloned().unwrap_or_default())
    }

    /// The plans for all namespaces, where this is in force.
    pub(crate) async fn all(
        &mut self,
        repository: &Repository,
        known: &Known,
    ) -> Result<Arc<Namespaces<Plan>>, SourceError> {
        let commit = repository.git(&["rev-parse", "HEAD"]).await.unwrap();
        let newest = Newest { commit: CommitId::from_hex(commit.trim()).unwrap(), withdrawn: None };
        self.planner.plan(&newest, known, [].into(), &Foreign::default()).await
    }

    /// The processes that were started.
    pub(crate) fn started(&self) -> Vec<String> {
        started(self.starts.path())
    }

    /// Waits for the first process.
    pub(crate) fn first(&self) -> impl Future<Output = String> + use<> {
        let starts = self.starts.path().to_owned();
        async move {
            loop {
                if let Some(first) = started(&starts).into_iter().next() {
                    return first;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

fn started(starts: &Path) -> Vec<String> {
    let pids = fs::read_to_string(starts.join("pids")).unwrap_or_default();
    pids.lines().map(str::to_owned).collect()
}

/// Writes a program by another process: what this one has open for writing, its children may have open too, and then it
/// cannot be executed.
fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", text]).arg(path);
    assert!(shell.status().unwrap().success());
}

/// An application of the namespace `shop`.
pub(crate) fn application(name: &str) -> String {
    format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  destinationRule: {{host: {name}}}\n"
    )
}
