//! Pictures of the page for the documents, light and dark: real proxies inject while requests go through them.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use harness::{Browser, Load, Mesh, Repository, Request, Window};
use tokio::time::timeout;

/// The time until the line of the last minute is full, and every filter has polled.
const MINUTE: Duration = Duration::from_secs(70);
const SIZE: (u32, u32) = (1120, 600);

const FRONTEND: &str = "\
metadata: {name: frontend-errors}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - fault: {percentage: 30, duration_seconds: 900, abort: {httpStatus: 503}}
";
const CHECKOUT: &str = "\
metadata: {name: checkout-slow-reads}
spec:
  selector: {service: checkout, namespace: demo}
  rules:
    - match: {path: {prefix: /api/}}
      fault: {percentage: 12.5, duration_seconds: 1800, delay: {min_ms: 15, max_ms: 25}}
";
const BROKEN: &str = "\
metadata: {name: cart-errors}
spec:
  selector: {service: cart, namespace: demo}
  rules:
    - fault: {percntage: 5, abort: {httpStatus: 500}}
";

#[derive(Debug, Parser)]
struct Arguments {
    /// The directory that `page-light.png` and `page-dark.png` are written to
    directory: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    harness::program("screenshots", take(&Arguments::parse())).await
}

async fn take(Arguments { directory }: &Arguments) -> Result<bool> {
    let repository = Repository::new().await?;
    let mesh = Mesh::over(repository, &[("frontend", 3), ("checkout", 2)], 1).await?;
    mesh.publish("checkout.yaml", CHECKOUT).await?;
    mesh.publish("cart.yaml", BROKEN).await?;
    mesh.publish("frontend.yaml", FRONTEND).await?;
    let addresses = [mesh.addresses("frontend"), mesh.addresses("checkout")].concat();
    let load = Load::of(Request::get("/api/cart"), usize::MAX).concurrency(2);
    let mut browser = Browser::start()?;
    let url = format!("http://{}/", mesh.reconciler.address());
    if let Ok(ended) = timeout(MINUTE, load.run(&mesh.client, &addresses)).await {
        ended?;
    }
    for (name, dark) in [("page-light.png", false), ("page-dark.png", true)] {
        browser.open(&url, Window { dark, size: SIZE, ..Window::default() }).await?;
        browser.until("#banners", "INJECTING", 10.0).await?;
        browser.until("#live", "Live", 10.0).await?;
        browser.screenshot(&directory.join(name)).await?;
    }
    Ok(true)
}
