//! Requests that change policies: who may send them, and how often.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::http::{HeaderMap, StatusCode, header::RETRY_AFTER};

use super::{
    authorization::{self, unauthorized},
    problem::Problem,
};
use crate::{
    access::{
        buckets::Buckets,
        claims::{Claims, Unfit},
        failures::Failures,
        reviews::Reviews,
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
    reviews: Reviews,
    rates: Buckets<UserName>,
    /// Present in a cluster, for tokens of ServiceAccounts.
    reviewer: Option<TokenReviewer>,
}

impl Writing {
    /// Takes requests of the owners of these tokens, so many a second of each.
    pub fn new(writes: Writes, tokens: TokenFile, per_second: u32, reviewer: Option<TokenReviewer>) -> Self {
        let (failures, rates) = (Failures::default(), Buckets::new(BURST.max(per_second), per_second.into()));
        Self { writes, tokens, failures, reviews: Reviews::default(), rates, reviewer }
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
        let owner = match grants.of_token(&token) {
            Some(rights) => Ok(rights),
            None => self.of_account(&grants, &token, client).await?,
        };
        let (known, now) = (owner.as_ref().ok().map(|rights| &rights.user), Instant::now());
        self.failures.note(client, known, now).map_err(|wait| {
            too_many("tokens that are not valid came from this address too often".to_owned(), wait)
        })?;
        owner.map_err(|unfit| unauthorized(&unfit.to_string()))
    }

    /// The rights of the ServiceAccount whose token this is, or the reason why it is of none.
    async fn of_account(
        &self,
        grants: &Grants,
        token: &[u8],
        client: Client,
    ) -> Result<Result<Arc<Rights>, Unfit>, Problem> {
        let reviewer = self.reviewer.as_ref().filter(|_| grants.has_accounts());
        let (Some(reviewer), Ok(token)) = (reviewer, str::from_utf8(token)) else {
            return Ok(Err(Unfit::Other));
        };
        let claims = match Claims::of(token, since_1970()) {
            Ok(claims) => claims,
            Err(unfit) => return Ok(Err(unfit)),
        };
        let user = match self.reviews.user(token, Instant::now()) {
            Some(user) => user,
            None => match self.review(reviewer, token, &claims, client).await? {
                Some(user) => user,
                None => return Ok(Err(Unfit::Other)),
            },
        };
        grants.of_account(&user).map(Ok).ok_or_else(|| without_line(&user))
    }

    /// Asks the API server for the user of a token, and remembers one that is valid.
    async fn review(
        &self,
        reviewer: &TokenReviewer,
        token: &str,
        claims: &Claims,
        client: Client,
    ) -> Result<Option<String>, Problem> {
        let begun = Instant::now();
        // Counted before it is asked: it is not to be asked for guesses.
        if self.failures.wait(client, begun).is_some() {
            return Ok(None);
        }
        self.reviews.begin(client, begun).map_err(|wait| {
            too_many("tokens of ServiceAccounts come faster than they may be reviewed".to_owned(), wait)
        })?;
        let user = reviewer.user(token).await.map_err(|error| {
            let detail = format!("the API server cannot say whose token this is: {error}");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .header(RETRY_AFTER, super::limits::RETRY_AFTER)
        })?;
        if let Some(user) = &user {
            self.reviews.keep(token, user.clone(), claims.left(since_1970()), begun);
        }
        Ok(user)
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

/// 403 for a ServiceAccount that the file of tokens does not name, with the line to add.
fn without_line(user: &str) -> Problem {
    let account = user.trim_start_matches("system:serviceaccount:");
    let (namespace, name) = account.split_once(':').unwrap_or(("", account));
    let short: String =
        name.chars().map(|letter| if letter == '.' { '-' } else { letter }).take(63).collect();
    let detail = format!(
        "the ServiceAccount {namespace}/{name} may not change policies: the file of --write-token-file needs a line \
         such as `{short} serviceaccount:{namespace}/{name}`"
    );
    Problem::new(StatusCode::FORBIDDEN, detail)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn too_many(detail: String, wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).header(RETRY_AFTER, &seconds.max(1).to_string())
}
