//! Halts by HTTP: who may halt, and who may resume.

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, StatusCode, header};

use super::{
    authorization,
    problem::Problem,
    tokens::{Stranger, Tokens},
    writing::Writing,
};
use crate::{
    access::{claims::Unfit, failures::Failures, rights::Rights},
    clients::Client,
    halts::book::Book,
};

/// The halts of this replica, and those who may begin and end them.
pub struct Halting {
    pub(crate) book: Arc<Book>,
    /// The tokens that stop and never resume.
    tokens: Option<Tokens>,
    failures: Failures,
    /// The name of this replica.
    pub(crate) replica: String,
}

impl Halting {
    /// Takes requests of the owners of these tokens, beside those who may write.
    pub fn new(book: Arc<Book>, tokens: Option<Tokens>, replica: String) -> Self {
        Self { book, tokens, failures: Failures::default(), replica }
    }

    /// The rights of somebody who may halt.
    pub(crate) async fn authorize(
        &self,
        writing: Option<&Writing>,
        headers: &HeaderMap,
        host: Option<&str>,
        client: Client,
    ) -> Result<Arc<Rights>, Problem> {
        if self.tokens.is_none() && writing.is_none() {
            let detail = "halts by HTTP are off; switch them on with --halt-token-file (HFI_HALT_TOKEN_FILE) or \
                          --write-token-file (HFI_WRITE_TOKEN_FILE)";
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
            return Err(problem.header(header::ALLOW, "GET, HEAD"));
        }
        let token = authorization::token(headers, host)?;
        let mut owner = Ok(Err(Stranger::Unfit(Unfit::Other)));
        for tokens in [writing.map(Writing::tokens), self.tokens.as_ref()].into_iter().flatten() {
            match tokens.owner(&token, client).await {
                Ok(Ok(found)) => return self.failures.judge(client, Ok(found)),
                other if owner.is_ok() => owner = other,
                _ => {}
            }
        }
        self.failures.judge(client, owner?)
    }
}

impl fmt::Debug for Halting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Halting").field("replica", &self.replica).finish_non_exhaustive()
    }
}
