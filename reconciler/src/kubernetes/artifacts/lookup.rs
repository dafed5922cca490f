//! Looks for objects of others before an application gets objects of their names.
//!
//! Flux takes an object over silently and by force. Only objects that are new to an artifact are looked for, so a usual
//! commit asks nothing. Where hfi may not read a kind, and where the cluster does not have it, nothing is seen.
//!
//! Namespaces take turns, and each has a limit: [`remembered`] has the answers for the others until theirs has come.

mod remembered;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta},
};
use tokio::time::Instant;
use tracing::debug;

use self::remembered::Remembered;
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
/// The objects of a kind and namespace that are asked for before others have their turn.
const IN_TURN: usize = 32;

/// Objects of namespaces.
type Wanted = Namespaces<BTreeSet<Named>>;

/// What the API server says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// Others have not made it.
    Free,
    Made,
    Unknown(String),
    /// There was no time to ask.
    Unasked,
}

/// The answers for objects of namespaces.
type Answers = Namespaces<BTreeMap<Named, Answer>>;

/// What was seen of others when it was looked last.
pub(super) struct Lookup {
    client: Client,
    foreign: Foreign,
    remembered: Remembered,
}

impl Lookup {
    pub(super) fn new(client: Client) -> Self {
        Self { client, foreign: Foreign::default(), remembered: Remembered::default() }
    }

    pub(super) fn foreign(&self) -> &Foreign {
        &self.foreign
    }

    pub(super) fn forget(&mut self) {
        (self.foreign, self.remembered) = Default::default();
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
            self.remembered.keep(&wanted);
        }
        let due = self.remembered.due(&wanted, looked);
        let answers = look(&self.client, &due, until).await;
        for (namespace, found) in self.remembered.complete(&wanted, answers, Instant::now()).0 {
            self.foreign.0.entry(namespace).or_default().extend(found);
        }
        for (namespace, new) in wanted {
            looked.entry(namespace).or_default().extend(new);
        }
        self.foreign != before
    }
}

/// Looks which of these objects others have made. What is not known by this instant is unknown.
async fn look(client: &Client, wanted: &Wanted, until: Instant) -> Answers {
    let found = stream::iter(in_turns(wanted)).map(async |(namespace, objects)| {
        // All of them have one kind.
        let (version, kind) =
            objects.first().map_or(("", ""), |object| (object.api_version(), object.kind()));
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::namespaced_with(client.clone(), namespace, &resource);
        (namespace, look_for(&api, objects, until).await)
    });
    let mut answers = Answers::new();
    let mut found = found.boxed().buffer_unordered(AT_ONCE);
    while let Some((namespace, found)) = found.next().await {
        answers.entry(namespace.clone()).or_default().extend(found);
    }
    answers
}

/// Some objects of one kind of each namespace after another, so that none takes the time of all others.
fn in_turns(wanted: &Wanted) -> Vec<(&String, Vec<&Named>)> {
    let mut turns = Vec::new();
    for (namespace, objects) in wanted {
        let mut kinds = BTreeMap::<_, Vec<_>>::new();
        for object in objects {
            kinds.entry((object.api_version(), object.kind())).or_default().push(object);
        }
        let of_namespace = kinds.values().flat_map(|objects| objects.chunks(IN_TURN));
        turns.extend(of_namespace.enumerate().map(|(turn, objects)| (turn, namespace, objects.to_vec())));
    }
    turns.sort_by_key(|(turn, ..)| *turn);
    turns.into_iter().map(|(_, namespace, objects)| (namespace, objects)).collect()
}

/// Looks for objects of one kind, one after another: what the first answer says of the kind holds for the others.
async fn look_for(api: &Api<DynamicObject>, objects: Vec<&Named>, until: Instant) -> BTreeMap<Named, Answer> {
    let mut found = BTreeMap::new();
    for (number, object) in objects.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        // The time that is left is another one each time, and the same reason is no news.
        let answer = match left.is_zero() {
            true => None,
            false => Some(match with_timeout(left.min(TIMEOUT), api.get_metadata_opt(object.name())).await {
                Err(CallError::Late(_)) if left < TIMEOUT => Err(CallError::Late(WRITE)),
                answer => answer,
            }),
        };
        let of_kind = match answer {
            Some(Ok(there)) => {
                let is_made = there.is_some_and(|there| !is_ours(&there.metadata));
                found.insert((*object).clone(), if is_made { Answer::Made } else { Answer::Free });
                continue;
            }
            // 404 where the cluster does not know the kind: then there is no such object either.
            Some(Err(error)) if error.is(403) || error.is(404) => {
                debug!(kind = object.kind(), %error, "objects of others are not looked for");
                Answer::Free
            }
            Some(Err(error)) => Answer::Unknown(error.to_string()),
            None => Answer::Unasked,
        };
        let others = objects.iter().skip(number);
        found.extend(others.map(|object| ((*object).clone(), of_kind.clone())));
        return found;
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

    use super::{Answer, IN_TURN, Named, Wanted, in_turns, look};

    fn objects(kind: Kind, number: usize) -> impl Iterator<Item = Named> {
        (0..number).map(move |number| Named((kind, format!("o{number}"))))
    }

    #[tokio::test]
    async fn what_there_is_no_time_to_ask_for_is_told_as_such() {
        let client = Client::try_from(Config::new("http://127.0.0.1:9".parse().unwrap())).unwrap();
        let wanted = [("shop".to_owned(), objects(Kind::DestinationRule, 1).collect())].into();
        let found = look(&client, &wanted, Instant::now()).await;
        assert_eq!(found["shop"].values().collect::<Vec<_>>(), [&Answer::Unasked]);
    }

    #[test]
    fn each_namespace_has_its_turn_before_one_with_many_objects_has_its_second() {
        let many = objects(Kind::DestinationRule, 3 * IN_TURN).chain(objects(Kind::VirtualService, 2));
        let namespaces = [
            ("a", many.collect()),
            ("b", objects(Kind::DestinationRule, 1).collect()),
            ("c", objects(Kind::DestinationRule, IN_TURN + 1).collect()),
        ];
        let wanted: Wanted = namespaces.map(|(name, objects)| (name.to_owned(), objects)).into();
        let turns = in_turns(&wanted);
        let order: String = turns.iter().map(|(namespace, _)| namespace.as_str()).collect();
        assert_eq!(order, "abcacaa");
        assert!(turns.iter().all(|(_, objects)| objects.iter().all(|object| object.0.0 == objects[0].0.0)));
        assert_eq!(
            turns.iter().map(|(_, objects)| objects.len()).sum::<usize>(),
            3 * IN_TURN + 2 + 1 + IN_TURN + 1
        );
    }
}
