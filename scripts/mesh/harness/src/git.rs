//! Git: a repository to push to, and the servers that a reconciler fetches from.

mod http;
mod https;
mod repository;
mod ssh;

pub use http::GitHttp;
pub use https::GitHttps;
pub(crate) use repository::BRANCH;
pub use repository::{Push, Repository};
pub use ssh::GitSsh;
