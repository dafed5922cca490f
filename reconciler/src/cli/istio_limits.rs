//! The guardrails that limit the Istio configuration of applications, by their directories.

use istio_config::Limits;
use policies::{File, language::IstioLimits};

/// What guardrails say, each with the directory that it is for; `None` where it cannot be known.
#[derive(Debug, Default)]
pub(super) struct Guarded<'a>(Vec<(&'a str, Option<Vec<&'a IstioLimits>>)>);

impl<'a> Guarded<'a> {
    /// The guardrails of files, by their paths.
    pub(super) fn of(files: impl Iterator<Item = (&'a str, &'a File)>) -> Self {
        let says = files.map(|(path, file)| {
            let guardrails = file.guardrails();
            (directory(path), guardrails.map(|all| all.into_iter().map(|one| &one.istio).collect::<Vec<_>>()))
        });
        let mut says: Vec<_> =
            says.filter(|(_, limits)| limits.as_ref().is_none_or(|limits| !limits.is_empty())).collect();
        // From the outermost to the innermost.
        says.sort_by_key(|(directory, _)| directory.len());
        Self(says)
    }

    /// The limits for a file. A guardrail that cannot be read may forbid everything.
    pub(super) fn limits(&self, file: &str) -> Limits {
        let above = self.0.iter().filter(|(directory, _)| file.starts_with(directory));
        let nothing = IstioLimits { kinds: Some(Vec::new()), ..IstioLimits::default() };
        let says = above.flat_map(|(_, limits)| limits.clone().unwrap_or_else(|| vec![&nothing]));
        Limits::of(&says.collect::<Vec<_>>())
    }
}

/// The directory of a file, with a slash at its end.
fn directory(path: &str) -> &str {
    path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or_default()
}
