//! Requests that change policies: who may send them, and how often.

use std::{fmt, sync::Arc, time::Instant};

use axum::http::HeaderMap;

use super::{
    authorization,
    problem::Problem,
    tokens::{Tokens, too_many},
};
use crate::{
    access::{
        buckets::Buckets,
        failures::Failures,
        rights::{Rights, UserName},
    },
    clients::Client,
    writes::queue::Writes,
};

/// The writes of a user at once, above the rate.
const BURST: u32 = 20;

/// The way to change policies, with the tokens of those who may.
pub struct Writing {
    pub(crate) writes: Arc<Writes>,
    tokens: Tokens,
    rates: Buckets<UserName>,
}

impl Writing {
    /// Takes requests of the owners of these tokens, so many a second of each.
    pub fn new(writes: Arc<Writes>, tokens: Tokens, per_second: u32) -> Self {
        Self { writes, tokens, rates: Buckets::new(BURST.max(per_second), per_second.into()) }
    }

    /// The tokens of those who may write.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The rights of the sender of a request.
    pub(crate) async fn authorize(
        &self,
        failures: &Failures,
        headers: &HeaderMap,
        client: Client,
    ) -> Result<Arc<Rights>, Problem> {
        let token = authorization::token(headers)?;
        let owner = self.tokens.owner(&token, client).await?;
        failures.judge(client, owner)
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
