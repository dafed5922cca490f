//! The cost of rules that share nothing with a request: natively, beside the plain loop over rules that
//! the first generation has, and through the filter in a real Envoy, beside Envoy without it. And the cost of
//! regexes, beside the `regex` crate.

mod envoy;
mod native;
mod plain_loop;
mod regexes;

use anyhow::Result;

pub(crate) async fn run() -> Result<()> {
    native::run(&[1, 10, 100, 1_000, 10_000])?;
    println!();
    regexes::run()?;
    println!();
    envoy::run(&[1, 10, 1_000, 10_000]).await
}
