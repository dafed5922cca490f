//! All documents of one file. Depends on the file's bytes alone, so it can be kept by their hash.

use std::sync::Arc;

use crate::{
    document::{self, Document},
    name::PolicyName,
    policy::Policy,
    problem::{Finding, Place},
    yaml,
};

/// What a policy file says.
#[derive(Debug, Default)]
pub struct File {
    /// The valid documents, also of a file that is not valid as a whole: their history goes on.
    pub documents: Vec<(Place, Arc<Policy>)>,
    /// The names that the file uses, also those of its invalid documents.
    pub names: Vec<(Place, PolicyName)>,
    /// All that is wrong with it.
    pub findings: Vec<Finding>,
    /// How many documents belong to somebody else.
    pub passed_over: usize,
}

impl File {
    /// Reads a file's bytes.
    pub fn read(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        for document in yaml::read(bytes) {
            match document.map(|node| (node.place, document::read(&node))) {
                Ok((place, Document::Policy(policy))) => {
                    file.names.push((place, policy.name.clone()));
                    file.documents.push((place, Arc::new(policy)));
                }
                Ok((_, Document::Foreign)) => file.passed_over += 1,
                Ok((place, Document::Invalid { name, findings })) => {
                    file.names.extend(name.map(|name| (place, name)));
                    file.findings.extend(findings);
                }
                Err(finding) => file.findings.push(finding),
            }
        }
        file.findings.sort();
        file
    }

    /// What the file contributes: nothing when anything in it is wrong.
    pub fn policies(&self) -> &[(Place, Arc<Policy>)] {
        if self.findings.is_empty() { &self.documents } else { &[] }
    }
}
