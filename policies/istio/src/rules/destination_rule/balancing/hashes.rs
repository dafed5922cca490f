//! Consistent hashes.

use std::collections::BTreeSet;

use crate::{
    field::Field,
    rules::{
        destination_rule::blocks,
        subject::{Out, Subject},
    },
};

/// The largest table of Maglev that Envoy takes.
const MAX_TABLE: i64 = 5_000_011;

fn hashes<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    blocks(subject, "loadBalancer")
        .into_iter()
        .filter_map(|balancer| balancer.get("consistentHash").set())
        .collect()
}

pub(super) fn dr12(subject: &Subject, out: &mut Out) {
    for hash in hashes(subject) {
        let cookie = hash.get("httpCookie");
        if cookie.is_set() && cookie.word("name").is_empty() {
            out.error(&cookie.get("name"), "is missing", "name the cookie");
        }
        let mut seen = BTreeSet::new();
        for attribute in cookie.get("attributes").items() {
            let name = attribute.word("name");
            if name.is_empty() {
                out.error(&attribute.get("name"), "is missing", "name the attribute of the cookie");
            } else if !seen.insert(name) {
                out.error(&attribute.get("name"), format!("is `{name}` again"), "write each attribute once");
            }
        }
    }
}

pub(super) fn dr13(subject: &Subject, out: &mut Out) {
    for hash in hashes(subject) {
        let maglev = hash.get("maglev");
        let size = maglev.integer_of("tableSize").unwrap_or_default();
        if maglev.is_set() && !(size < MAX_TABLE && is_prime(size)) {
            let reason = format!("is {size}, which is not a prime number below {MAX_TABLE}");
            out.error(&maglev.get("tableSize"), reason, "write 65537, as Envoy does by itself");
        }
    }
}

fn is_prime(number: i64) -> bool {
    number > 1 && (2..).take_while(|factor| factor * factor <= number).all(|factor| number % factor != 0)
}

pub(super) fn dr14(subject: &Subject, out: &mut Out) {
    for hash in hashes(subject) {
        let size = hash.get("minimumRingSize");
        if size.integer().unwrap_or_default() == 0 {
            continue;
        }
        match hash.present(&["ringHash", "maglev"]).first() {
            Some(other) => out.error(&size, format!("stands beside `{other}`"), "keep one of them"),
            None => out.warning(&size, "is an old spelling", "write `ringHash: {minimumRingSize: …}`"),
        }
    }
}
