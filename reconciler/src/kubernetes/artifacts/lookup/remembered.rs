//! Answers of earlier looks, for the objects of a namespace that are too many to be asked for at once.
//!
//! Those that were asked for longest ago come first, so each has its turn, and what is asked for in a usual look is never
//! answered from here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{Answer, Answers, Wanted};
use crate::{
    istio::{
        foreign::{Foreign, Named},
        plan::Namespaces,
    },
    kubernetes::artifacts::WRITE,
};

/// The most objects of a namespace that one turn of the leader asks for.
const MOST: usize = 500;
/// The time for which an answer counts. Others may make an object meanwhile.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// The last answer for each object, and its time.
#[derive(Debug, Default)]
pub(super) struct Remembered(Namespaces<BTreeMap<Named, (Instant, Answer)>>);

impl Remembered {
    /// Forgets what nobody wants to know any more.
    pub(super) fn keep(&mut self, wanted: &Wanted) {
        self.0.retain(|namespace, answers| {
            let wanted = wanted.get(namespace);
            answers.retain(|object, _| wanted.is_some_and(|wanted| wanted.contains(object)));
            !answers.is_empty()
        });
    }

    /// The objects among these that are to be asked for in this turn, which has `looked` for others.
    pub(super) fn due(&self, wanted: &Wanted, looked: &Wanted) -> Wanted {
        let due = |(namespace, objects): (&String, &BTreeSet<Named>)| {
            let left = MOST.saturating_sub(looked.get(namespace).map_or(0, BTreeSet::len));
            let answers = self.0.get(namespace);
            let asked = |object: &Named| answers?.get(object).map(|(at, _)| *at);
            let mut objects: Vec<_> = objects.iter().collect();
            objects.sort_by_key(|object| asked(object));
            (namespace.clone(), objects.into_iter().take(left).cloned().collect())
        };
        wanted.iter().map(due).collect()
    }

    /// What others have made of all that is wanted, by new answers where there are some, and by earlier ones.
    pub(super) fn complete(&mut self, wanted: &Wanted, answers: Answers, now: Instant) -> Foreign {
        for (namespace, answers) in &answers {
            let known = self.0.entry(namespace.clone()).or_default();
            for (object, answer) in answers {
                match answer {
                    Answer::Free | Answer::Made => {
                        known.insert(object.clone(), (now, answer.clone()));
                    }
                    // It is asked for first, the next time.
                    Answer::Unknown(_) => drop(known.remove(object)),
                    Answer::Unasked => {}
                }
            }
        }
        let mut foreign = Foreign::default();
        for (namespace, objects) in wanted {
            let new = answers.get(namespace);
            let known = self.0.get(namespace);
            let of_others = objects.iter().filter_map(|object| {
                let known = known.and_then(|known| known.get(object));
                let known = known.filter(|(at, _)| now.duration_since(*at) < KEPT);
                let unknown = match (new.and_then(|new| new.get(object)), known) {
                    (Some(Answer::Unknown(reason)), _) => Some(reason.clone()),
                    (_, Some((_, Answer::Free))) => return None,
                    (_, Some(_)) => None,
                    (Some(_), None) => {
                        Some(format!("the API server was not asked within {} s", WRITE.as_secs()))
                    }
                    (None, None) => {
                        Some(format!("the API server is asked for {MOST} objects of a namespace at a time"))
                    }
                };
                Some((object.clone(), unknown))
            });
            let of_others: BTreeMap<_, _> = of_others.collect();
            foreign.0.extend((!of_others.is_empty()).then(|| (namespace.clone(), of_others)));
        }
        foreign
    }
}

#[cfg(test)]
mod tests {
    use istio_config::Kind;

    use super::{Answer, Answers, Instant, KEPT, MOST, Named, Remembered, Wanted};

    fn wanted(namespaces: &[(&str, usize)]) -> Wanted {
        let objects =
            |number| (0..number).map(|number| Named((Kind::DestinationRule, format!("o{number:04}"))));
        namespaces.iter().map(|(name, number)| ((*name).to_owned(), objects(*number).collect())).collect()
    }

    /// Asks for what is due, with this answer; the objects that others may have made.
    fn look(known: &mut Remembered, all: &Wanted, answer: &Answer, now: Instant) -> super::Foreign {
        known.keep(all);
        let due = known.due(all, &Wanted::new());
        assert!(due.values().all(|objects| objects.len() <= MOST));
        let answers = due.into_iter().map(|(namespace, objects)| {
            (namespace, objects.into_iter().map(|object| (object, answer.clone())).collect())
        });
        let answers: Answers = answers.collect();
        known.complete(all, answers, now)
    }

    #[test]
    fn a_namespace_with_many_new_objects_is_known_after_some_turns_and_delays_no_other() {
        let (mut known, now) = (Remembered::default(), Instant::now());
        let all = wanted(&[("many", 2 * MOST + 1), ("few", 3)]);
        for left in [MOST + 1, 1] {
            let foreign = look(&mut known, &all, &Answer::Free, now).0;
            assert_eq!(foreign.keys().collect::<Vec<_>>(), ["many"]);
            assert_eq!(foreign["many"].len(), left);
            let reason = foreign["many"].values().next().unwrap().as_deref().unwrap();
            assert_eq!(reason, "the API server is asked for 500 objects of a namespace at a time");
        }
        assert!(look(&mut known, &all, &Answer::Free, now).0.is_empty());
    }

    #[test]
    fn a_look_at_few_objects_goes_by_new_answers_alone() {
        let (mut known, now) = (Remembered::default(), Instant::now());
        let all = wanted(&[("shop", 1)]);
        let seen = |known: &mut Remembered, answer| look(known, &all, &answer, now).0.remove("shop");
        assert_eq!(seen(&mut known, Answer::Free), None);
        assert_eq!(seen(&mut known, Answer::Made).unwrap().into_values().collect::<Vec<_>>(), [None]);
        let failed = Answer::Unknown("refused".to_owned());
        assert_eq!(
            seen(&mut known, failed).unwrap().into_values().next().unwrap().as_deref(),
            Some("refused")
        );
        let unasked = seen(&mut known, Answer::Unasked).unwrap().into_values().next().unwrap();
        assert_eq!(unasked.as_deref(), Some("the API server was not asked within 15 s"));
    }

    #[test]
    fn an_earlier_answer_counts_for_some_minutes_and_only_while_the_object_is_new() {
        let (mut known, now) = (Remembered::default(), Instant::now());
        let all = wanted(&[("shop", MOST)]);
        assert!(look(&mut known, &all, &Answer::Free, now).0.is_empty());
        assert!(look(&mut known, &all, &Answer::Unasked, now + KEPT / 2).0.is_empty());
        assert_eq!(look(&mut known, &all, &Answer::Unasked, now + KEPT).0["shop"].len(), MOST);
        assert!(look(&mut known, &all, &Answer::Free, now).0.is_empty());
        look(&mut known, &wanted(&[]), &Answer::Free, now);
        assert_eq!(look(&mut known, &all, &Answer::Unasked, now).0["shop"].len(), MOST);
    }

    #[test]
    fn what_one_turn_has_asked_for_counts_in_its_next_plan() {
        let known = Remembered::default();
        let (looked, all) = (wanted(&[("shop", MOST - 1)]), wanted(&[("shop", 3), ("bank", 3)]));
        let due = known.due(&all, &looked);
        assert_eq!((due["shop"].len(), due["bank"].len()), (1, 3));
    }
}
