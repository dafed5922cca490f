//! `kubectl logs`: all that containers of a name have printed.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::sleep;

use super::query::values;

/// Nobody tells of a longer file.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The part that a client asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    follow: bool,
    lines: Option<usize>,
    bytes: Option<usize>,
}

impl Wanted {
    /// Fails for what a plain file does not tell.
    pub(super) fn parse(query: &str) -> Result<Self> {
        let value = |name| values(query, name).into_iter().find(|value| !value.is_empty());
        let is_set = |name| value(name).is_some_and(|value| value == "true" || value == "1");
        for name in ["previous", "timestamps"] {
            if is_set(name) {
                bail!("logs have no `{name}` here");
            }
        }
        for name in ["sinceSeconds", "sinceTime"] {
            if value(name).is_some() {
                bail!("logs have no times here: `{name}` is unknown");
            }
        }
        let number = |name| value(name).map(|value| value.parse()).transpose().context("not a number");
        Ok(Self { follow: is_set("follow"), lines: number("tailLines")?, bytes: number("limitBytes")? })
    }
}

/// The text, and what follows as long as the container runs.
pub(super) async fn read(
    file: PathBuf,
    wanted: Wanted,
    runs: impl Fn() -> bool + Send + 'static,
) -> Result<Body> {
    let mut file = File::open(&file).await.context("it has printed nothing yet")?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).await?;
    let from = wanted.lines.map_or(0, |lines| last(&text, lines));
    let shown = text.get(from..).unwrap_or_default().iter().copied();
    let shown: Bytes = shown.take(wanted.bytes.unwrap_or(usize::MAX)).collect();
    let first = stream::iter([Ok::<_, Infallible>(shown)]);
    if !wanted.follow {
        return Ok(Body::from_stream(first));
    }
    let more = stream::unfold((file, runs), async |(mut file, runs)| {
        loop {
            // Asked before it is read, so that the last words are read too.
            let goes_on = runs();
            let mut added = Vec::new();
            file.read_to_end(&mut added).await.ok()?;
            if !added.is_empty() {
                return Some((Ok(Bytes::from(added)), (file, runs)));
            }
            if !goes_on {
                return None;
            }
            sleep(BETWEEN_LOOKS).await;
        }
    });
    Ok(Body::from_stream(first.chain(Box::pin(more))))
}

/// The place where the last lines begin.
fn last(text: &[u8], lines: usize) -> usize {
    // The line end of the last line ends no other.
    let ends = text.iter().enumerate().rev().skip(1).filter(|(_, byte)| **byte == b'\n');
    match lines {
        0 => text.len(),
        _ => ends.map(|(place, _)| place + 1).nth(lines - 1).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, last};

    #[test]
    fn the_last_lines_are_found() {
        for (text, lines, shown) in [
            ("a\nb\nc\n", 0, ""),
            ("a\nb\nc\n", 1, "c\n"),
            ("a\nb\nc", 2, "b\nc"),
            ("a\nb\nc\n", 9, "a\nb\nc\n"),
            ("\n\n", 1, "\n"),
            ("", 1, ""),
        ] {
            assert_eq!(&text[last(text.as_bytes(), lines)..], shown, "{text:?} {lines}");
        }
    }

    #[test]
    fn what_a_file_does_not_tell_is_refused() {
        let wanted = Wanted { follow: true, lines: Some(3), bytes: None };
        assert_eq!(Wanted::parse("follow=true&tailLines=3&previous=false").unwrap(), wanted);
        for refused in ["previous=true", "timestamps=true", "sinceSeconds=3", "tailLines=x"] {
            assert!(Wanted::parse(refused).is_err(), "{refused}");
        }
    }
}
