//! An end for all policies of a file.

use std::time::Duration;

use policies::{
    Timestamp,
    editing::{CannotEdit, Document, Format, How, put, read_body, split},
    reading::{Finding, Place},
};

use crate::clock::now;

/// A file, whose policies may have got an end.
#[derive(Debug)]
pub(super) struct Expiring {
    pub(super) bytes: Vec<u8>,
    /// The documents in their order; none if no line has moved.
    documents: Vec<Moved>,
}

/// A document, whose lines may have moved.
#[derive(Debug)]
struct Moved {
    /// The lines before it here, and in the file.
    before: (u32, u32),
    /// The first line of it that was added, and how many were.
    added: Option<(u32, u32)>,
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
        Self { bytes: text.to_vec(), documents: Vec::new() }
    }

    /// Sets `spec.expiresAt` of all policies of a file without mistakes, one document after the other.
    pub(super) fn of(text: &[u8], expires_at: &str) -> Result<Self, Vec<Finding>> {
        if is_list(text) {
            return Ok(Self::unchanged(&list(text, expires_at)?));
        }
        let mut expiring = Self { bytes: Vec::with_capacity(text.len()), documents: Vec::new() };
        let mut before = (0, 0);
        for document in split(text).map_err(|cannot| vec![finding("the end", cannot, 0)])? {
            let edited = ending(document, expires_at, before.1)?;
            expiring.documents.push(Moved { before, added: added(document.as_bytes(), &edited) });
            before = (before.0 + lines(&edited), before.1 + lines(document.as_bytes()));
            expiring.bytes.extend(edited);
        }
        Ok(expiring)
    }

    /// The line of the file, for one of its text with ends.
    pub(super) fn line(&self, line: u32) -> u32 {
        let moved = self.documents.iter().rev().find(|moved| moved.before.0 < line);
        let Some(Moved { before: (here, there), added }) = moved else { return line };
        let line = line - here;
        there
            + match added {
                Some((first, count)) if line >= first + count => line - count,
                Some((first, _)) => line.min(*first),
                None => line,
            }
    }
}

/// True for a list in JSON, which is no policy file; `hfi policy get -o json` prints one.
pub(super) fn is_list(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"[")
}

/// The documents of a list in JSON with their ends.
fn list(text: &[u8], expires_at: &str) -> Result<Vec<u8>, Vec<Finding>> {
    let documents = read_body(text, Format::Json);
    let documents = documents
        .map_err(|mistakes| mistakes.into_iter().map(|mistake| mistake.finding).collect::<Vec<_>>())?;
    let documents = documents.iter().map(|document| Document::with_expiry(document, expires_at).to_json());
    Ok(format!("[{}]", documents.collect::<Vec<_>>().join(",")).into_bytes())
}

/// A document of a file with its end. What is no policy stays as it is.
fn ending(text: &str, expires_at: &str, lines_before: u32) -> Result<Vec<u8>, Vec<Finding>> {
    let documents = read_body(text.as_bytes(), Format::Yaml).unwrap_or_default();
    let [document] = documents.as_slice() else { return Ok(text.into()) };
    let Some(name) = document.name().filter(|_| document.policy().is_some()) else { return Ok(text.into()) };
    let document = document.with_expiry(expires_at);
    let edited = put(text.as_bytes(), name, &document, How::InPlace)
        .or_else(|_| put(text.as_bytes(), name, &document, How::Rewrite));
    let cannot = |cannot| vec![finding(&format!("the end of `{name}`"), cannot, lines_before)];
    Ok(edited.map_err(cannot)?.bytes)
}

fn finding(what: &str, CannotEdit { line, reason }: CannotEdit, lines_before: u32) -> Finding {
    let place = Place { line: lines_before + line, column: 1 };
    Finding { place, field: String::new(), message: format!("cannot set {what}: {reason}") }
}

