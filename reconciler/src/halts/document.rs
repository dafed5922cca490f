//! `hfi-halt.yaml` in the policy directory: the halts by HTTP as documents of kind `Halt`.

use policies::{
    File, Timestamp,
    reading::{self, MAX_FILE_BYTES, Problem},
};
use serde_json::json;

use super::halt::{Halt, HaltId};
use crate::{
    printable::printable,
    writes::{file_change::Edited, outcome::Refusal},
};

/// The file, below the policy directory.
pub(super) const FILE: &str = "hfi-halt.yaml";

/// The path of the file, as problems and halts have it.
pub(super) fn path_below(directory: &str) -> String {
    if directory.is_empty() { FILE.to_owned() } else { format!("{directory}/{FILE}") }
}

const ID: &str = "hfi.dev/halt-id";
const BY: &str = "hfi.dev/halt-by";
const SINCE: &str = "hfi.dev/halt-since";

const HEAD: &str =
    "# Nothing is injected while this file is here. Its removal ends the halt, as `DELETE /v1/halt` does.\n";

/// The halt that a document is of; `None` for one that somebody wrote by hand.
pub(super) fn halt(document: &reading::Halt) -> Option<Halt> {
    let id = HaltId::parse(document.annotation(ID)?)?;
    let since = document.annotation(SINCE).and_then(|since| Timestamp::parse(since).ok());
    let by = document.annotation(BY).unwrap_or_default().to_owned();
    let since = since.unwrap_or(Timestamp::from_millis(0)).into();
    Some(Halt { since, id, by, reason: document.reason.to_string() })
}

/// True if there is something wrong with the file at a path, so that it cannot be known which halts it holds.
pub(super) fn is_damaged(path: &str, problems: &[Problem]) -> bool {
    problems.iter().any(|problem| &*problem.file == path)
}

/// True if the file is valid, and a halt is not in it.
pub(super) fn lacks(content: Option<&[u8]>, id: &HaltId) -> bool {
    let file = File::read(content.unwrap_or_default());
    let is_valid = content.is_none() || file.findings.is_empty();
    is_valid && !file.halts().any(|document| halt(document).is_some_and(|halt| halt.id == *id))
}

/// The file with these halts as well. One that is not valid stays as it is: it may hold what somebody else has stopped.
pub(super) fn with(content: Option<&[u8]>, halts: &[Halt]) -> Result<Edited, Refusal> {
    let file = File::read(content.unwrap_or_default());
    if content.is_some() && !file.findings.is_empty() {
        return Err(Refusal::Conflict(format!(
            "{FILE} is not valid, and is not replaced; correct or remove it in Git, and the halt is committed"
        )));
    }
    let known: Vec<_> = file.halts().filter_map(|known| halt(known)).collect();
    let is_new = |halt: &&Halt| !known.iter().any(|known| known.id == halt.id);
    let new: Vec<_> = halts.iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(Edited::Unchanged);
    }
    let mut text = content.map_or_else(|| HEAD.as_bytes().to_vec(), <[u8]>::to_vec);
    for (position, halt) in new.into_iter().enumerate() {
        if content.is_some() || position > 0 {
            text.extend_from_slice(if text.ends_with(b"\n") { b"---\n" } else { b"\n---\n" });
        }
        text.extend_from_slice(render(halt).as_bytes());
    }
    // Nobody could read it, nor remove the halt from it by a request.
    if text.len() > MAX_FILE_BYTES {
        return Err(Refusal::Conflict(format!(
            "{FILE} would be longer than {MAX_FILE_BYTES} bytes; shorten it in Git, and the halt is committed"
        )));
    }
    Ok(Edited::Changed(Some(text)))
}

/// The file without these halts, and without those that somebody wrote by hand for one of these reasons.
pub(super) fn without(
    content: Option<&[u8]>,
    ended: &[HaltId],
    by_hand: &[String],
) -> Result<Edited, Refusal> {
    let Some(content) = content else { return Ok(Edited::Unchanged) };
    let file = File::read(content);
    let goes = |document: &reading::Halt| match halt(document) {
        Some(halt) => ended.contains(&halt.id),
        None => by_hand.iter().any(|reason| **reason == *document.reason),
    };
    if file.findings.is_empty() && !file.halts().any(|document| goes(document)) {
        return Ok(Edited::Unchanged);
    }
    let holds_policies = !file.documents.is_empty() || file.ignored > 0;
    if holds_policies || file.guardrails().is_none_or(|guardrails| !guardrails.is_empty()) {
        return Err(Refusal::Conflict(format!(
            "{FILE} holds more than halts, or is invalid; remove the halt there by hand"
        )));
    }
    let rest: Vec<_> = file.halts().filter(|document| !goes(document)).collect();
    if rest.is_empty() {
        return Ok(Edited::Changed(None));
    }
    let read = |document: &reading::Halt| {
        halt(document).ok_or_else(|| {
            Refusal::Conflict(format!(
                "{FILE} holds a halt that was written by hand: {}; remove the others there by hand",
                printable(&document.reason)
            ))
        })
    };
    let rest = rest.into_iter().map(|document| read(document)).collect::<Result<Vec<_>, _>>()?;
    let documents: Vec<_> = rest.iter().map(render).collect();
    Ok(Edited::Changed(Some(format!("{HEAD}{}", documents.join("---\n")).into_bytes())))
}

