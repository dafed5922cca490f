//! Clients, told apart by the address of the peer, and fair shares of what they need.

pub use long_poll::{Admission, Client, Close, Place, Places, Prefixes, Shares};
