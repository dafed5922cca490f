//! A headless Chromium, which reads a page as a person does.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::paths;

/// A running browser with one window. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    _driver: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    // Its profile and whatever else it leaves.
    _directory: TempDir,
}

/// The window in which a page is opened.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// The reader prefers dark colours.
    pub dark: bool,
    /// Scripts run.
    pub script: bool,
    /// User and password for servers that demand one.
    pub login: Option<(&'a str, &'a str)>,
    /// Width and height, in pixels.
    pub size: (u32, u32),
}

impl Default for Window<'_> {
    fn default() -> Self {
        Self { dark: false, script: true, login: None, size: (1280, 900) }
    }
}

impl Browser {
    pub fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        // The death of the driver is the end of the browser: Chromium reads its commands from a pipe.
        let mut driver = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(paths::node()?)
            .arg(paths::workspace().join("scripts/browser/driver.mjs"))
            .env("CHROMIUM", paths::chromium()?)
            .env("TMPDIR", directory.path())
            .env("HOME", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the driver of the browser")?;
        let commands = driver.stdin.take().context("the driver has no standard input")?;
        let answers = driver.stdout.take().context("the driver has no standard output")?;
        let answers = BufReader::new(answers).lines();
        Ok(Self { _driver: driver, commands, answers, _directory: directory })
    }

    /// Opens a page in a new window that remembers nothing: the status of the answer.
    pub async fn open(&mut self, url: &str, window: Window<'_>) -> Result<u64> {
        let Window { dark, script, login, size: (width, height) } = window;
        let command = json!({
            "do": "open", "url": url, "dark": dark, "script": script, "login": login, "width": width, "height": height,
        });
        self.run(command).await?.as_u64().context("the page has no status")
    }

    /// The text of the only element that `selector` names.
    pub async fn text(&mut self, selector: &str) -> Result<String> {
        let text = self.run(json!({"do": "text", "selector": selector})).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until an element that `selector` names shows `text`.
    pub async fn until(&mut self, selector: &str, text: &str, seconds: f64) -> Result<()> {
        self.run(json!({"do": "until", "selector": selector, "text": text, "seconds": seconds})).await?;
        Ok(())
    }

    /// Presses a key, as `Tab`, `Shift+Tab` or `Enter`.
    pub async fn press(&mut self, key: &str) -> Result<()> {
        self.run(json!({"do": "press", "key": key})).await?;
        Ok(())
    }

    /// Types a text into what has the focus.
    pub async fn type_in(&mut self, text: &str) -> Result<()> {
        self.run(json!({"do": "type", "text": text})).await?;
        Ok(())
    }

    /// The element that has the focus: `id`, `tag`, `text` and `name`.
    pub async fn focus(&mut self) -> Result<Value> {
        self.run(json!({"do": "focus"})).await
    }

    /// The value of an expression of JavaScript, also where the scripts of the page do not run.
    pub async fn evaluate(&mut self, script: &str) -> Result<Value> {
        self.run(json!({"do": "eval", "script": script})).await
    }

    /// Loads the page anew: the status of the answer.
    pub async fn reload(&mut self) -> Result<u64> {
        self.run(json!({"do": "reload"})).await?.as_u64().context("the page has no status")
    }

    pub async fn screenshot(&mut self, path: &Path) -> Result<()> {
        self.run(json!({"do": "screenshot", "path": path})).await?;
        Ok(())
    }

    /// The serious findings of axe-core by the rules of WCAG 2.2, levels A and AA.
    pub async fn inaccessible(&mut self) -> Result<Vec<String>> {
        texts(&self.run(json!({"do": "check"})).await?)
    }

    /// Errors of the console and of scripts, breaches of the content security policy, and requests to other origins,
    /// since the page was opened or this was asked.
    pub async fn problems(&mut self) -> Result<Vec<String>> {
        texts(&self.run(json!({"do": "problems"})).await?)
    }

    async fn run(&mut self, command: Value) -> Result<Value> {
        self.commands.write_all(format!("{command}\n").as_bytes()).await?;
        let answer = self.answers.next_line().await?.context("the driver of the browser has ended")?;
        let mut answer: Value = serde_json::from_str(&answer)?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            bail!("{command}: {error}");
        }
        Ok(answer.get_mut("ok").map(Value::take).unwrap_or_default())
    }
}

fn texts(list: &Value) -> Result<Vec<String>> {
    let list = list.as_array().context("the answer is no list")?;
    Ok(list.iter().map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned)).collect())
}
