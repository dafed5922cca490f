//! Halts that are not by HTTP: the halt file, stored halts that cannot be read, and documents that somebody committed.

use policies::repository::LocatedHalt;

use super::{book::Book, document};
use crate::{api::halts::Durable, serving::published::Published};

/// The documents of kind `Halt` that hold everything.
fn everything(published: &Published) -> impl Iterator<Item = &LocatedHalt> {
    published.whole.catalog.halts().iter().filter(|located| located.holds_everything())
}

/// The places where everything has to be resumed by hand, in words.
pub fn standing(published: &Published, book: &Book) -> Vec<String> {
    let file = published.holds.file.then(|| "the halt file (--halt-file)".to_owned());
    let others = everything(published).filter(|located| *located.file != *book.file());
    let others = others.map(|located| format!("{}:{}", located.file, located.halt.place.line));
    let unreadable = book.unreadable().map(str::to_owned);
    file.into_iter().chain(unreadable).chain(others).collect()
}

/// The place where a halt that is not by HTTP is kept.
pub fn durable(published: &Published) -> Durable {
    if everything(published).next().is_some() { Durable::Git } else { Durable::Disk }
}

/// The reasons of those that stand beside the halts by HTTP, and end with them.
pub fn beside(published: &Published, book: &Book) -> Vec<String> {
    let in_file = everything(published).filter(|located| *located.file == *book.file());
    let by_hand = in_file.filter(|located| document::halt(&located.halt).is_none());
    by_hand.map(|located| located.halt.reason.to_string()).collect()
}

/// The reason that is given by the first document that holds everything.
pub fn reason(published: &Published) -> Option<String> {
    everything(published).next().map(|located| located.halt.reason.to_string())
}
