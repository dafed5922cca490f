//! Wide maps, each once in the process: many regexes have that of `\w`, which takes 6 KiB.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use crate::automaton::WideMap;

/// The fewest maps among which those that no regex has any more are looked for.
const FEWEST: usize = 64;

static SHARED: LazyLock<Mutex<Shared>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Shared {
    maps: HashSet<Arc<WideMap>>,
    /// The number of maps at which those that no regex has any more are removed.
    sweep_at: usize,
}

/// The copy of a map that all regexes share.
pub(super) fn shared(map: WideMap) -> Arc<WideMap> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).share(map)
}

impl Shared {
    fn share(&mut self, map: WideMap) -> Arc<WideMap> {
        if let Some(known) = self.maps.get(&map) {
            return Arc::clone(known);
        }
        if self.maps.len() >= self.sweep_at {
            self.maps.retain(|map| Arc::strong_count(map) > 1);
            self.sweep_at = FEWEST.max(2 * self.maps.len());
        }
        let map = Arc::new(map);
        self.maps.insert(Arc::clone(&map));
        map
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{FEWEST, Shared, WideMap};

    fn map(at: usize) -> WideMap {
        WideMap::new(&[(128, 0), (129 + at as u32, 1)]).unwrap()
    }

    #[test]
    fn equal_maps_are_one() {
        let mut shared = Shared::default();
        let (one, same, other) = (shared.share(map(1)), shared.share(map(1)), shared.share(map(2)));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn maps_that_no_regex_has_any_more_are_removed() {
        let mut shared = Shared::default();
        let kept: Vec<_> = (0..10).map(|at| shared.share(map(at))).collect();
        for at in 0..1_000 {
            shared.share(map(10 + at));
            assert!(shared.maps.len() <= FEWEST, "{} maps", shared.maps.len());
        }
        for (at, kept) in kept.iter().enumerate() {
            assert!(Arc::ptr_eq(kept, &shared.share(map(at))));
        }
    }
}
