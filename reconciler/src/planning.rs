//! Plans what commits change in the Istio configuration of applications, in a process of its own. To render and check all
//! applications takes much memory, which a process gives back at its end.
//!
//! - `order`: what is asked of the process, and its answer.
//! - `ways`: how the newest commit follows others; `agreement`: what people have agreed to; `annotation`: its end.
//! - `earlier`: what applications last had, where no artifact says it; `last_documents`: where they were written last;
//!   both by `lookback`.
//! - `planned`: the plan of a commit; `unplanned`: the plans of namespaces that it leaves alone.
//! - `reader`: the applications of a commit.
//! - [`child`]: the work of the process.
//! - `process`: the process, as its parent sees it; `failure`: the reasons why it has made no plan.
//! - [`planner`]: asks it, and ends it when there is nothing to do.

mod agreement;
mod annotation;
pub mod child;
mod earlier;
mod failure;
mod last_documents;
mod lookback;
pub mod order;
mod planned;
pub mod planner;
pub mod process;
mod reader;
mod unplanned;
mod ways;
