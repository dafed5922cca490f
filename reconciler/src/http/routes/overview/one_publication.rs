//! What is known of filters while one set of policies is active.

use std::sync::Arc;

use policies::repository::ActiveSet;

use crate::serving::publisher::Publisher;

/// The active policies, and what `look` finds while they are. It looks again if others become active meanwhile: a filter
/// that lags behind the new ones must not be judged by the old ones.
pub(super) fn of_one_publication<T>(
    publisher: &Publisher,
    mut look: impl FnMut() -> T,
) -> (Arc<ActiveSet>, T) {
    loop {
        let active = publisher.active();
        let found = look();
        if Arc::ptr_eq(&active, &publisher.active()) {
            return (active, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::of_one_publication;
    use crate::serving::gate::{Gate, Halter};

    #[test]
    fn a_publication_meanwhile_is_looked_at_again() {
        let gate = Gate::default();
        let mut looks = 0;
        let (active, found) = of_one_publication(gate.publisher(), || {
            looks += 1;
            gate.halt(Halter::File, true);
            gate.publisher().active()
        });
        assert_eq!(looks, 2);
        assert!(Arc::ptr_eq(&active, &found));
    }
}
