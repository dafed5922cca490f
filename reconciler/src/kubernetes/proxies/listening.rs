//! The objects by which Istio gives listeners to proxies, kept by watches.

use futures_util::future::join_all;
use k8s_openapi::api::networking::v1::Ingress;
use kube::{Api, Client, core::PartialObjectMeta, runtime::watcher};

use crate::{
    doctor::inventory::{Listening, Sidecar},
    kubernetes::{
        client::followed::{Followed, Listed},
        inspecting::listening::KINDS,
    },
};

/// All of them at one moment.
#[derive(Default)]
pub(super) struct Given {
    /// None if some of them may not be read.
    pub(super) listening: Option<Listening>,
    pub(super) sidecars: Vec<Sidecar>,
}

/// By kind.
#[derive(Default)]
pub(super) struct Listeners {
    kinds: [Followed<(Listening, Option<Sidecar>)>; KINDS.len()],
    ingresses: Followed<()>,
}

impl Listeners {
    /// Runs for ever.
    pub(super) async fn follow(&self, client: &Client) {
        let all = watcher::Config::default;
        let kinds = self.kinds.iter().zip(KINDS).map(|(followed, kind)| {
            followed.follow(kind.all(client), all(), move |object| {
                Some(((kind.read)(&object), kind.sidecar(object)))
            })
        });
        let ingresses = Api::<PartialObjectMeta<Ingress>>::all(client.clone());
        tokio::join!(join_all(kinds), self.ingresses.follow(ingresses, all(), |_| Some(())));
    }

    /// `None` before the first answers.
    pub(super) fn current(&self) -> Result<Option<Given>, String> {
        let (mut listening, mut sidecars) = (Some(Listening::default()), Vec::new());
        for kind in &self.kinds {
            match kind.listed()? {
                Listed::NotYet => return Ok(None),
                Listed::Forbidden => listening = None,
                Listed::Known(objects) => objects.into_iter().for_each(|(of_object, sidecar)| {
                    listening.iter_mut().for_each(|listening| listening.add(of_object.clone()));
                    sidecars.extend(sidecar);
                }),
            }
        }
        match self.ingresses.listed()? {
            Listed::NotYet => return Ok(None),
            Listed::Forbidden => listening = None,
            Listed::Known(ingresses) => {
                listening.iter_mut().for_each(|listening| listening.has_ingress = !ingresses.is_empty());
            }
        }
        Ok(Some(Given { listening, sidecars }))
    }
}