/// The number of line ends.
pub(super) fn lines(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// The first line that was added by an edit, and how many were.
fn added(before: &[u8], after: &[u8]) -> Option<(u32, u32)> {
    let more = lines(after).checked_sub(lines(before)).filter(|more| *more > 0)?;
    let split = |bytes| <[u8]>::split(bytes, |byte: &u8| *byte == b'\n');
    let same = split(before).zip(split(after)).take_while(|(before, after)| before == after).count();
    // What stands behind the last line counts as that.
    let last = split(before.strip_suffix(b"\n").unwrap_or(before)).count();
    Some((u32::try_from((same + 1).min(last)).ok()?, more))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use policies::{File, Timestamp};

    use super::{Expiring, moment_in};

    const AT: &str = "2030-01-01T00:00:00Z";

    fn of(text: &str) -> (String, Expiring) {
        let expiring = Expiring::of(text.as_bytes(), AT).unwrap();
        (String::from_utf8(expiring.bytes.clone()).unwrap(), expiring)
    }

    #[track_caller]
    fn all_end(ends: &str, policies: usize) {
        let file = File::read(ends.as_bytes());
        assert_eq!(file.policies().len(), policies, "{ends}");
        let is_over =
            |at: Option<Timestamp>| at.is_some_and(|at| at.to_rfc3339().starts_with("2030-01-01T00:00:00"));
        assert!(file.policies().iter().all(|parsed| is_over(parsed.policy.expires_at)), "{ends}");
    }

    /// Each line of the file is found again.
    #[track_caller]
    fn keep_their_places(text: &str, ends: &str, expiring: &Expiring) {
        let mut now = (1..).zip(ends.lines());
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.contains("expires")) {
            let (now, _) = now.find(|(_, now)| *now == line).unwrap_or_else(|| panic!("{line}\n{ends}"));
            assert_eq!(expiring.line(now), number, "{line}\n{ends}");
        }
    }

    #[test]
    fn every_policy_of_a_file_ends_and_the_rest_stays() {
        let text = "# first\nmetadata: {name: a}\nspec:\n  # here\n  rules: [{fault: {percentage: 1, delay_ms: 5}}]\n---\n\
                    metadata: {name: b}\nspec: {expiresAt: 2020-01-01T00:00:00Z, rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n\
                    ---\nkind: Halt\nspec: {reason: stays}\n---\n# nothing\n---\n\
                    metadata: {name: c}\nspec:\n  rules: [{fault: {percentage: 1, delay_ms: 5}}]\n# last\n";
        let (ends, expiring) = of(text);
        all_end(&ends, 3);
        assert!(ends.contains("# first\n") && ends.contains("# here\n"), "{ends}");
        keep_their_places(text, &ends, &expiring);
    }

    #[test]
    fn a_thousand_policies_of_a_file_end_as_one_does() {
        let mut text = String::new();
        for number in 0..1_000 {
            let rules = "  rules:\n    - fault: {percentage: 1, delay_ms: 5}";
            write!(text, "---\n# {number}\nmetadata:\n  name: p-{number}\nspec:\n{rules} # of {number}\n")
                .unwrap();
        }
        let begun = std::time::Instant::now();
        let (ends, expiring) = of(&text);
        eprintln!("a thousand ends in {:?}", begun.elapsed());
        all_end(&ends, 1_000);
        assert!(ends.contains("\n# 999\n") && ends.contains(" # of 999\n"));
        assert_eq!([expiring.line(7_999), expiring.line(8_000)], [7_000; 2]);
    }

    #[test]
    fn a_list_ends_too() {
        let list = r#"[{"metadata": {"name": "a"}, "spec": {"rules": [{"fault": {"percentage": 1, "delay_ms": 5}}]}}]"#;
        assert!(of(list).0.contains(&format!(r#""expiresAt": "{AT}""#)), "{}", of(list).0);
        assert_eq!(of("").0, "");
        let mistakes = Expiring::of(b"[\n{}]", AT).unwrap_err();
        assert_eq!(mistakes[0].place.line, 2, "{mistakes:?}");
    }

    #[test]
    fn a_moment_has_whole_seconds() {
        let moment = moment_in(std::time::Duration::from_millis(1_500)).to_rfc3339();
        assert!(moment.ends_with('Z') && !moment.contains('.'), "{moment}");
    }
}
