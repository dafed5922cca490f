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
    halts::{book::Book, exchange::Exchange},
};

/// The halts of this replica, and those who may begin and end them.
pub struct Halting {
    pub(crate) book: Arc<Book>,
    /// The tokens that stop and never resume.
    tokens: Option<Tokens>,
    failures: Failures,
    /// The name of this replica.
    pub(crate) replica: String,
    /// The exchange with the other replicas, if this one asks them.
    pub(crate) exchange: Option<Arc<Exchange>>,
}

impl Halting {
    /// Takes requests of the owners of these tokens, beside those who may write.
    pub fn new(book: Arc<Book>, tokens: Option<Tokens>, replica: String) -> Self {
        Self { book, tokens, failures: Failures::default(), replica, exchange: None }
    }

    /// Tells the other replicas, and hears from them.
    #[must_use]
    pub fn with_exchange(self, exchange: Option<Arc<Exchange>>) -> Self {
        Self { exchange, ..self }
    }

    /// Tells the other replicas what is known now. It ends in time, whoever does not answer.
    pub(crate) async fn tell(&self) {
        if let Some(exchange) = &self.exchange {
            exchange.once().await;
        }
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
