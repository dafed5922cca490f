//! Did you mean …?

/// The known name that a mistyped key most likely means.
pub fn closest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let key = plain(key);
    let distance = |name: &&str| strsim::damerau_levenshtein(&key, &plain(name));
    // The distance is at least the difference of the lengths, and takes their product to compute.
    let length = key.chars().count();
    let is_near = |name: &&&str| plain(name).chars().count().abs_diff(length) <= 1 + name.len() / 4;
    let best = known.iter().filter(is_near).copied().min_by_key(|name| distance(name))?;
    (distance(&best) <= 1 + best.len() / 4).then_some(best)
}
