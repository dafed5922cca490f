//! A page in a real browser, with a server behind it.

use std::path::Path;

use harness::{Browser, Repository, Window};
use tempfile::TempDir;

use super::{
    process::{Process, text},
    writing::{CHECKOUT, path, process, repository},
};

/// The time within which a page shows what has happened, in seconds.
pub(crate) const SOON: f64 = 2.0;

/// A repository with a policy, a server that takes changes of it, and a browser.
pub(crate) struct Reader {
    pub(crate) repository: Repository,
    pub(crate) files: TempDir,
    pub(crate) hfi: Process,
    pub(crate) browser: Browser,
}

impl Reader {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with these variables for the server.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        let (repository, files) = (repository(&[("a.yaml", CHECKOUT)]).await, tempfile::tempdir().unwrap());
        let hfi = serve(&path(&repository), files.path(), variables).await;
        Self { repository, files, hfi, browser: Browser::start().unwrap() }
    }

    /// Opens the page.
    pub(crate) async fn open(&mut self, window: Window<'_>) {
        assert_eq!(self.browser.open(&self.hfi.url, window).await.unwrap(), 200);
    }

    /// Waits until a part of the page shows a text.
    pub(crate) async fn shows(&mut self, selector: &str, text: &str) {
        shows(&mut self.browser, selector, text).await;
    }

    /// Fails if the page has caused an error, a breach of its content security policy, or a request to another origin.
    pub(crate) async fn is_clean(&mut self) {
        assert_eq!(self.browser.problems().await.unwrap(), Vec::<String>::new());
    }
}

/// A server that takes changes of a repository, ready, with its state in `files`.
pub(crate) async fn serve(url: &str, files: &Path, variables: &[(&str, &str)]) -> Process {
    let state = files.join("state");
    let usual = [("HFI_STATE_DIR", text(&state))];
    let hfi = process(url, files, &[&usual[..], variables].concat()).await;
    hfi.until_ready(|_| true).await;
    hfi
}

/// Waits until a part of the page shows a text.
pub(crate) async fn shows(browser: &mut Browser, selector: &str, text: &str) {
    if let Err(error) = browser.until(selector, text, SOON).await {
        panic!("{error:#}\n{}", browser.text("body").await.unwrap());
    }
}

/// Presses Tab until the element with this id has the focus, as somebody without a mouse does.
pub(crate) async fn tab_to(browser: &mut Browser, id: &str) {
    for _ in 0..30 {
        if browser.focus().await.unwrap()["id"] == id {
            return;
        }
        browser.press("Tab").await.unwrap();
    }
    panic!("Tab does not lead to #{id}");
}
