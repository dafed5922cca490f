//! Query strings: parameters, percent-decoded.

use std::borrow::Cow;

/// The values of the parameter `name`, in their order; a parameter without `=` is empty.
///
/// Percent-encoding is undone (RFC 3986, section 2.1); `+` is itself.
pub(crate) fn values<'q>(query: &'q [u8], name: &'q str) -> impl Iterator<Item = Cow<'q, [u8]>> {
    query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).filter_map(move |pair| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (key, value) = pair.split_at(end);
        (*decoded(key) == *name.as_bytes()).then(|| decoded(value.strip_prefix(b"=").unwrap_or(value)))
    })
}

fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            // Text that is not a valid encoding stands for itself.
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::values;

    fn all(query: &str, name: &str) -> Vec<String> {
        values(query.as_bytes(), name).map(|value| String::from_utf8(value.into_owned()).unwrap()).collect()
    }

    #[test]
    fn parameters_are_found_by_their_decoded_name() {
        assert_eq!(all("debug=1&x=&debug=a%20b%C3%A9+&d%65bug", "debug"), ["1", "a bé+", ""]);
        assert_eq!(all("debug=1", "deb"), [""; 0]);
        assert_eq!(all("a=b=c&a=%", "a"), ["b=c", "%"]);
        assert_eq!(all("a=%4", "a"), ["%4"]);
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in prop::collection::vec(any::<u8>(), 0..60)) {
            values(&query, "a").for_each(drop);
        }
    }
}
