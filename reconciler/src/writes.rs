//! Changes of policies: each becomes a commit, is pushed, and comes into force by being fetched.
//!
//! ```text
//! http ──Order──▶ queue ──▶ worker: read the branch, edit, judge, commit ──▶ push ──▶ Git ──▶ sync
//!                   ◀───────────────── Done, or a Refusal ─────────────────────┘
//! ```
//!
//! - [`order`]: what somebody asks for; [`outcome`]: what became of it, or why not.
//! - `pending`: a request that is being done; `ticket`: a request on its way, which its client may give up until its
//!   push begins; [`leaving`]: a client that may leave; `memory`: requests whose clients may not know their end.
//! - [`queue`]: the requests that wait, and the wait until a commit is served.
//! - `worker`: the one thread that writes; `batch`: requests that share a push; `chain`: their commits; `unsettled`:
//!   pushes whose end is not known; `settling`: how they are settled; `proposing`: pushes to new branches.
//! - `reading`: how the branch is read; `branch`: the branch as it was read, and as it would be.
//! - `planning`: what a request does to the branch; `edit`: its changes, by the rules of `selection`, `restart` and
//!   [`etag`]; `judge`: what a change makes worse.
//! - [`file_change`]: a change of one file that is no policy; `changing`: how it is made.
//! - [`settings`]: what differs from one server to another; `branch_pattern`: the names of new branches.
//! - [`history`]: the commits that changed a policy.

mod batch;
mod branch;
mod branch_pattern;
mod chain;
mod changing;
mod edit;
pub mod etag;
pub mod file_change;
pub mod history;
mod judge;
pub mod leaving;
mod memory;
mod message;
pub mod order;
pub mod outcome;
mod pending;
mod planning;
mod proposing;
pub mod queue;
mod reading;
mod repeat;
mod restart;
mod selection;
pub mod settings;
mod settling;
mod standing;
mod ticket;
mod unsettled;
mod worker;
