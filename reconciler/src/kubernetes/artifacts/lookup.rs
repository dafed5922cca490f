//! Looks for objects of others before an application gets objects of their names.
//!
//! Flux takes an object over silently and by force. Only objects that are new to an artifact are looked for, so a usual
//! commit asks nothing. Where hfi may not read a kind, and where the cluster does not have it, nothing is seen.
//!
//! Namespaces take turns, and each has a limit: [`remembered`] has the answers for the others until theirs has come.

mod remembered;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

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

/// The objects that are to be asked for, those first that were asked for longest ago, with that time.
type Due = Namespaces<Vec<(Option<Instant>, Named)>>;

/// What holds for all objects of a kind in a namespace, since it holds for one.
type OfKinds<'a> = Mutex<BTreeMap<(&'a str, &'static str), Answer>>;

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
async fn look(client: &Client, due: &Due, until: Instant) -> Answers {
    let of_kinds = OfKinds::default();
    let found = stream::iter(in_turns(due)).map(async |(namespace, objects)| {
        // All of them have one kind.
        let (version, kind) =
            objects.first().map_or(("", ""), |object| (object.api_version(), object.kind()));
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::namespaced_with(client.clone(), namespace, &resource);
        (namespace, look_for(&api, objects, (namespace, kind), &of_kinds, until).await)
    });
    let mut answers = Answers::new();
    let mut found = found.boxed().buffer_unordered(AT_ONCE);
    while let Some((namespace, found)) = found.next().await {
        answers.entry(namespace.clone()).or_default().extend(found);
    }
    answers
}

/// Some objects of one kind of each namespace after another, so that none takes the time of all others. Those come first that
/// were asked for longest ago.
fn in_turns(due: &Due) -> Vec<(&String, Vec<&Named>)> {
    let mut turns = Vec::new();
    for (namespace, objects) in due {
        let mut kinds = BTreeMap::<_, Vec<_>>::new();
        for (asked, object) in objects {
            kinds.entry((object.api_version(), object.kind())).or_default().push((*asked, object));
        }
        let mut of_namespace: Vec<_> = kinds.values().flat_map(|objects| objects.chunks(IN_TURN)).collect();
        let asked = |objects: &[(Option<Instant>, &Named)]| objects.first().and_then(|(asked, _)| *asked);
        of_namespace.sort_by_key(|objects| asked(objects));
        turns.extend(of_namespace.into_iter().enumerate().map(|(turn, objects)| {
            let named: Vec<_> = objects.iter().map(|(_, object)| *object).collect();
            ((turn, asked(objects)), namespace, named)
        }));
    }
    turns.sort_by_key(|(turn, ..)| *turn);
    turns.into_iter().map(|(_, namespace, objects)| (namespace, objects)).collect()
}

/// Looks for objects of one kind, one after another: what one answer says of the kind holds for all that follow.
async fn look_for<'a>(
    api: &Api<DynamicObject>,
    objects: Vec<&Named>,
    kind: (&'a str, &'static str),
    of_kinds: &OfKinds<'a>,
    until: Instant,
) -> BTreeMap<Named, Answer> {
    let mut found = BTreeMap::new();
    for (number, object) in objects.iter().enumerate() {
        let known = of_kinds.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).cloned();
        let answer = match known {
            Some(answer) => Err(answer),
            None => look_for_one(api, object.name(), until).await,
        };
        match answer {
            Ok(answer) => drop(found.insert((*object).clone(), answer)),
            Err(answer) => {
                let others = objects.iter().skip(number);
                found.extend(others.map(|object| ((*object).clone(), answer.clone())));
                of_kinds.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, answer);
                return found;
            }
        }
    }
    found
}

/// Looks for an object. The error holds for all of its kind.
async fn look_for_one(api: &Api<DynamicObject>, name: &str, until: Instant) -> Result<Answer, Answer> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Answer::Unasked);
    }
    match with_timeout(left.min(TIMEOUT), api.get_metadata_opt(name)).await {
        Ok(Some(there)) if !is_ours(&there.metadata) => Ok(Answer::Made),
        Ok(_) => Ok(Answer::Free),
        // 404 where the cluster does not know the kind: then there is no such object either.
        Err(error) if error.is(403) || error.is(404) => {
            debug!(%error, "objects of others are not looked for");
            Err(Answer::Free)
        }
        // The time that is left is another one each time, and the same reason is no news.
        Err(CallError::Late(_)) if left < TIMEOUT => Err(Answer::Unknown(CallError::Late(WRITE).to_string())),
        Err(error) => Err(Answer::Unknown(error.to_string())),
    }
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

    use super::{Answer, Due, IN_TURN, Named, in_turns, look};

    /// New objects, that were asked for at this time.
    fn objects(kind: Kind, number: usize, asked: Option<Instant>) -> Vec<(Option<Instant>, Named)> {
        (0..number).map(|number| (asked, Named((kind, format!("o{number}"))))).collect()
    }

    #[tokio::test]
    async fn what_there_is_no_time_to_ask_for_is_told_as_such() {
        let client = Client::try_from(Config::new("http://127.0.0.1:9".parse().unwrap())).unwrap();
        let due = [("shop".to_owned(), objects(Kind::DestinationRule, 1, None))].into();
        let found = look(&client, &due, Instant::now()).await;
        assert_eq!(found["shop"].values().collect::<Vec<_>>(), [&Answer::Unasked]);
    }

    #[test]
    fn each_namespace_has_its_turn_before_one_with_many_objects_has_its_second() {
        let (rules, now) = (Kind::DestinationRule, Instant::now());
        let many = [objects(rules, 3 * IN_TURN, None), objects(Kind::VirtualService, 2, None)].concat();
        let namespaces = [
            ("a", many),
            ("b", objects(rules, 1, None)),
            ("c", objects(rules, IN_TURN + 1, None)),
            ("0", objects(rules, 1, Some(now))),
        ];
        let due: Due = namespaces.map(|(name, objects)| (name.to_owned(), objects)).into();
        let turns = in_turns(&due);
        let order: String = turns.iter().map(|(namespace, _)| namespace.as_str()).collect();
        assert_eq!(order, "abc0acaa", "one that was asked for comes after those that were not");
        assert!(turns.iter().all(|(_, objects)| objects.iter().all(|object| object.0.0 == objects[0].0.0)));
        assert_eq!(turns.iter().map(|(_, objects)| objects.len()).sum::<usize>(), 4 * IN_TURN + 5);
    }
}
