//! The author of a commit.

use std::str::FromStr;

use git2::{Error, Signature, Time};

use crate::clock::now;

/// The longest name, and the longest address, in bytes.
const LONGEST: usize = 200;

/// A name and an e-mail address that stand in a commit as they are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    name: String,
    email: String,
}

impl Author {
    /// An author; the error completes a sentence whose subject is the text that was given.
    pub fn new(name: &str, email: &str) -> Result<Self, String> {
        // Git drops these from the ends of a name, and a name of nothing else is none.
        let is_crud = |c: char| c.is_whitespace() || c.is_control() || ".,:;<>\"\\'".contains(c);
        let is_whole = |text: &str| {
            let is_bare = !text.starts_with(is_crud) && !text.ends_with(is_crud);
            !text.is_empty()
                && text.len() <= LONGEST
                && is_bare
                && !text.contains(['<', '>', '\n', '\r', '\0'])
        };
        if !is_whole(name) || name.contains(char::is_control) {
            return Err("has no name that Git keeps as it is; use letters, digits and blanks".to_owned());
        }
        if !is_whole(email) || email.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err("has no e-mail address that Git keeps as it is, such as hfi@example.org".to_owned());
        }
        Ok(Self { name: name.to_owned(), email: email.to_owned() })
    }

    /// The signature of this author, now and in UTC.
    pub(super) fn now(&self) -> Result<Signature<'static>, Error> {
        Signature::new(&self.name, &self.email, &Time::new(seconds(), 0))
    }
}

/// The seconds since the Unix epoch.
fn seconds() -> i64 {
    i64::try_from(now().as_millis() / 1_000).unwrap_or(i64::MAX)
}

impl FromStr for Author {
    type Err = String;

    /// Reads `NAME <EMAIL>`.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "is not of the form `NAME <EMAIL>`".to_owned();
        let (name, rest) = text.split_once('<').ok_or_else(form)?;
        let email = rest.trim_end().strip_suffix('>').ok_or_else(form)?;
        Self::new(name.trim(), email)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Author;

    #[test]
    fn a_name_and_an_address_are_read() {
        let bot: Author = "Fault Bot <bot@example.org>".parse().unwrap();
        assert_eq!(bot, Author::new("Fault Bot", "bot@example.org").unwrap());
        for (bad, why) in [
            ("", "is not of the form"),
            ("bot", "is not of the form"),
            ("bot <bot@example.org", "is not of the form"),
            ("<bot@example.org>", "has no name"),
            (". <bot@example.org>", "has no name"),
            ("a\nb <bot@example.org>", "has no name"),
            ("bot <>", "has no e-mail"),
            ("bot <a b@example.org>", "has no e-mail"),
            ("bot <a@example.org> <b@example.org>", "has no e-mail"),
        ] {
            assert!(bad.parse::<Author>().unwrap_err().starts_with(why), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_stands_in_the_commit_as_it_is(name in "\\PC{0,20}", email in "\\PC{0,20}") {
            if let Ok(author) = Author::new(&name, &email) {
                let signature = author.now().unwrap();
                prop_assert_eq!((signature.name().unwrap(), signature.email().unwrap()), (&*name, &*email));
            }
        }
    }
}
