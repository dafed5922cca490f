//! The answer whether any value of a kind fits a regex at all.

use std::collections::BTreeSet;

use super::{Automaton, MATCH, rows::ENDS};

impl Automaton {
    /// True if the regex fits something in a value of such ASCII characters, which begins with `first` if that is
    /// given.
    pub(crate) fn can_find(&self, first: Option<u8>, is_in: impl Fn(u8) -> bool) -> bool {
        let rows: Vec<_> = self.rows().collect();
        let row = |state: u16| rows.get(usize::from(state).checked_sub(usize::from(ENDS))?).copied();
        let class = |byte: u8| self.classes().of_ascii(byte).map(usize::from);
        // The ends have no row, and stay what they are.
        let next = |state: u16, class: Option<usize>| {
            row(state).zip(class).and_then(|(row, class)| row.get(class)).copied().unwrap_or(state)
        };
        let classes: BTreeSet<_> = (0..128).filter(|byte| is_in(*byte)).filter_map(class).collect();
        let mut todo = vec![first.map_or(self.start(), |first| next(self.start(), class(first)))];
        let mut seen = BTreeSet::new();
        while let Some(state) = todo.pop() {
            let ends = row(state).and_then(<[u16]>::last);
            if state == MATCH || ends == Some(&MATCH) {
                return true;
            }
            if seen.insert(state) {
                todo.extend(classes.iter().map(|class| next(state, Some(*class))));
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile;

    fn can_find(regex: &str, first: Option<u8>, is_in: fn(u8) -> bool) -> bool {
        compile(&regex_syntax::parse(regex).unwrap()).unwrap().0.can_find(first, is_in)
    }

    #[test]
    fn a_regex_fits_values_that_have_its_characters() {
        let lower = |byte: u8| byte.is_ascii_lowercase();
        for (regex, fits) in [
            ("a", true),
            ("^a$", true),
            ("A", false),
            ("(?i)A", true),
            ("a|A", true),
            ("^$", true),
            ("a A", false),
            ("[^a-z]", false),
            ("ä", false),
            ("a^b", false),
            (r"a\b", true),
            ("a$", true),
        ] {
            assert_eq!(can_find(regex, None, lower), fits, "{regex}");
        }
    }

    #[test]
    fn a_regex_fits_values_with_its_beginning() {
        let graphic = |byte: u8| byte.is_ascii_graphic();
        for (regex, fits) in [
            ("pay", true),
            ("^pay", false),
            ("^/pay", true),
            ("^(pay|/cart)", true),
            ("^(pay|cart)", false),
            ("^$", false),
            ("^/$", true),
            ("^.pay", true),
            ("^[^/]", false),
            ("/$", true),
        ] {
            assert_eq!(can_find(regex, Some(b'/'), graphic), fits, "{regex}");
        }
    }
}
