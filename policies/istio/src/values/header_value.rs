//! The values of headers that Envoy sets.

/// True if each `%` is doubled, or opens or closes a `%VARIABLE%`. Envoy refuses all routes for another one.
pub fn percents_are_closed(value: &str) -> bool {
    let mut parts = value.split('%').skip(1);
    while let Some(inside) = parts.next() {
        // `%%` leaves an empty part, and so does a variable without a name, which there is not.
        let variable = inside.starts_with(|first: char| first.is_ascii_uppercase());
        if !(inside.is_empty() || variable) || parts.next().is_none() {
            return false;
        }
    }
    true
}
