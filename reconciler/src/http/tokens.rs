//! The owner of a token: of a token file, or a ServiceAccount of the cluster.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::http::{StatusCode, header::RETRY_AFTER};

use super::{authorization::unauthorized, limits, problem::Problem};
use crate::{
    access::{
        claims::{Claims, Unfit},
        failures::Failures,
        reviews::Reviews,
        rights::Rights,
        token_file::{Grants, TokenFile},
    },
    clients::Client,
    kubernetes::TokenReviewer,
};

/// A token file, and the cluster that knows the ServiceAccounts in it.
pub struct Tokens {
    file: TokenFile,
    reviews: Reviews,
    /// Present in a cluster, for tokens of ServiceAccounts.
    reviewer: Option<TokenReviewer>,
}

/// The reason why a token has no owner here.
#[derive(Debug)]
pub(crate) enum Stranger {
    Unfit(Unfit),
    /// It is valid, and of this user of the cluster, whom the file does not name.
    WithoutLine {
        user: String,
        option: &'static str,
    },
}

impl Tokens {
    pub fn new(file: TokenFile, reviewer: Option<TokenReviewer>) -> Self {
        Self { file, reviews: Reviews::default(), reviewer }
    }

    /// The rights of the owner of a token.
    pub(crate) async fn owner(
        &self,
        token: &[u8],
        failures: &Failures,
        client: Client,
    ) -> Result<Result<Arc<Rights>, Stranger>, Problem> {
        let grants = self.file.grants();
        match grants.of_token(token) {
            Some(rights) => Ok(Ok(rights)),
            None => self.of_account(&grants, token, failures, client).await,
        }
    }

    /// The rights of the ServiceAccount whose token this is.
    async fn of_account(
        &self,
        grants: &Grants,
        token: &[u8],
        failures: &Failures,
        client: Client,
    ) -> Result<Result<Arc<Rights>, Stranger>, Problem> {
        let unfit = |unfit| Ok(Err(Stranger::Unfit(unfit)));
        let reviewer = self.reviewer.as_ref().filter(|_| grants.has_accounts());
        let (Some(reviewer), Ok(token)) = (reviewer, str::from_utf8(token)) else {
            return unfit(Unfit::Other);
        };
        let claims = match Claims::of(token, since_1970()) {
            Ok(claims) => claims,
            Err(reason) => return unfit(reason),
        };
        let user = match self.reviews.user(token, Instant::now()) {
            Some(user) => Some(user),
            None => self.review(reviewer, token, &claims, failures, client).await?,
        };
        let Some(user) = user else { return unfit(Unfit::Other) };
        let option = self.file.option();
        Ok(grants.of_account(&user).ok_or(Stranger::WithoutLine { user, option }))
    }

    /// Asks the API server for the user of a token, and remembers one that is valid.
    async fn review(
        &self,
        reviewer: &TokenReviewer,
        token: &str,
        claims: &Claims,
        failures: &Failures,
        client: Client,
    ) -> Result<Option<String>, Problem> {
        let begun = Instant::now();
        // Counted before it is asked: it is not to be asked for guesses.
        if failures.wait(client, begun).is_some() {
            return Ok(None);
        }
        self.reviews.begin(client, begun).map_err(|wait| {
            too_many("tokens of ServiceAccounts come faster than they may be reviewed".to_owned(), wait)
        })?;
        let user = reviewer.user(token).await.map_err(|error| {
            let detail = format!("the API server cannot say whose token this is: {error}");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(RETRY_AFTER, limits::RETRY_AFTER)
        })?;
        if let Some(user) = &user {
            self.reviews.keep(token, user.clone(), claims.left(since_1970()), begun);
        }
        Ok(user)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Failures {
    /// The rights that a token gives at an address, or the reason why it gives none.
    pub(crate) fn judge(
        &self,
        client: Client,
        owner: Result<Arc<Rights>, Stranger>,
    ) -> Result<Arc<Rights>, Problem> {
        if let Err(Stranger::WithoutLine { user, option }) = &owner {
            return Err(without_line(user, option));
        }
        let known = owner.as_ref().ok().map(|rights| &rights.user);
        self.note(client, known, Instant::now()).map_err(|wait| {
            too_many("tokens that are not valid came from this address too often".to_owned(), wait)
        })?;
        owner.map_err(|stranger| match stranger {
            Stranger::Unfit(unfit) => unauthorized(&unfit.to_string()),
            Stranger::WithoutLine { user, option } => without_line(&user, option),
        })
    }
}

/// 403 for a ServiceAccount that the file of tokens does not name, with the line to add.
fn without_line(user: &str, option: &str) -> Problem {
    let account = user.trim_start_matches("system:serviceaccount:");
    let (namespace, name) = account.split_once(':').unwrap_or(("", account));
    let short: String =
        name.chars().map(|letter| if letter == '.' { '-' } else { letter }).take(63).collect();
    let detail = format!(
        "the ServiceAccount {namespace}/{name} may not do this: the file of {option} needs a line such as `{short} \
         serviceaccount:{namespace}/{name}`"
    );
    Problem::new(StatusCode::FORBIDDEN, detail)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// 429, with the time to wait.
pub(crate) fn too_many(detail: String, wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).header(RETRY_AFTER, &seconds.max(1).to_string())
}
