//! Asks the API server whose token something is.

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use super::client::call::{CallError, TIMEOUT, with_timeout};
use crate::access::AUDIENCE;

/// Reviews tokens of ServiceAccounts.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the client has none")]
pub struct TokenReviewer(Client);

impl TokenReviewer {
    pub(super) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The user whose token this is, if it is valid and for hfi.
    pub async fn user(&self, token: &str) -> Result<Option<String>, CallError> {
        let spec =
            TokenReviewSpec { audiences: Some(vec![AUDIENCE.to_owned()]), token: Some(token.to_owned()) };
        let review = TokenReview { metadata: ObjectMeta::default(), spec, status: None };
        let (api, parameters) = (Api::<TokenReview>::all(self.0.clone()), PostParams::default());
        let reviewed = with_timeout(TIMEOUT, api.create(&parameters, &review)).await?;
        let Some(status) = reviewed.status else { return Ok(None) };
        // An API server that does not know audiences says none.
        let is_for_us =
            status.audiences.is_some_and(|audiences| audiences.iter().any(|known| known == AUDIENCE));
        let is_valid = status.authenticated == Some(true) && is_for_us;
        Ok(status.user.and_then(|user| user.username).filter(|_| is_valid))
    }
}
