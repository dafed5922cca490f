//! `--expires-in`: an end for all policies of a file.

use std::time::Duration;

use policies::{
    File, Timestamp,
    editing::{Document, Format, How, find, put, read_body},
};

use crate::clock::now;

/// A file, whose policies may have got an end.
#[derive(Debug)]
pub(super) struct Expiring {
    pub(super) bytes: Vec<u8>,
    /// The lines that were added, each as its number and how many, in the order in which they were.
    added: Vec<(u32, u32)>,
}

/// The moment this long from now, to the second.
pub(super) fn moment_in(time: Duration) -> Timestamp {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let at = now().millis_since(Timestamp::from_millis(0)).saturating_add(millis);
    Timestamp::from_millis(at / 1_000 * 1_000)
}

impl Expiring {
    /// A file as it is.
    pub(super) fn unchanged(text: &[u8]) -> Self {
        Self { bytes: text.to_vec(), added: Vec::new() }
    }

    /// Sets `spec.expiresAt` of all policies. What is not valid stays as it is: the server refuses it.
    pub(super) fn of(text: &[u8], file: &File, expires_at: &str) -> Result<Self, String> {
        if text.trim_ascii_start().starts_with(b"[") {
            return Ok(Self::unchanged(&list(text, expires_at)));
        }
        let mut expiring = Self::unchanged(text);
        for parsed in file.policies() {
            let name = &parsed.policy.name;
            let document = find(&expiring.bytes, name);
            let document = document.ok_or_else(|| format!("the policy `{name}` is there twice"))?;
            let document = document.with_expiry(expires_at);
            let edited = put(&expiring.bytes, name, &document, How::InPlace)
                .or_else(|_| put(&expiring.bytes, name, &document, How::Rewrite));
            let edited = edited.map_err(|cannot| format!("cannot set the end of `{name}`: {cannot}"))?;
            expiring.added.extend(added(&expiring.bytes, &edited.bytes));
            expiring.bytes = edited.bytes;
        }
        Ok(expiring)
    }

    /// The line of the file, for one of its text with ends.
    pub(super) fn line(&self, line: u32) -> u32 {
        self.added.iter().rev().fold(
            line,
            |line, (first, count)| {
                if line < first + count { line.min(*first) } else { line - count }
            },
        )
    }
}

/// The documents of a list in JSON, which is no policy file; the text itself where one is not valid.
fn list(text: &[u8], expires_at: &str) -> Vec<u8> {
    let Ok(documents) = read_body(text, Format::Json) else { return text.to_vec() };
    let documents = documents.iter().map(|document| Document::with_expiry(document, expires_at).to_json());
    format!("[{}]", documents.collect::<Vec<_>>().join(",")).into_bytes()
}

/// The first line that was added by an edit, and how many were.
fn added(before: &[u8], after: &[u8]) -> Option<(u32, u32)> {
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let more = u32::try_from(lines(after).checked_sub(lines(before))?).ok().filter(|more| *more > 0)?;
    let split = |bytes| <[u8]>::split(bytes, |byte: &u8| *byte == b'\n');
    let same = split(before).zip(split(after)).take_while(|(before, after)| before == after).count();
    Some((u32::try_from(same + 1).ok()?, more))
}

#[cfg(test)]
mod tests {
    use policies::{File, Timestamp};

    use super::{Expiring, moment_in};

    const AT: &str = "2030-01-01T00:00:00Z";

    fn of(text: &str) -> (String, Expiring) {
        let expiring = Expiring::of(text.as_bytes(), &File::read(text.as_bytes()), AT).unwrap();
        (String::from_utf8(expiring.bytes.clone()).unwrap(), expiring)
    }

    #[test]
    fn every_policy_of_a_file_ends_and_the_rest_stays() {
        let text = "# first\nmetadata: {name: a}\nspec:\n  # here\n  rules: [{fault: {percentage: 1, delay_ms: 5}}]\n---\n\
                    metadata: {name: b}\nspec: {expiresAt: 2020-01-01T00:00:00Z, rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n";
        let (ends, expiring) = of(text);
        let file = File::read(ends.as_bytes());
        assert_eq!(file.policies().len(), 2, "{ends}");
        let is_over =
            |at: Option<Timestamp>| at.is_some_and(|at| at.to_rfc3339().starts_with("2030-01-01T00:00:00"));
        assert!(file.policies().iter().all(|parsed| is_over(parsed.policy.expires_at)), "{ends}");
        assert!(ends.contains("# first\n") && ends.contains("# here\n"), "{ends}");
        // Each line of the file is found again.
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.contains("expires")) {
            let now = (1..).zip(ends.lines()).find(|(_, now)| *now == line);
            let (now, _) = now.unwrap_or_else(|| panic!("{line}\n{ends}"));
            assert_eq!(expiring.line(now), number, "{line}\n{ends}");
        }
    }

    #[test]
    fn a_list_ends_too_and_what_is_wrong_stays() {
        let list = r#"[{"metadata": {"name": "a"}, "spec": {"rules": [{"fault": {"percentage": 1, "delay_ms": 5}}]}}]"#;
        assert!(of(list).0.contains(&format!(r#""expiresAt": "{AT}""#)), "{}", of(list).0);
        for wrong in ["[{}]", "metadata: {name: a}\n", "a: [", ""] {
            assert_eq!(of(wrong).0, wrong);
        }
    }

    #[test]
    fn a_moment_has_whole_seconds() {
        let moment = moment_in(std::time::Duration::from_millis(1_500)).to_rfc3339();
        assert!(moment.ends_with('Z') && !moment.contains('.'), "{moment}");
    }
}
