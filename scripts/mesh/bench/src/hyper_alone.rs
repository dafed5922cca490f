//! The routes and the policies of `hfi serve` behind hyper alone, as `axum` serves them: without the crate
//! `long_poll`. A process of its own, so that its memory is its own.

use anyhow::Result;
use harness::loopback;
use reconciler::{
    assembly::{ControlPlane, Options},
    cli::{Serve, ServeConfig},
    shutdown,
};
use tokio::net::TcpListener;

pub(crate) async fn run(serve: Serve) -> Result<()> {
    let ServeConfig { source, interval, listen, .. } = serve.resolve(|name| std::env::var(name).ok())?;
    // Kept, because dropping it is a request to shut down.
    let (_trigger, shutdown) = shutdown::channel();
    // The server of `long_poll` gets no client. It has raised the limit of open files for both.
    let unused = TcpListener::bind(loopback()).await?;
    let running = ControlPlane::new(Options::new(source, interval))?.start(unused, &shutdown)?;
    let listener = TcpListener::bind(listen).await?;
    // As `hfi serve` logs it.
    println!(r#"{{"message":"listening","address":"{}"}}"#, listener.local_addr()?);
    Ok(axum::serve(listener, running.routes.router).await?)
}
