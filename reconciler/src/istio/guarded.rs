//! The guardrails that limit the Istio configuration of applications, by their directories.

use istio_config::Limits;
use policies::{File, language::IstioLimits};

/// What guardrails say, each with the directory that it is for; `None` where it cannot be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded(Vec<(String, Option<Vec<IstioLimits>>)>);

impl Guarded {
    /// The guardrails of files, by the directories that these are in.
    pub fn of<'a>(files: impl Iterator<Item = (&'a str, &'a File)>) -> Self {
        Self::saying(files.map(|(directory, file)| (directory, said(file))))
    }

    /// The same by what the guardrails of each file [say](said).
    pub fn saying<'a>(files: impl Iterator<Item = (&'a str, Option<Vec<IstioLimits>>)>) -> Self {
        let says = files.map(|(directory, limits)| (directory.to_owned(), limits));
        let mut says: Vec<_> =
            says.filter(|(_, limits)| limits.as_ref().is_none_or(|limits| !limits.is_empty())).collect();
        // From the outermost to the innermost.
        says.sort_by_key(|(directory, _)| directory.len());
        Self(says)
    }

    /// The limits for a file. A guardrail that cannot be read may forbid everything.
    pub fn limits(&self, file: &str) -> Limits {
        let above = self.0.iter().filter(|(directory, _)| file.starts_with(directory.as_str()));
        let nothing = IstioLimits { kinds: Some(Vec::new()), ..IstioLimits::default() };
        let says = above.flat_map(|(_, limits)| match limits {
            Some(limits) => limits.iter().collect(),
            None => vec![&nothing],
        });
        Limits::of(&says.collect::<Vec<_>>())
    }
}

/// What the guardrails of a file say; `None` if it cannot be known.
pub fn said(file: &File) -> Option<Vec<IstioLimits>> {
    file.guardrails().map(|all| all.into_iter().map(|one| one.istio.clone()).collect())
}

/// The directory of a file, with a slash at its end.
pub fn directory(path: &str) -> &str {
    path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or_default()
}
