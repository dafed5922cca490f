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
        rights::{Rights, UserName},
        token_file::{Grants, TokenFile},
    },
    clients::Client,
    kubernetes::TokenReviewer,
};

/// A token file, and the cluster that knows the ServiceAccounts in it.
pub struct Tokens {
    file: Arc<TokenFile>,
    reviews: Reviews,
    /// Present in a cluster, for tokens of ServiceAccounts.
    reviewer: Option<TokenReviewer>,
}

/// The owner of a token.
#[derive(Debug)]
pub(crate) struct Owner {
    rights: Arc<Rights>,
    /// True if the API server has verified its signature.
    is_account: bool,
}

/// The reason why a token has no owner here.
#[derive(Debug)]
pub(crate) enum Stranger {
    Unfit(Unfit),
    /// It is valid, and of this user of the cluster, whom the file does not name.
    WithoutLine {
        user: String,
        option: &'static str,
        takes_rights: bool,
    },
}

impl Tokens {
    pub fn new(file: impl Into<Arc<TokenFile>>, reviewer: Option<TokenReviewer>) -> Self {
        Self { file: file.into(), reviews: Reviews::default(), reviewer }
    }

    /// The owner of a token.
    pub(crate) async fn owner(
        &self,
        token: &[u8],
        client: Client,
    ) -> Result<Result<Owner, Stranger>, Problem> {
        let grants = self.file.grants();
        match grants.of_token(token) {
            Some(rights) => Ok(Ok(Owner { rights, is_account: false })),
            None => self.of_account(&grants, token, client).await,
        }
    }

    /// The ServiceAccount whose token this is.
    async fn of_account(
        &self,
        grants: &Grants,
        token: &[u8],
        client: Client,
    ) -> Result<Result<Owner, Stranger>, Problem> {
        let unfit = |unfit| Ok(Err(Stranger::Unfit(unfit)));
        let Ok(token) = str::from_utf8(token) else { return unfit(Unfit::Other) };
        let claims = match Claims::of(token, since_1970()) {
            Ok(claims) => claims,
            Err(reason) => return unfit(reason),
        };
        let Some(reviewer) = &self.reviewer else { return unfit(Unfit::NotInCluster) };
        let has_line = grants.of_account(claims.user()).is_some();
        let Some(user) = self.user(reviewer, token, &claims, has_line, client).await? else {
            return unfit(Unfit::Refused);
        };
        Ok(match grants.of_account(&user) {
            Some(rights) => {
                self.reviews.prove(client, &user, Instant::now());
                Ok(Owner { rights, is_account: true })
            }
            None => {
                let (option, takes_rights) = (self.file.option(), self.file.takes_rights());
                Err(Stranger::WithoutLine { user, option, takes_rights })
            }
        })
    }

    /// The user of a token, which the API server is asked for unless it said so a moment ago.
    async fn user(
        &self,
        reviewer: &TokenReviewer,
        token: &str,
        claims: &Claims,
        has_line: bool,
        client: Client,
    ) -> Result<Option<String>, Problem> {
        if let Some(user) = self.reviews.user(token, Instant::now()) {
            return Ok(Some(user));
        }
        let flight = self.reviews.flight(token);
        let _turn = flight.lock().await;
        let begun = Instant::now();
        if let Some(user) = self.reviews.user(token, begun) {
            return Ok(Some(user));
        }
        // Counted before it is asked: it is not to be asked for guesses.
        self.reviews.begin(client, claims.user(), has_line, begun).map_err(|wait| {
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

/// The owner of a token in any of these files; else the reason why it has none.
pub(crate) async fn owner_in(
    files: impl IntoIterator<Item = Option<&Tokens>, IntoIter: Send>,
    token: &[u8],
    client: Client,
) -> Result<Result<Owner, Stranger>, Problem> {
    let mut owner = Ok(Err(Stranger::Unfit(Unfit::Other)));
    for tokens in files.into_iter().flatten() {
        match tokens.owner(token, client).await {
            Ok(Ok(found)) => return Ok(Ok(found)),
            other if owner.is_ok() => owner = other,
            _ => {}
        }
    }
    owner
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Failures {
    /// The rights that a token gives at an address, or the reason why it gives none. Only tokens of the file can be
    /// guessed: a ServiceAccount neither fails for others at its address nor waits for them.
    pub(crate) fn judge(
        &self,
        client: Client,
        owner: Result<Owner, Stranger>,
    ) -> Result<Arc<Rights>, Problem> {
        let note = |user: Option<&UserName>| {
            self.note(client, user, Instant::now()).map_err(|wait| {
                too_many("tokens that are not valid came from this address too often".to_owned(), wait)
            })
        };
        match owner {
            Ok(Owner { rights, is_account }) => {
                if !is_account {
                    note(Some(&rights.user))?;
                }
                Ok(rights)
            }
            Err(Stranger::WithoutLine { user, option, takes_rights }) => {
                Err(without_line(&user, option, takes_rights))
            }
            Err(Stranger::Unfit(unfit)) => {
                if unfit == Unfit::Other {
                    note(None)?;
                }
                Err(unauthorized(&unfit.to_string()))
            }
        }
    }
}

/// 403 for a ServiceAccount that the file of tokens does not name, with the line to add.
fn without_line(user: &str, option: &str, takes_rights: bool) -> Problem {
    let account = user.trim_start_matches("system:serviceaccount:");
    let (namespace, name) = account.split_once(':').unwrap_or(("", account));
    // With the namespace: the accounts of two namespaces are two users.
    let user = format!("{namespace}-{name}").replace('.', "-");
    let user: String = user.chars().take(63).collect();
    let rights = if takes_rights { format!(" namespaces={namespace}") } else { String::new() };
    let detail = format!(
        "the ServiceAccount {namespace}/{name} may not do this: the file of {option} needs a line such as `{user} \
         serviceaccount:{namespace}/{name}{rights}`"
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
