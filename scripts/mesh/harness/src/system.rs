//! This machine: its addresses, files and processes, and waiting for what they do.

mod certificate;
mod deadline;
mod loopback;
mod nginx;
pub mod paths;
mod process;
pub(crate) mod process_stats;
mod program;
mod tls_front;

pub use certificate::certify;
pub use deadline::Deadline;
pub use loopback::loopback;
pub use nginx::Nginx;
pub use process::Process;
pub use program::{interruption, program};
pub use tls_front::TlsFront;
