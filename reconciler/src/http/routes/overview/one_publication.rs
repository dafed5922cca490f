//! What is known of filters while one set of policies is active.

use std::sync::Arc;

use policies::repository::ActiveSet;

use crate::serving::publisher::Publisher;

/// The most looks. A look at a large mesh takes a while, and policies may become active all the time.
const LOOKS: usize = 3;

/// What a look has found.
pub(super) struct Seen<T> {
    /// The active policies.
    pub(super) active: Arc<ActiveSet>,
    pub(super) found: T,
    /// These were active all the time. Else filters may lag behind others, and are not to be judged by these.
    pub(super) is_of_one: bool,
}

/// The active policies, and what `look` finds while they are. It looks again if others become active meanwhile.
pub(super) fn of_one_publication<T>(publisher: &Publisher, mut look: impl FnMut() -> T) -> Seen<T> {
    let mut seen = seen_once(publisher, &mut look);
    for _ in 1..LOOKS {
        if seen.is_of_one {
            break;
        }
        seen = seen_once(publisher, &mut look);
    }
    seen
}

fn seen_once<T>(publisher: &Publisher, look: &mut impl FnMut() -> T) -> Seen<T> {
    let active = publisher.active();
    let found = look();
    let is_of_one = Arc::ptr_eq(&active, &publisher.active());
    Seen { active, found, is_of_one }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{LOOKS, of_one_publication};
    use crate::serving::gate::{Gate, Halter};

    #[test]
    fn a_publication_meanwhile_is_looked_at_again() {
        let gate = Gate::default();
        let mut looks = 0;
        let seen = of_one_publication(gate.publisher(), || {
            looks += 1;
            gate.halt(Halter::File, true);
            gate.publisher().active()
        });
        assert!(seen.is_of_one && Arc::ptr_eq(&seen.active, &seen.found));
        assert_eq!(looks, 2);
    }

    #[test]
    fn publications_without_an_end_do_not_make_it_look_for_ever() {
        let gate = Gate::default();
        let mut looks = 0;
        let seen = of_one_publication(gate.publisher(), || {
            looks += 1;
            match looks {
                1 => gate.halt(Halter::File, true),
                2 => gate.halt(Halter::Request, true),
                _ => gate.halt(Halter::File, false),
            };
        });
        assert_eq!((looks, seen.is_of_one), (LOOKS, false));
    }
}
