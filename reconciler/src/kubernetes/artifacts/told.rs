//! What people were told of a namespace, and what they are to be told.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// The time after which the same is told again.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What was told of a frozen namespace.
#[derive(Debug)]
pub(super) struct Told {
    /// The applications that are frozen, each with the reason. The number of the others changes with commits of others.
    frozen: BTreeMap<String, String>,
    at: Instant,
    /// Those who were told of it.
    event: bool,
    flux: bool,
}

/// Those who are to be told of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) event: bool,
    pub(super) flux: bool,
}

impl Told {
    /// Those who are to be told that these applications of a namespace are frozen, or that none is; `None` if all know.
    pub(super) fn due(
        all: &mut BTreeMap<String, Self>,
        namespace: &str,
        frozen: &BTreeMap<String, String>,
        now: Instant,
    ) -> Option<Due> {
        let told = all.get(namespace);
        if frozen.is_empty() {
            // There is no news in that all is well, unless it was not.
            return told.map(|_| Due { event: false, flux: true });
        }
        let is_news =
            told.is_none_or(|told| told.frozen != *frozen || now.saturating_duration_since(told.at) >= HOUR);
        if is_news {
            let told = Self { frozen: frozen.clone(), at: now, event: false, flux: false };
            all.insert(namespace.to_owned(), told);
        }
        let told = all.get(namespace)?;
        let due = Due { event: !told.event, flux: !told.flux };
        (due.event || due.flux).then_some(due)
    }

    /// Records who knows now.
    pub(super) fn record(all: &mut BTreeMap<String, Self>, namespace: &str, is_well: bool, knows: Due) {
        if is_well && knows.flux {
            all.remove(namespace);
        } else if let Some(told) = all.get_mut(namespace).filter(|_| !is_well) {
            (told.event, told.flux) = (knows.event, knows.flux);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::time::Instant;

    use super::{Due, HOUR, Told};

    /// What was told, at an instant.
    #[derive(Default)]
    struct World {
        told: BTreeMap<String, Told>,
        later: std::time::Duration,
        begun: Option<Instant>,
    }

    impl World {
        /// Tells that this is frozen, and returns who is told: E for an Event, F for Flux. `heard` are those who hear it.
        fn tell(&mut self, frozen: &[(&str, &str)], heard: &str) -> String {
            let frozen = frozen.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
            let now = *self.begun.get_or_insert_with(Instant::now) + self.later;
            let Some(due) = Told::due(&mut self.told, "shop", &frozen, now) else { return String::new() };
            let knows =
                Due { event: !due.event || heard.contains('E'), flux: !due.flux || heard.contains('F') };
            Told::record(&mut self.told, "shop", frozen.is_empty(), knows);
            [(due.event, "E"), (due.flux, "F")]
                .iter()
                .filter(|(is_due, _)| *is_due)
                .map(|(_, who)| *who)
                .collect()
        }
    }

    #[test]
    fn the_same_is_told_once_an_hour() {
        let mut world = World::default();
        assert_eq!(world.tell(&[], "EF"), "");
        assert_eq!(world.tell(&[("a", "x")], "EF"), "EF");
        assert_eq!(world.tell(&[("a", "x")], "EF"), "");
        assert_eq!(world.tell(&[("a", "y")], "EF"), "EF");
        world.later = HOUR;
        assert_eq!(world.tell(&[("a", "y")], "EF"), "EF");
        assert_eq!(world.tell(&[], "EF"), "F");
        assert_eq!(world.tell(&[], "EF"), "");
    }

    #[test]
    fn whoever_did_not_hear_it_is_told_again() {
        let mut world = World::default();
        assert_eq!(world.tell(&[("a", "x")], "E"), "EF");
        assert_eq!(world.tell(&[("a", "x")], ""), "F");
        assert_eq!(world.tell(&[("a", "x")], "F"), "F");
        assert_eq!(world.tell(&[("a", "x")], ""), "");
        assert_eq!(world.tell(&[], ""), "F");
        assert_eq!(world.tell(&[], "F"), "F");
        assert_eq!(world.tell(&[], ""), "");
    }
}
