//! A repository of many applications, with the Services and Pods that they are about.

use std::sync::Arc;

const APPLICATION: &str = include_str!("application.yaml");
const AROUND: &str = include_str!("around.yaml");

pub(crate) struct Repository {
    pub(crate) files: Vec<(Arc<str>, String)>,
    /// The files with what is around the applications.
    pub(crate) around: Vec<(Arc<str>, String)>,
}

impl Repository {
    /// So many applications, spread over so many namespaces. Each calls the next one of its namespace.
    pub(crate) fn of(applications: usize, namespaces: usize) -> Self {
        let namespace = |number: usize| format!("team-{}", number % namespaces);
        let name = |number: usize| format!("app-{number}");
        let file = |number: usize, text: &str, ending: &str| {
            let next = name((number + namespaces) % applications);
            let text = text.replace("NAMESPACE", &namespace(number));
            let text = text.replace("APP", &name(number)).replace("NEXT", &next);
            (format!("{}/{}{ending}.yaml", namespace(number), name(number)).into(), text)
        };
        Self {
            files: (0..applications).map(|number| file(number, APPLICATION, "")).collect(),
            around: (0..applications).map(|number| file(number, AROUND, "-around")).collect(),
        }
    }
}
