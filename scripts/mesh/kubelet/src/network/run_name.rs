//! The names of what a run makes on this machine, so that the next run knows what is left of a dead one.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use super::pod_network::NAMESPACES;
use crate::machine::{find, run};

const DIGITS: u32 = 36;
/// Enough for the highest process id of Linux.
const WIDTH: usize = 5;

/// A prefix of names: letters of the caller's choice, the process id, and a number within the process.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RunName(String);

impl RunName {
    /// A name that no other run has. The stem is 1 to 3 lower-case letters: the name of a link has at most 15
    /// characters.
    pub fn unique(stem: &str) -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        check(stem)?;
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let number = char::from_digit(number, DIGITS).context("more than 36 runs in one process")?;
        Ok(Self(format!("{stem}{}{number}", encode(std::process::id()))))
    }

    /// The names of runs whose process is gone, but not what they made.
    pub fn dead(stem: &str) -> Result<Vec<Self>> {
        check(stem)?;
        let mut found: Vec<_> = names_in_use()?.iter().filter_map(|name| Self::of(stem, name)).collect();
        found.sort();
        found.dedup();
        found.retain(|run| run.process(stem).is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()));
        Ok(found)
    }

    /// The run that has made something of this name, if the stem is its.
    fn of(stem: &str, name: &str) -> Option<Self> {
        let run = Self(name.get(..stem.len() + WIDTH + 1)?.to_owned());
        run.process(stem).map(|_| run)
    }

    fn process(&self, stem: &str) -> Option<u32> {
        u32::from_str_radix(self.0.strip_prefix(stem)?.get(..WIDTH)?, DIGITS).ok()
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names of all network namespaces and links of this machine.
fn names_in_use() -> Result<Vec<String>> {
    let mut command = Command::new(find("ip")?);
    command.args(["-oneline", "link", "show"]);
    let links = run(command)?;
    // 3: NAME@PEER: …
    let links = links.lines().filter_map(|line| line.split([':', '@']).nth(1));
    let mut names: Vec<_> = links.map(|name| name.trim().to_owned()).collect();
    // It is not there until somebody makes one.
    for entry in std::fs::read_dir(NAMESPACES).into_iter().flatten() {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn check(stem: &str) -> Result<()> {
    let fits = (1..=3).contains(&stem.len()) && stem.bytes().all(|byte| byte.is_ascii_lowercase());
    ensure!(fits, "the stem of a run's name is 1 to 3 lower-case letters, not {stem:?}");
    Ok(())
}

fn encode(mut number: u32) -> String {
    let mut digits = ['0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit = char::from_digit(number % DIGITS, DIGITS).unwrap_or('0');
        number /= DIGITS;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::RunName;

    #[test]
    fn a_name_tells_the_process_that_made_it() {
        let run = RunName::unique("abc").unwrap();
        assert_eq!(run.process("abc"), Some(std::process::id()));
        assert_eq!(RunName::of("abc", &format!("{run}v17")), Some(run));
    }

    #[test]
    fn the_longest_link_has_fifteen_characters() {
        assert_eq!(format!("{}v99999", RunName::unique("abc").unwrap()).len(), 15);
    }

    #[test]
    fn names_of_others_are_left_alone() {
        for name in ["lo", "abc", "abc12345", "abc-0000-0", "abx000010v1", "äöüäöüäöü"] {
            assert_eq!(RunName::of("abc", name), None, "{name}");
        }
        assert!(
            RunName::unique("abcd").is_err() && RunName::unique("A").is_err() && RunName::unique("").is_err()
        );
    }
}
