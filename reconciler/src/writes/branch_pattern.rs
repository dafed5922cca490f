//! The names of the new branches that commits go to, where the served branch is protected.

use std::str::FromStr;

/// A pattern such as `hfi/{user}/{name}-{id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchPattern(String);

const ID: &str = "{id}";
const KNOWN: [&str; 3] = ["{user}", "{name}", ID];
/// The longest part that is made of what is not ours.
const MAX_PART: usize = 63;

impl BranchPattern {
    /// True if the name of some new branch can be this one, in whatever case.
    pub fn can_yield(&self, branch: &str) -> bool {
        let glob = KNOWN.iter().fold(self.0.to_ascii_lowercase(), |glob, known| glob.replace(known, "*"));
        let mut parts = glob.split('*');
        let branch = branch.to_ascii_lowercase();
        let Some(mut rest) = branch.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        rest.len() > last.len() && rest.ends_with(last)
    }

    /// The name of the branch for a commit.
    pub fn name(&self, user: &str, name: &str, id: &str) -> String {
        let clean = |text: &str| -> String {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            text.chars().take(MAX_PART).map(|c| if fits(c) { c } else { '-' }).collect()
        };
        let filled = self.0.replace("{user}", &clean(user)).replace("{name}", &clean(name));
        filled.replace(ID, &clean(id))
    }
}

impl FromStr for BranchPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains(ID) {
            return Err(format!("must contain `{ID}`, so that each commit has a branch of its own"));
        }
        let rest = KNOWN.iter().fold(text.to_owned(), |rest, known| rest.replace(known, ""));
        if rest.contains(['{', '}']) {
            return Err(format!("has an unknown part in braces; known: {}", KNOWN.join(", ")));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if let Some(odd) = rest.chars().find(|c| !fits(*c)) {
            return Err(format!(
                "has `{}`; use letters, digits, `.`, `_`, `-` and `/`",
                odd.escape_default()
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::BranchPattern;

    #[test]
    fn a_pattern_needs_an_id_and_knows_three_parts() {
        let pattern: BranchPattern = "hfi/{user}/{name}-{id}".parse().unwrap();
        assert_eq!(pattern.name("alice", "checkout-errors", "1f0a"), "hfi/alice/checkout-errors-1f0a");
        assert_eq!(pattern.name("a/b c", "x", "1"), "hfi/a-b-c/x-1");
        for (pattern, yields) in [
            ("{id}", true),
            ("{user}-{id}", false),
            ("m{id}", true),
            ("MAI{id}", true),
            ("main{id}", false),
            ("hfi/{id}", false),
            ("{name}{id}", true),
        ] {
            assert_eq!(pattern.parse::<BranchPattern>().unwrap().can_yield("main"), yields, "{pattern}");
        }
        for bad in ["hfi/{user}", "", "hfi/{id}/{group}", "hfi {id}", "hfi/{id}~1", "{{id}"] {
            assert!(bad.parse::<BranchPattern>().is_err(), "{bad}");
        }
    }
}
