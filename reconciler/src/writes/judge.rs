//! What a change makes worse: an error in what was sent, or a policy that was valid and no longer is.

use std::collections::HashSet;

use policies::{
    editing::{Document, Mistake},
    language::PolicyName,
    reading::Problem,
    repository::LocatedPolicy,
};

use super::{branch::Branch, outcome::Refusal};

/// The most errors that are told of a kind.
const MAX_TOLD: usize = 20;

/// A document that was sent, and the file that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) document: Document,
    pub(super) file: String,
}

/// Judges the branch with a change. Returns the errors that were there before, of the files that were touched.
pub(super) fn judge(
    before: &Branch,
    after: &Branch,
    sent: &[Sent],
    touched: &[&str],
) -> Result<Vec<Problem>, Refusal> {
    let mut mistakes: Vec<_> = sent.iter().flat_map(|sent| errors_in(sent, before, after)).collect();
    mistakes.extend(lost(before, after, sent));
    mistakes.truncate(MAX_TOLD);
    if !mistakes.is_empty() {
        return Err(Refusal::Mistakes(mistakes));
    }
    let files: HashSet<_> = touched.iter().copied().collect();
    let there = files.into_iter().flat_map(|file| after.problems_of(file).cloned());
    let mut warnings: Vec<_> = there.collect();
    warnings.sort();
    warnings.truncate(MAX_TOLD);
    Ok(warnings)
}

/// The errors of a document that was sent, and of the file around it as far as they are new. A document that suspends
/// its policy is refused for none of them.
fn errors_in(Sent { document, file }: &Sent, before: &Branch, after: &Branch) -> Vec<Mistake> {
    let Some((name, policy)) = document.name().zip(document.policy()) else { return Vec::new() };
    if policy.suspend || after.policy(name).is_some() {
        return Vec::new();
    }
    let known: HashSet<_> =
        before.problems_of(file).map(|problem| (&problem.finding.field, &problem.finding.message)).collect();
    let is_of_it =
        |problem: &Problem| after.place_in(file, name, &problem.finding.field) == Some(problem.finding.place);
    let is_new = |problem: &Problem| !known.contains(&(&problem.finding.field, &problem.finding.message));
    let errors = after.problems_of(file).filter(|problem| is_of_it(problem) || is_new(problem));
    errors.map(|problem| document.mistake(&problem.finding.field, &problem.finding.message)).collect()
}

/// The policies that were valid, are not removed, and no longer are valid. A suspended policy too may take the place of
/// others: it has a part in what the regexes of all may cost. Suspending one that is valid takes nothing from others.
fn lost(before: &Branch, after: &Branch, sent: &[Sent]) -> Vec<Mistake> {
    let Some(first) = sent.first() else { return Vec::new() };
    let valid: HashSet<&PolicyName> = names(after).collect();
    let own: HashSet<_> = sent.iter().filter_map(|sent| sent.document.name()).collect();
    let lost = before.catalog.policies().iter().filter(|located| {
        let name = &located.entry.policy.name;
        !valid.contains(name) && !own.contains(name)
    });
    lost.map(|located| {
        let reason = reason(located, after);
        let (name, file) = (&located.entry.policy.name, &located.file);
        first.document.mistake("", format!("takes the policy `{name}` of {file} out of force: {reason}"))
    })
    .collect()
}

fn names(branch: &Branch) -> impl Iterator<Item = &PolicyName> {
    branch.catalog.policies().iter().map(|located| &located.entry.policy.name)
}

/// The reason why a policy is no longer valid.
fn reason(located: &LocatedPolicy, after: &Branch) -> String {
    let first = after.problems_of(&located.file).next();
    first.map_or_else(|| "its file is invalid then".to_owned(), |problem| problem.finding.to_string())
}
