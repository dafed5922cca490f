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
    /// None if some of them are not known.
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
    pub(super) fn current(&self) -> Option<Given> {
        let (mut listening, mut sidecars) = (Some(Listening::default()), Vec::new());
        for (followed, kind) in self.kinds.iter().zip(KINDS) {
            match followed.listed() {
                Listed::NotYet => return None,
                Listed::Absent if kind.may_be_absent() => {}
                Listed::Absent | Listed::Unknown => listening = None,
                Listed::Known(objects) => objects.into_iter().for_each(|(of_object, sidecar)| {
                    listening.iter_mut().for_each(|listening| listening.add(of_object.clone()));
                    sidecars.extend(sidecar);
                }),
            }
        }
        match self.ingresses.listed() {
            Listed::NotYet => return None,
            Listed::Absent | Listed::Unknown => listening = None,
            Listed::Known(ingresses) => {
                listening.iter_mut().for_each(|listening| listening.has_ingress = !ingresses.is_empty());
            }
        }
        Some(Given { listening, sidecars })
    }
}
