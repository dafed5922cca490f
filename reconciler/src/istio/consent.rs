//! The removals that people have agreed to.

use std::collections::BTreeMap;

/// The beginning of a line of a commit message that agrees to so many removals.
const LINE: &str = "Hfi-Removals:";

/// What people have agreed to, from the commit in force to the newest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// The removals in a namespace that commit messages agree to.
    pub removals: usize,
    /// Somebody who may change the artifact has named the newest commit there.
    pub is_of_commit: bool,
    /// The limit of guardrails for removals without consent, the stricter of those in force and of the newest commit.
    pub limit: Option<usize>,
}

impl Consent {
    /// True if so many of all objects of a namespace may go.
    pub fn covers(&self, removed: usize, all: usize) -> bool {
        let usual = 10.max(all / 3).min(self.limit.unwrap_or(usize::MAX));
        let is_small = removed <= usual && removed < all;
        is_small || self.agrees(removed)
    }

    /// True if people agree to so many removals, be they few or many.
    pub fn agrees(&self, removed: usize) -> bool {
        removed == 0 || self.is_of_commit || removed <= self.removals
    }
}

/// The removals that a commit message agrees to: the sums of its lines `Hfi-Removals: N`, which are for each namespace,
/// and `Hfi-Removals: NAMESPACE N`. The message itself may be long, and is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    everywhere: usize,
    in_one: BTreeMap<String, usize>,
}

impl Agreed {
    /// The lines of a message, as far as they are for each namespace or for one that is known.
    pub fn of(message: &str, is_known: impl Fn(&str) -> bool) -> Self {
        let mut agreed = Self::default();
        for line in message.lines().filter_map(|line| line.trim().strip_prefix(LINE)) {
            let line = line.trim();
            let (sum, number) = match line.split_once(char::is_whitespace) {
                Some((namespace, number)) if is_known(namespace) => {
                    (agreed.in_one.entry(namespace.to_owned()).or_default(), number.trim())
                }
                Some(_) => continue,
                None => (&mut agreed.everywhere, line),
            };
            *sum = sum.saturating_add(number.parse().unwrap_or_default());
        }
        agreed
    }

    /// The removals in a namespace.
    pub fn removals(&self, namespace: &str) -> usize {
        self.everywhere.saturating_add(self.in_one.get(namespace).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::{Agreed, Consent};

    /// What one message agrees to in `shop`, `bank` and `web`.
    fn removals(message: &str) -> [usize; 3] {
        let known = ["shop", "bank", "web"];
        let agreed = Agreed::of(message, |namespace| known.contains(&namespace));
        known.map(|namespace| agreed.removals(namespace))
    }

    #[test]
    fn few_removals_need_no_consent_and_all_of_them_do() {
        let none = Consent::default();
        for (removed, all, is_covered) in [
            (0, 0, true),
            (1, 2, true),
            (1, 1, false),
            (10, 11, true),
            (10, 10, false),
            (11, 30, false),
            (33, 100, true),
            (34, 100, false),
        ] {
            assert_eq!(none.covers(removed, all), is_covered, "{removed} of {all}");
        }
    }

    #[test]
    fn consent_is_a_number_or_a_commit_and_a_guardrail_asks_for_it_sooner() {
        let numbered = Consent { removals: 12, ..Consent::default() };
        assert!(numbered.covers(12, 12) && !numbered.covers(13, 13));
        let strict = Consent { limit: Some(2), ..Consent::default() };
        assert!(strict.covers(2, 100) && !strict.covers(3, 100));
        let lax = Consent { limit: Some(50), ..Consent::default() };
        assert!(!lax.covers(50, 100), "a guardrail only limits");
        assert!(Consent { is_of_commit: true, ..strict }.covers(100, 100));
    }

    #[test]
    fn a_message_agrees_by_lines_of_its_own() {
        assert_eq!(removals("Take shop away\n\nHfi-Removals: 12\n  Hfi-Removals: 3\r\n"), [15; 3]);
        for none in ["", "Hfi-Removals: many", "Hfi-Removals: -1", "See Hfi-Removals: 9", "hfi-removals: 9"] {
            assert_eq!(removals(none), [0; 3], "{none}");
        }
        assert_eq!(removals("Hfi-Removals: 18446744073709551615\nHfi-Removals: 9"), [usize::MAX; 3]);
    }

    #[test]
    fn a_line_may_name_its_namespace() {
        let message =
            "Hfi-Removals: shop 12\nHfi-Removals:  bank\t5 \nHfi-Removals: 1\nHfi-Removals: shop bank 7";
        assert_eq!(removals(message), [13, 6, 1]);
    }

    #[test]
    fn what_a_message_says_of_other_namespaces_is_not_kept() {
        let agreed =
            Agreed::of("Hfi-Removals: 2\nHfi-Removals: shop 7\nHfi-Removals: other 5", |namespace| {
                namespace == "shop"
            });
        assert_eq!((agreed.removals("shop"), agreed.removals("other")), (9, 2));
        assert_eq!(agreed.in_one.len(), 1);
    }
}
