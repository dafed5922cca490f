//! What a request may not do, and the path of a new file.

use std::collections::HashSet;

use policies::{editing::Document, language::PolicyName, repository::lint::RESERVED};

use super::{Edit, POLICY};
use crate::{
    source::writing::NewPaths,
    writes::{etag, history::recent_change, judge::Sent, outcome::Refusal},
};

impl Edit<'_> {
    /// Each document must be a policy, with a name that no other has.
    pub(super) fn check_names(documents: &[Document]) -> Result<(), Refusal> {
        let mut mistakes = Vec::new();
        let mut names = HashSet::new();
        for document in documents {
            let Some(name) = document.name().filter(|_| document.kind() == POLICY) else {
                let (kind, place) = (document.kind(), document.place());
                return Err(Refusal::Forbidden(format!(
                    "no token may write a `{kind}`, as in line {} of what was sent: it is for those who commit",
                    place.line
                )));
            };
            if RESERVED.contains(&name.as_str()) {
                let message = format!("`{name}` is a name of hfi itself; choose another");
                mistakes.push(document.mistake("metadata.name", message));
            }
            if !names.insert(name) {
                let message =
                    format!("`{name}` is the name of an earlier document too; send each policy once");
                mistakes.push(document.mistake("metadata.name", message));
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(Refusal::Mistakes(mistakes)) }
    }

    /// The new files of the request must go together. No other is among the documents to be judged yet.
    pub(super) fn check_new_paths(&self) -> Result<(), Refusal> {
        let mut paths = NewPaths::default();
        let mistake = |Sent { document, file }: &'_ Sent, reason| {
            let message = format!("its new file would be `{file}`, which {reason}");
            let directories = &self.order.options.directories;
            match document.name().and_then(|name| directories.get(name)) {
                Some(folder) => folder.mistake(message),
                None => document.mistake("metadata.name", message),
            }
        };
        let clashing =
            self.draft.sent.iter().filter_map(|sent| Some(mistake(sent, paths.add(&sent.file).err()?)));
        let mistakes: Vec<_> = clashing.collect();
        if mistakes.is_empty() { Ok(()) } else { Err(Refusal::Mistakes(mistakes)) }
    }

    pub(super) fn nowhere(&self, name: &PolicyName, file: Option<&str>) -> Refusal {
        let reason = match file {
            Some(file) => format!("there is no policy `{name}` in `{file}`"),
            None => format!("there is no policy `{name}` in the branch"),
        };
        let last = self.last_change(name);
        match self.order.options.condition.breach(name.as_str(), false, None) {
            Some(reason) => Refusal::Precondition { reason: reason + &last, etag: None },
            None => Refusal::NotFound(reason + &last),
        }
    }

    pub(super) fn check_condition(
        &self,
        name: &PolicyName,
        existing: Option<&Document>,
    ) -> Result<(), Refusal> {
        let etag = existing.map(etag::of_document);
        match self.order.options.condition.breach(name.as_str(), true, etag.as_deref()) {
            Some(reason) => Err(Refusal::Precondition { reason: reason + &self.last_change(name), etag }),
            None => Ok(()),
        }
    }

    /// The commit that changed a policy last, if that was not long ago. By its id a client knows it whose change had no
    /// answer, also at another replica.
    fn last_change(&self, name: &PolicyName) -> String {
        let last = recent_change(self.writer, self.branch.commit, name);
        last.map(|commit| format!("; the last change of it is {commit}")).unwrap_or_default()
    }

    pub(super) fn may_write(&self, kind: &str) -> Result<(), Refusal> {
        let rights = &self.order.rights;
        if rights.kinds.iter().any(|known| known == kind) {
            return Ok(());
        }
        let user = rights.user.as_str();
        Err(Refusal::Forbidden(format!(
            "`{user}` has no right to write a `{kind}` (`kinds` in the token file)"
        )))
    }

    pub(super) fn may_touch(&self, file: &str) -> Result<(), Refusal> {
        let rights = &self.order.rights;
        let below = match self.directory {
            "" => file,
            directory => file.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')).unwrap_or(file),
        };
        if rights.reach(below) {
            return Ok(());
        }
        let user = rights.user.as_str();
        Err(Refusal::Forbidden(format!(
            "`{user}` has no right to the file `{file}` (`folder` in the token file)"
        )))
    }

    /// The path of the file of a new policy.
    pub(super) fn new_path(&self, name: &PolicyName) -> String {
        let below = self.order.options.directory_of(name).or(self.order.rights.directory.as_deref());
        let parts = [self.directory, below.unwrap_or_default()];
        let directory = parts.iter().filter(|part| !part.is_empty()).map(|part| format!("{part}/"));
        format!("{}{name}.yaml", directory.collect::<String>())
    }
}
