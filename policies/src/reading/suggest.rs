//! Did you mean …?

/// The known name that a mistyped key most likely means.
pub fn closest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let key = plain(key);
    let distance = |name: &&str| strsim::damerau_levenshtein(&key, &plain(name));
    let best = known.iter().copied().min_by_key(|name| distance(name))?;
    (distance(&best) <= 1 + best.len() / 4).then_some(best)
}
