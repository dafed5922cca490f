//! Halts by HTTP: who may halt, and who may resume.

use std::{fmt, sync::Arc};

use axum::http::{StatusCode, header};
use tokio::time::Instant;

use super::{
    problem::Problem,
    tokens::{Tokens, owner_in},
    writing::Writing,
};
use crate::{
    access::{failures::Failures, rights::Rights},
    clients::Client,
    halts::{book::Book, exchange::Exchange},
};

/// The halts of this replica, and those who may begin and end them.
pub struct Halting {
    pub(crate) book: Arc<Book>,
    /// The tokens that stop and never resume.
    tokens: Option<Tokens>,
    /// The name of this replica.
    pub(crate) replica: String,
    /// The exchange with the other replicas, if this one asks them.
    pub(crate) exchange: Option<Arc<Exchange>>,
}

impl Halting {
    /// Takes requests of the owners of these tokens, beside those who may write.
    pub fn new(book: Arc<Book>, tokens: Option<Tokens>, replica: String) -> Self {
        Self { book, tokens, replica, exchange: None }
    }

    /// Tells the other replicas, and hears from them.
    #[must_use]
    pub fn with_exchange(self, exchange: Option<Arc<Exchange>>) -> Self {
        Self { exchange, ..self }
    }

    /// Tells the other replicas what is known now. It ends then, whoever does not answer.
    pub(crate) async fn tell(&self, end: Instant) {
        if let Some(exchange) = &self.exchange {
            exchange.until(end).await;
        }
    }

    /// The tokens that stop and never resume.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// Tells how halts by HTTP are switched on, while nobody may halt.
    pub(crate) fn is_on(&self, writing: Option<&Writing>) -> Result<(), Problem> {
        if self.tokens.is_some() || writing.is_some() {
            return Ok(());
        }
        let detail = "halts by HTTP are off; switch them on with --halt-token-file (HFI_HALT_TOKEN_FILE) or \
                      --write-token-file (HFI_WRITE_TOKEN_FILE)";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        Err(problem.header(header::ALLOW, "GET, HEAD"))
    }

    /// The rights of somebody who may halt.
    pub(crate) async fn authorize(
        &self,
        writing: Option<&Writing>,
        failures: &Failures,
        token: &[u8],
        client: Client,
    ) -> Result<Arc<Rights>, Problem> {
        let files = [writing.map(Writing::tokens), self.tokens()];
        failures.judge(client, owner_in(files, token, client).await?)
    }
}

impl fmt::Debug for Halting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Halting").field("replica", &self.replica).finish_non_exhaustive()
    }
}
