//! The stories, and what each of them asks: `stories.json`, which the scripts in `scripts/e2e` read too.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;

const STORIES: &str = include_str!("../stories.json");

/// A user story; its name is that of its script in `scripts/e2e`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Story {
    DeployControlPlane,
    DeployPlugin,
    TargetServices,
    IdentifyProxies,
    DistributeFaults,
    Observe,
}

impl Story {
    /// The name as it is written in the list and on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The entry of this story in the list.
    pub(crate) fn asked(self) -> Result<Asked> {
        let stories: Vec<Asked> = serde_json::from_str(STORIES).context("stories.json")?;
        let name = self.name();
        stories.into_iter().find(|story| story.name == name).with_context(|| format!("no story {name}"))
    }
}

/// One story of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    criteria: Vec<Criterion>,
}

/// One figure that a story asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Criterion {
    name: String,
    pub(crate) id: String,
    asks: String,
    limit: Option<String>,
    only: Option<Runner>,
}

/// The only runner that can show a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Runner {
    Cluster,
    Mesh,
}

impl Asked {
    /// A figure by its name.
    pub(crate) fn criterion(&self, name: &str) -> Result<&Criterion> {
        let found = self.criteria.iter().find(|criterion| criterion.name == name);
        found.with_context(|| format!("stories.json: {} asks for no \"{name}\"", self.name))
    }

    /// The figures that only a cluster can show.
    pub(crate) fn of_cluster(&self) -> impl Iterator<Item = &Criterion> {
        self.criteria.iter().filter(|criterion| criterion.only == Some(Runner::Cluster))
    }
}

impl Criterion {
    /// The sentence that is printed, with the limit in its place.
    pub(crate) fn asks(&self) -> String {
        self.asks.replace("{limit}", self.limit.as_deref().unwrap_or_default())
    }

    /// The limit of a time.
    pub(crate) fn time(&self) -> Result<Duration> {
        let limit = self.limit.as_deref().unwrap_or_default();
        match limit.split_once(' ') {
            Some((seconds, "s")) => Ok(Duration::from_secs(seconds.parse()?)),
            Some((milliseconds, "ms")) => Ok(Duration::from_millis(milliseconds.parse()?)),
            _ => anyhow::bail!("stories.json: the limit of {} is \"{limit}\", not a time", self.name),
        }
    }

    /// The limit of a share, between 0 and 1.
    pub(crate) fn share(&self) -> Result<f64> {
        let percent = self.limit.as_deref().and_then(|limit| limit.strip_suffix(" %"));
        let percent = percent.with_context(|| format!("stories.json: {} has no limit in %", self.name))?;
        Ok(percent.parse::<f64>()? / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_is_in_the_list_and_every_entry_is_a_story() {
        let names: Vec<_> = Story::value_variants().iter().map(|story| story.asked().unwrap().name).collect();
        let listed: Vec<Asked> = serde_json::from_str(STORIES).unwrap();
        assert_eq!(names, listed.into_iter().map(|story| story.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_sentence_has_its_limit_if_there_is_one() {
        for story in Story::value_variants() {
            for criterion in story.asked().unwrap().criteria {
                assert_eq!(criterion.asks.matches("{limit}").count(), usize::from(criterion.limit.is_some()));
                assert!(criterion.asks().len() <= 56, "{} is too wide for its column", criterion.asks());
            }
        }
    }

    #[test]
    fn limits_are_read_with_their_units() {
        let asked = Story::DeployPlugin.asked().unwrap();
        assert_eq!(asked.criterion("loaded").unwrap().time().unwrap(), Duration::from_secs(30));
        assert_eq!(asked.criterion("started").unwrap().time().unwrap(), Duration::from_millis(500));
        assert!(asked.criterion("logged").unwrap().time().is_err());
        let many = Story::DistributeFaults.asked().unwrap();
        assert_eq!(many.criterion("many").unwrap().share().unwrap(), 0.1);
    }
}
