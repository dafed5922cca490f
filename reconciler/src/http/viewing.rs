//! Reads: who may, where not everybody may.

use std::fmt;

use axum::http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};

use super::{
    authorization,
    halting::Halting,
    problem::Problem,
    tokens::{Tokens, owner_in},
    writing::Writing,
};
use crate::{access::failures::Failures, clients::Client};

/// The tokens of those who may only read.
pub struct Viewing(Tokens);

impl Viewing {
    pub fn new(tokens: Tokens) -> Self {
        Self(tokens)
    }

    /// Refuses who may not read. Whoever may change something may read, too.
    pub(super) async fn authorize(
        &self,
        writing: Option<&Writing>,
        halting: &Halting,
        failures: &Failures,
        headers: &HeaderMap,
        client: Client,
    ) -> Result<(), Problem> {
        let judge = async {
            let token = authorization::token(headers)?;
            failures.judge(client, owner_in(self.files(writing, halting), &token, client).await?)
        };
        // A browser asks its user for a password only upon this challenge.
        let for_browsers = |problem: Problem| match problem.status() {
            StatusCode::UNAUTHORIZED => {
                problem.header(WWW_AUTHENTICATE, "Basic realm=\"hfi\", charset=\"UTF-8\"")
            }
            _ => problem,
        };
        judge.await.map(|_| ()).map_err(for_browsers)
    }

    /// True unless a token that was good is so no more. One that cannot be reviewed now still is.
    pub(super) async fn still_takes(
        &self,
        writing: Option<&Writing>,
        halting: &Halting,
        token: &[u8],
        client: Client,
    ) -> bool {
        !matches!(owner_in(self.files(writing, halting), token, client).await, Ok(Err(_)))
    }

    /// The files whose tokens may read.
    fn files<'a>(&'a self, writing: Option<&'a Writing>, halting: &'a Halting) -> [Option<&'a Tokens>; 3] {
        [writing.map(Writing::tokens), halting.tokens(), Some(&self.0)]
    }
}

impl fmt::Debug for Viewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewing").field("tokens", &self.0).finish()
    }
}
