//! The paths of new files, which must go together in every checkout.

use std::collections::{HashMap, hash_map::Entry};

/// The new files so far, and the directories that they need: each by its path in lower case.
#[derive(Debug, Default)]
pub struct NewPaths<'p>(HashMap<String, Place<'p>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place<'p> {
    path: &'p str,
    is_file: bool,
}

impl<'p> NewPaths<'p> {
    /// Adds the path of a file, or tells why it does not go beside the others. The reason completes a sentence whose
    /// subject is the path.
    pub fn add(&mut self, path: &'p str) -> Result<(), String> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for part in ends.filter_map(|end| path.get(..end)) {
            let place = Place { path: part, is_file: part.len() == path.len() };
            let other = match self.0.entry(part.to_lowercase()) {
                Entry::Vacant(free) => *free.insert(place),
                Entry::Occupied(taken) => *taken.get(),
            };
            if other.path != part {
                return Err(format!("differs from `{}` in upper and lower case only", other.path));
            }
            match (place.is_file, other.is_file) {
                (true, false) => return Err("is a directory of another new file".to_owned()),
                (false, true) => return Err(format!("needs a directory where `{part}` is a new file")),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::NewPaths;

    #[test]
    fn paths_go_together_or_not() {
        let all = |paths: &[&'static str]| {
            let mut new = NewPaths::default();
            paths.iter().try_for_each(|path| new.add(path))
        };
        assert_eq!(all(&["a.yaml", "x/a.yaml", "x/b.yaml", "x/y/a.yaml", "xy/a.yaml"]), Ok(()));
        for (paths, reason) in [
            (["Shop/a.yaml", "shop/b.yaml"], "differs from `Shop` in upper and lower case only"),
            (["x/a.yaml", "x/A.yaml"], "differs from `x/a.yaml` in upper and lower case only"),
            (["a.yaml", "a.yaml/b.yaml"], "needs a directory where `a.yaml` is a new file"),
            (["a.yaml/b.yaml", "a.yaml"], "is a directory of another new file"),
        ] {
            assert_eq!(all(&paths), Err(reason.to_owned()), "{paths:?}");
        }
    }
}
