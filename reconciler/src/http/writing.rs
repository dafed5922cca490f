//! Requests that change policies: who may send them, and how often.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, StatusCode, header::RETRY_AFTER};

use super::{
    authorization::{self, unauthorized},
    problem::Problem,
};
use crate::{
    access::{
        buckets::Buckets,
        failures::Failures,
        rights::{Rights, UserName},
        token_file::{Grants, TokenFile},
    },
    clients::Client,
    kubernetes::TokenReviewer,
    writes::queue::Writes,
};

/// The writes of a user at once, above the rate.
const BURST: u32 = 20;

/// The way to change policies, with the tokens of those who may.
pub struct Writing {
    pub(crate) writes: Writes,
    tokens: TokenFile,
    failures: Failures,
    rates: Buckets<UserName>,
    /// Present in a cluster, for tokens of ServiceAccounts.
    reviewer: Option<TokenReviewer>,
}

impl Writing {
    /// Takes requests of the owners of these tokens, so many a second of each.
    pub fn new(writes: Writes, tokens: TokenFile, per_second: u32, reviewer: Option<TokenReviewer>) -> Self {
        let (failures, rates) = (Failures::default(), Buckets::new(BURST.max(per_second), per_second.into()));
        Self { writes, tokens, failures, rates, reviewer }
    }

    /// The rights of the sender of a request.
    pub(crate) async fn authorize(
        &self,
        headers: &HeaderMap,
        host: Option<&str>,
        client: Client,
    ) -> Result<Arc<Rights>, Problem> {
        let token = authorization::token(headers, host)?;
        let grants = self.tokens.grants();
        let rights = match grants.of_token(&token) {
            Some(rights) => Some(rights),
            None => self.of_account(&grants, &token, client).await?,
        };
        let (owner, now) = (rights.as_ref().map(|rights| &rights.user), Instant::now());
        self.failures.note(client, owner, now).map_err(|wait| {
            too_many("tokens that are not valid came from this address too often".to_owned(), wait)
        })?;
        rights.ok_or_else(|| unauthorized("the token is not valid"))
    }

    /// The rights of a ServiceAccount, if this is a token of it.
    async fn of_account(
        &self,
        grants: &Grants,
        token: &[u8],
        client: Client,
    ) -> Result<Option<Arc<Rights>>, Problem> {
        // Such a token is a JSON Web Token, of three parts.
        let token = str::from_utf8(token).ok().filter(|token| token.split('.').count() == 3);
        let (Some(reviewer), Some(token)) = (self.reviewer.as_ref().filter(|_| grants.has_accounts()), token)
        else {
            return Ok(None);
        };
        // The API server is not to be asked for guesses.
        if self.failures.wait(client, Instant::now()).is_some() {
            return Ok(None);
        }
        let user = reviewer.user(token).await.map_err(|error| {
            let detail = format!("the API server cannot say whose token this is: {error}");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .header(RETRY_AFTER, super::limits::RETRY_AFTER)
        })?;
        Ok(user.and_then(|user| grants.of_account(&user)))
    }

    /// Counts a request of a user.
    pub(crate) fn count(&self, user: &UserName) -> Result<(), Problem> {
        let user_name = user.as_str();
        self.rates.take(user.clone(), Instant::now()).map_err(|wait| {
            too_many(format!("`{user_name}` writes more often than the server allows (--write-rate)"), wait)
        })
    }
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("writes", &self.writes).finish_non_exhaustive()
    }
}

fn too_many(detail: String, wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).header(RETRY_AFTER, &seconds.max(1).to_string())
}
