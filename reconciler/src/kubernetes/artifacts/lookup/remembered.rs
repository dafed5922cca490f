//! Answers of earlier looks, for the objects of a namespace that are too many to be asked for at once.
//!
//! Those that were asked for longest ago come first, so each has its turn. An earlier answer stands only for an object that is
//! beyond the limit of its namespace: one that is to be asked for, and is not, is not known.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{Answer, Answers, Due, Wanted};
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
    pub(super) fn due(&self, wanted: &Wanted, looked: &Wanted) -> Due {
        let due = |(namespace, objects): (&String, &BTreeSet<Named>)| {
            let left = MOST.saturating_sub(looked.get(namespace).map_or(0, BTreeSet::len));
            let answers = self.0.get(namespace);
            let asked = |object: &Named| answers?.get(object).map(|(at, _)| *at);
            let mut objects: Vec<_> = objects.iter().map(|object| (asked(object), object.clone())).collect();
            objects.sort_by_key(|(asked, _)| *asked);
            objects.truncate(left);
            (namespace.clone(), objects)
        };
        wanted.iter().map(due).collect()
    }

    /// What others have made of all that is wanted, by new answers where there are some, and by earlier ones.
    pub(super) fn complete(&mut self, wanted: &Wanted, answers: Answers, now: Instant) -> Foreign {
        for (namespace, answers) in &answers {
            let asked = answers.iter().filter(|(_, answer)| **answer != Answer::Unasked);
            let asked = asked.map(|(object, answer)| (object.clone(), (now, answer.clone())));
            self.0.entry(namespace.clone()).or_default().extend(asked);
        }
        let mut foreign = Foreign::default();
        for (namespace, objects) in wanted {
            let new = answers.get(namespace);
            let known = self.0.get(namespace);
            let of_others = objects.iter().filter_map(|object| {
                let known = known.and_then(|known| known.get(object));
                let known = known.filter(|(at, _)| now.duration_since(*at) < KEPT).map(|(_, answer)| answer);
                let unknown = match new.and_then(|new| new.get(object)).or(known) {
                    Some(Answer::Free) => return None,
                    Some(Answer::Made) => None,
                    Some(Answer::Unknown(reason)) => Some(reason.clone()),
                    Some(Answer::Unasked) => {
                        Some(format!("the API server was not asked within {} s", WRITE.as_secs()))
                    }
                    None => {
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
    use std::collections::BTreeMap;

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
            (namespace, objects.into_iter().map(|(_, object)| (object, answer.clone())).collect())
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
        let mut seen = |answer| look(&mut known, &all, &answer, now).0.remove("shop");
        assert_eq!(seen(Answer::Free), None);
        let unasked = seen(Answer::Unasked).unwrap().into_values().next().unwrap();
        assert_eq!(unasked.as_deref(), Some("the API server was not asked within 15 s"));
        assert_eq!(seen(Answer::Made).unwrap().into_values().collect::<Vec<_>>(), [None]);
        let failed = Answer::Unknown("refused".to_owned());
        assert_eq!(seen(failed).unwrap().into_values().next().unwrap().as_deref(), Some("refused"));
        assert_eq!(seen(Answer::Free), None);
    }

    #[test]
    fn an_earlier_answer_counts_for_some_minutes_and_only_while_the_object_is_new() {
        let (mut known, now) = (Remembered::default(), Instant::now());
        let all = wanted(&[("shop", 3 * MOST)]);
        let mut left =
            |all: &Wanted, at| look(&mut known, all, &Answer::Free, at).0.get("shop").map(BTreeMap::len);
        assert_eq!(left(&all, now), Some(2 * MOST));
        assert_eq!(left(&all, now + KEPT / 2), Some(MOST));
        assert_eq!(left(&all, now + KEPT), Some(MOST), "the first answers are too old");
        assert_eq!(left(&wanted(&[]), now + KEPT), None);
        assert_eq!(left(&all, now + KEPT), Some(2 * MOST), "nobody wanted to know");
    }

    #[test]
    fn what_cannot_be_answered_has_its_turn_after_all_others() {
        let (mut known, now) = (Remembered::default(), Instant::now());
        let all = wanted(&[("shop", MOST + 1)]);
        let failed = Answer::Unknown("refused".to_owned());
        look(&mut known, &all, &failed, now);
        let due = known.due(&all, &Wanted::new());
        assert_eq!(due["shop"].iter().filter(|(asked, _)| asked.is_none()).count(), 1);
        assert!(due["shop"][0].0.is_none());
    }

    #[test]
    fn what_there_was_no_time_to_ask_for_keeps_its_turn() {
        let (mut known, now) = (Remembered::default(), Instant::now());
        let all = wanted(&[("shop", 1)]);
        for (answer, asked) in
            [(Answer::Unasked, None), (Answer::Free, Some(now)), (Answer::Unasked, Some(now))]
        {
            let at = if answer == Answer::Free { now } else { now + KEPT / 2 };
            look(&mut known, &all, &answer, at);
            assert_eq!(known.due(&all, &Wanted::new())["shop"][0].0, asked);
        }
    }

    #[test]
    fn what_one_turn_has_asked_for_counts_in_its_next_plan() {
        let known = Remembered::default();
        let (looked, all) = (wanted(&[("shop", MOST - 1)]), wanted(&[("shop", 3), ("bank", 3)]));
        let due = known.due(&all, &looked);
        assert_eq!((due["shop"].len(), due["bank"].len()), (1, 3));
    }
}
