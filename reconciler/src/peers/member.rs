//! One address, and what is known of the replica there.

use std::{net::SocketAddr, sync::Arc};

use tracing::{info, warn};

use super::replies::Known;
use crate::{
    api::peers::PeerAnswer,
    client::{Client, Token},
};

/// A replica at an address.
#[derive(Debug, Default)]
pub(super) struct Member {
    client: Option<(Token, Arc<Client>)>,
    /// Id and name, as it said them last.
    said: Option<(String, String)>,
    /// It did not answer the last time.
    is_silent: bool,
}

impl Member {
    /// The client that sends this token.
    pub(super) fn client(&self, token: &Token) -> Option<Arc<Client>> {
        self.client.as_ref().filter(|(known, _)| known == token).map(|(_, client)| Arc::clone(client))
    }

    pub(super) fn keep(&mut self, token: Token, client: Arc<Client>) {
        self.client = Some((token, client));
    }

    /// Takes over what came, and logs when the replica falls silent and when it speaks again.
    pub(super) fn note<T>(
        &mut self,
        address: SocketAddr,
        answer: &Result<PeerAnswer<T>, String>,
        own: &str,
    ) -> Known {
        match answer {
            Ok(PeerAnswer { id, name, .. }) => {
                self.said = Some((id.clone(), name.clone()));
                if std::mem::take(&mut self.is_silent) {
                    info!(peer = self.name(address), %address, "the peer answers again");
                }
            }
            Err(reason) => {
                // The next one reads the trusted certificates again.
                self.client = None;
                let is_own = self.said.as_ref().is_some_and(|(id, _)| id == own);
                if !is_own && !std::mem::replace(&mut self.is_silent, true) {
                    warn!(peer = self.name(address), %address, reason, "a peer does not answer");
                }
            }
        }
        Known { id: self.said.as_ref().map(|(id, _)| id.clone()), name: self.name(address) }
    }

    /// Logs the end of a silence.
    pub(super) fn leave(self, address: SocketAddr) {
        if self.is_silent {
            info!(peer = self.name(address), %address, "the peer that did not answer is gone");
        }
    }

    fn name(&self, address: SocketAddr) -> String {
        match &self.said {
            Some((_, name)) if !name.is_empty() => name.clone(),
            _ => address.to_string(),
        }
    }
}
