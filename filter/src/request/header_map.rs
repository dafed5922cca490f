//! Header maps in the encoding of the Proxy-Wasm ABI.

/// Encodes a map: the number of pairs, the lengths of each pair, then each name and value with a zero
/// byte after it.
pub fn encode(pairs: &[(&str, &str)]) -> Vec<u8> {
    let number = |number: usize| (number as u32).to_le_bytes();
    let mut bytes = number(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Number of pairs in an encoded map.
pub fn count(map: &[u8]) -> usize {
    number(map, 0).unwrap_or(0)
}

fn number(map: &[u8], at: usize) -> Option<usize> {
    let bytes = map.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// First value of a name in an encoded map.
pub fn find<'m>(map: &'m [u8], name: &str) -> Option<&'m [u8]> {
    let number = |at| number(map, at);
    let pairs = count(map);
    let mut text = pairs.checked_mul(8)?.checked_add(4)?;
    for pair in 0..pairs {
        let (name_length, value_length) = (number(4 + 8 * pair)?, number(8 + 8 * pair)?);
        let value = text.checked_add(name_length)?.checked_add(1)?;
        let end = value.checked_add(value_length)?;
        if map.get(text..value - 1)? == name.as_bytes() {
            return map.get(value..end);
        }
        text = end.checked_add(1)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{count, encode, find};

    #[test]
    fn a_value_is_found_by_its_name_and_the_first_one_counts() {
        let bytes = encode(&[("a", "1"), ("ab", ""), ("a", "2")]);
        assert_eq!(find(&bytes, "a"), Some(&b"1"[..]));
        assert_eq!(find(&bytes, "ab"), Some(&b""[..]));
        assert_eq!(find(&bytes, "b"), None);
        assert_eq!((count(&bytes), count(b"\x01")), (3, 0));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(0..4u8, 0..64)) {
            let _ = find(&bytes, "\u{1}");
        }
    }

    #[test]
    fn a_map_is_encoded_as_in_the_abi() {
        let bytes = encode(&[("a", "bc"), ("d", "")]);
        assert_eq!(bytes, b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0a\0bc\0d\0\0");
    }
}
