//! A repository of many applications, with the Services and Pods that they are about.

use std::{collections::BTreeMap, sync::Arc};

use istio_config::surroundings::{Named, PodTemplate, Service, Surroundings};

const APPLICATION: &str = include_str!("application.yaml");

pub(crate) struct Repository {
    pub(crate) files: Vec<(Arc<str>, String)>,
    pub(crate) surroundings: Surroundings,
}

impl Repository {
    /// So many applications, spread over so many namespaces. Each calls the next one of its namespace.
    pub(crate) fn of(applications: usize, namespaces: usize) -> Self {
        let namespace = |number: usize| format!("team-{}", number % namespaces);
        let name = |number: usize| format!("app-{number}");
        let file = |number| {
            let next = name((number + namespaces) % applications);
            let text = APPLICATION.replace("NAMESPACE", &namespace(number));
            let text = text.replace("APP", &name(number)).replace("NEXT", &next);
            (format!("{}/{}.yaml", namespace(number), name(number)).into(), text)
        };
        let labels = |number| BTreeMap::from([("app".to_owned(), name(number))]);
        let service = |number| Service {
            named: Named { namespace: namespace(number), name: name(number) },
            labels: BTreeMap::new(),
            ports: vec![8080],
            selector: labels(number),
        };
        let pods = |number, version: &str| {
            let version = ("version".to_owned(), version.to_owned());
            PodTemplate {
                namespace: namespace(number),
                labels: labels(number).into_iter().chain([version]).collect(),
            }
        };
        let surroundings = Surroundings {
            services: (0..applications).map(service).collect(),
            pods: (0..applications)
                .flat_map(|number| ["v1", "v2"].map(|version| pods(number, version)))
                .collect(),
            ..Surroundings::default()
        };
        Self { files: (0..applications).map(file).collect(), surroundings }
    }
}
