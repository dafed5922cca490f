//! Looks for objects of others before an application gets objects of their names.
//!
//! Flux takes an object over silently and by force. Only objects that are new to an artifact are looked for, so a usual
//! commit asks nothing. Where hfi may not read a kind, and where the cluster does not have it, nothing is seen.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta},
};
use tokio::time::Instant;
use tracing::debug;

use super::{MANAGED_BY, WRITE, config_maps::ConfigMaps};
use crate::{
    istio::{
        foreign::{Foreign, Named},
        plan::{Namespaces, Plan},
    },
    kubernetes::client::call::{CallError, TIMEOUT, with_timeout},
};

/// The most requests at once.
const AT_ONCE: usize = 8;

/// Objects of namespaces.
type Wanted = Namespaces<BTreeSet<Named>>;

/// The objects of a namespace that others have made, or the reason why that is not known.
type Found = BTreeMap<Named, Option<String>>;

/// What was seen of others when it was looked last.
pub(super) struct Lookup {
    client: Client,
    foreign: Foreign,
}

impl Lookup {
    pub(super) fn new(client: Client) -> Self {
        Self { client, foreign: Foreign::default() }
    }

    pub(super) fn foreign(&self) -> &Foreign {
        &self.foreign
    }

    pub(super) fn forget(&mut self) {
        self.foreign = Foreign::default();
    }

    /// Looks for the new objects of plans that are to be carried out, or that could not be because of others. `looked` are
    /// those of this turn, which looks for no longer than `until`. True if something else was seen than before.
    pub(super) async fn look(
        &mut self,
        plans: &Namespaces<Plan>,
        in_force: &ConfigMaps,
        looked: &mut Wanted,
        until: Instant,
    ) -> bool {
        let mut wanted = Wanted::new();
        for (namespace, plan) in plans {
            let is_other = plan.next.as_ref().is_some_and(|next| in_force.in_force(namespace) != Some(next));
            if is_other || self.foreign.0.contains_key(namespace) {
                let known = looked.get(namespace);
                let new = plan.new.iter().filter(|object| known.is_none_or(|known| !known.contains(*object)));
                let new: BTreeSet<_> = new.cloned().collect();
                wanted.extend((!new.is_empty()).then_some((namespace.clone(), new)));
            }
        }
        let before = self.foreign.clone();
        if looked.is_empty() {
            self.foreign = Foreign::default();
        }
        for (namespace, found) in look(&self.client, &wanted, until).await.0 {
            self.foreign.0.entry(namespace).or_default().extend(found);
        }
        for (namespace, new) in wanted {
            looked.entry(namespace).or_default().extend(new);
        }
        self.foreign != before
    }
}

/// Looks which of these objects others have made. What is not known by this instant is unknown.
async fn look(client: &Client, wanted: &Wanted, until: Instant) -> Foreign {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (namespace, objects) in wanted {
        for object in objects {
            groups.entry((namespace, object.api_version(), object.kind())).or_default().push(object);
        }
    }
    // One kind of each namespace after another, so that no namespace takes the time of all others.
    let mut turns = BTreeMap::<&str, usize>::new();
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_cached_key(|((namespace, ..), _)| {
        let turn = turns.entry(namespace.as_str()).or_default();
        *turn += 1;
        *turn
    });
    let found = stream::iter(groups).map(async |((namespace, version, kind), objects)| {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::namespaced_with(client.clone(), namespace, &resource);
        (namespace, look_for(&api, objects, until).await)
    });
    let mut foreign = Foreign::default();
    let mut found = found.boxed().buffer_unordered(AT_ONCE);
    while let Some((namespace, found)) = found.next().await {
        if !found.is_empty() {
            foreign.0.entry(namespace.clone()).or_default().extend(found);
        }
    }
    foreign
}

/// Looks for objects of one kind, one after another: what the first answer says of the kind holds for the others.
async fn look_for(api: &Api<DynamicObject>, objects: Vec<&Named>, until: Instant) -> Found {
    let mut found = Found::new();
    let mut objects = objects.into_iter();
    while let Some(object) = objects.next() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let unasked = [object].into_iter().chain(objects);
            let reason = format!("the API server was not asked within {} s", WRITE.as_secs());
            found.extend(unasked.map(|object| (object.clone(), Some(reason.clone()))));
            return found;
        }
        // The time that is left is another one each time, and the same reason is no news.
        let answer = match with_timeout(left.min(TIMEOUT), api.get_metadata_opt(object.name())).await {
            Err(CallError::Late(_)) if left < TIMEOUT => Err(CallError::Late(WRITE)),
            answer => answer,
        };
        match answer {
            Ok(Some(there)) if !is_ours(&there.metadata) => {
                found.insert(object.clone(), None);
            }
            Ok(_) => {}
            // 404 where the cluster does not know the kind: then there is no such object either.
            Err(error) if error.is(403) || error.is(404) => {
                debug!(kind = object.kind(), %error, "objects of others are not looked for");
                return found;
            }
            Err(error) => {
                let unknown = [object].into_iter().chain(objects);
                found.extend(unknown.map(|object| (object.clone(), Some(error.to_string()))));
                return found;
            }
        }
    }
    found
}

/// True for an object that hfi has rendered.
fn is_ours(metadata: &ObjectMeta) -> bool {
    let (key, value) = MANAGED_BY;
    metadata.labels.as_ref().is_some_and(|labels| labels.get(key).is_some_and(|found| found == value))
}

#[cfg(test)]
mod tests {
    use istio_config::Kind;
    use kube::{Client, Config};
    use tokio::time::Instant;

    use super::{Named, look};

    #[tokio::test]
    async fn what_there_is_no_time_to_ask_for_is_told_as_such() {
        let client = Client::try_from(Config::new("http://127.0.0.1:9".parse().unwrap())).unwrap();
        let object = Named((Kind::DestinationRule, "a".to_owned()));
        let wanted = [("shop".to_owned(), [object.clone()].into())].into();
        let found = look(&client, &wanted, Instant::now()).await.0;
        assert_eq!(found["shop"][&object].as_deref(), Some("the API server was not asked within 15 s"));
    }
}