/// A document. A text is quoted as in JSON, which YAML reads as the same text.
fn render(halt: &Halt) -> String {
    let Halt { since, id, by, reason } = halt;
    let (by, id, reason) = (json!(by), json!(id.as_str()), json!(reason));
    let since = json!(String::from(*since));
    format!(
        "kind: Halt\nmetadata:\n  annotations:\n    {BY}: {by}\n    {ID}: {id}\n    {SINCE}: {since}\nspec:\n  \
         reason: {reason}\n"
    )
}

#[cfg(test)]
mod tests {
    use policies::{File, Timestamp};
    use proptest::prelude::*;

    use super::{Edited, halt, with, without};
    use crate::halts::halt::{Halt, HaltId};

    fn new(reason: &str) -> Halt {
        Halt::new("alice", reason, Timestamp::from_millis(1_000_000))
    }

    fn bytes(edited: Edited) -> Option<Vec<u8>> {
        match edited {
            Edited::Changed(content) => content,
            Edited::Unchanged | Edited::Dropped => panic!("nothing changed"),
        }
    }

    fn halts(content: &[u8]) -> Vec<Halt> {
        let file = File::read(content);
        assert!(file.findings.is_empty(), "{:?}", file.findings);
        file.halts().map(|document| halt(document).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn any_reason_is_read_back_and_taken_out_again(one in "\\PC{0,20}[a-z:#'\"]\\PC{0,20}", other in "[ -~]{0,20}x") {
            let (one, other) = (new(&one), new(&other));
            let first = bytes(with(None, std::slice::from_ref(&one)).unwrap()).unwrap();
            prop_assert_eq!(halts(&first), [one.clone()]);
            let both = bytes(with(Some(&first), &[one.clone(), other.clone()]).unwrap()).unwrap();
            prop_assert_eq!(halts(&both), [one.clone(), other.clone()]);
            prop_assert!(matches!(with(Some(&both), &[other.clone(), one.clone()]), Ok(Edited::Unchanged)));
            let rest = bytes(without(Some(&both), std::slice::from_ref(&one.id), &[]).unwrap()).unwrap();
            prop_assert_eq!(halts(&rest), [other.clone()]);
            prop_assert_eq!(bytes(without(Some(&rest), &[other.id, one.id], &[]).unwrap()), None);
        }

        #[test]
        fn no_file_makes_it_panic(content: Vec<u8>, by_hand: Vec<String>) {
            let _ = with(Some(&content), &[new("r")]);
            let _ = without(Some(&content), &[], &by_hand);
        }
    }

    #[test]
    fn one_that_was_written_by_hand_stays_unless_that_one_is_to_end() {
        let by_hand = b"kind: Halt\nspec: {reason: by hand}";
        let halt = new("r");
        let both = bytes(with(Some(by_hand), std::slice::from_ref(&halt)).unwrap()).unwrap();
        assert!(both.starts_with(b"kind: Halt\nspec: {reason: by hand}\n---\nkind: Halt\n"));
        let ids = [halt.id];
        for seen in [Vec::new(), vec!["another".to_owned()]] {
            let refused = without(Some(&both), &ids, &seen).unwrap_err();
            assert!(refused.reason().contains("written by hand: by hand"), "{}", refused.reason());
        }
        assert_eq!(bytes(without(Some(&both), &ids, &["by hand".to_owned()]).unwrap()), None);
        assert!(matches!(without(Some(by_hand), &ids, &[]), Ok(Edited::Unchanged)));
    }

    #[test]
    fn a_file_that_holds_more_is_not_removed_and_one_that_is_invalid_stays() {
        let policy = "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}\n";
        let halt = new("r");
        let both = bytes(with(Some(policy.as_bytes()), std::slice::from_ref(&halt)).unwrap()).unwrap();
        assert!(both.starts_with(policy.as_bytes()));
        assert!(without(Some(&both), std::slice::from_ref(&halt.id), &[]).is_err());
        let refused = with(Some(b"kind: Halt\nspec: {"), std::slice::from_ref(&halt)).unwrap_err();
        assert!(refused.reason().contains("hfi-halt.yaml is not valid"), "{}", refused.reason());
        assert!(without(Some(b"kind: Halt\nspec: {"), &[], &[]).is_err(), "nobody knows what it says");
        assert!(matches!(without(None, &[], &[]), Ok(Edited::Unchanged)));
        let foreign = HaltId::parse("no one").is_none() && HaltId::parse("A").is_none();
        assert!(foreign);
    }
}
