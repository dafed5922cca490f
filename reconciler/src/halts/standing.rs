//! Halts that are not by HTTP: the halt file, stored halts that cannot be read, and documents that somebody committed.

use policies::repository::LocatedHalt;

use super::{book::Book, document::FILE};
use crate::serving::published::Published;

/// A document of kind `Halt` that holds everything, and that was written by hand.
fn by_hand(published: &Published) -> impl Iterator<Item = &LocatedHalt> {
    published.whole.catalog.halts().iter().filter(|located| located.holds_everything())
}

/// The places where everything has to be resumed by hand, in words.
pub fn standing(published: &Published, book: &Book) -> Vec<String> {
    let file = published.holds.file.then(|| "the halt file (--halt-file)".to_owned());
    let others = by_hand(published).filter(|located| &*located.file != FILE);
    let others = others.map(|located| format!("{}:{}", located.file, located.halt.place.line));
    let unreadable = book.unreadable().map(str::to_owned);
    file.into_iter().chain(unreadable).chain(others).collect()
}

/// The reason that is given by the first document that holds everything.
pub fn reason(published: &Published) -> Option<String> {
    by_hand(published).next().map(|located| located.halt.reason.to_string())
}
