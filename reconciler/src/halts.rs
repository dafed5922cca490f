//! Halts by HTTP: everything stops at once, on this replica and as a commit.
//!
//! ```text
//! POST ──▶ book ──▶ gate: every snapshot is empty
//!           │ ▲
//!           │ └── following: the branch as it is read: whose file has come, and whose is gone
//!           ├───▶ keeping: the commit of the file, tried again until it is in, or nobody wants it any more
//!           └───▶ storing: the state directory
//! ```
//!
//! - [`halt`]: one halt; [`ledger`]: those that are known and those that have ended, merged in any order.
//! - `in_git`: the halts that the branch is known to have; `document`: the file there.
//! - [`store`]: halts on disk. [`book`]: the one owner of all this, and of the hold at the gate.
//! - [`following`], [`keeping`], `storing`: the tasks; [`running`]: the last two until the end of the process.
//! - [`exchange`]: what the other replicas know, and are told; `telling`: how it is told.
//!   `callers`: those that tell this one, as it may not know their addresses yet.
//! - [`resuming`]: the end of all halts; [`standing`]: halts of others.

pub mod book;
mod callers;
mod document;
pub mod exchange;
pub mod following;
pub mod halt;
mod in_git;
pub mod keeping;
pub mod ledger;
#[cfg(test)]
mod model;
pub mod resuming;
pub mod running;
pub mod standing;
pub mod store;
mod storing;
mod telling;
