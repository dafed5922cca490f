//! The body of a request: the documents that somebody sent.

use super::{
    document::{Document, Mistake},
    folders::{self, Folder},
    json,
};
use crate::{
    reading::{Context, Finding, MAX_FILE_BYTES, Node, Place, Value, read_yaml, read_yaml_document},
    repository::RegexCost,
};

/// The format of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A document, or an array of documents.
    Json,
    /// A stream of documents.
    Yaml,
}

/// The documents of a body, and the directories that it names for new policies.
#[derive(Clone, Debug)]
pub struct Body {
    pub documents: Vec<Document>,
    pub folders: Vec<Folder>,
}

/// Reads all documents of a body, or every mistake in it. One without a document is a mistake.
pub fn read_body(body: &[u8], format: Format) -> Result<Vec<Document>, Vec<Mistake>> {
    documents(nodes(body, format).into_iter().enumerate())
}

/// The same of a body that may begin with a document of kind `Folders`.
pub fn read_placed_body(body: &[u8], format: Format) -> Result<Body, Vec<Mistake>> {
    let mut nodes = nodes(body, format).into_iter().enumerate().peekable();
    let first = nodes.next_if(|(_, node)| node.as_ref().is_ok_and(folders::is_folders));
    let folders = match first {
        Some((_, Ok(node))) => folders::read(&node),
        _ => Ok(Vec::new()),
    };
    match (folders, documents(nodes)) {
        (Ok(folders), Ok(documents)) => {
            let mistakes = folders::check(&folders, &documents);
            if mistakes.is_empty() { Ok(Body { documents, folders }) } else { Err(mistakes) }
        }
        (Err(mut mistakes), Err(more)) => {
            mistakes.extend(more);
            Err(mistakes)
        }
        (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes),
    }
}

fn documents(
    nodes: impl Iterator<Item = (usize, Result<Node, Finding>)>,
) -> Result<Vec<Document>, Vec<Mistake>> {
    let (mut documents, mut mistakes) = (Vec::new(), Vec::new());
    let mut steps = 0_usize;
    for (document, node) in nodes {
        if steps > RegexCost::MAX_STEPS {
            let message = "holds regexes that take too long to compile; send fewer policies at once";
            mistakes.push(Mistake { document, finding: whole(message) });
            break;
        }
        let context = Context::default();
        let read = node.map(|node| Document::read(document, node, &context));
        steps += context.regex_steps();
        match read {
            Ok(Ok(document)) => documents.push(document),
            Ok(Err(found)) => mistakes.extend(found),
            Err(finding) => mistakes.push(Mistake { document, finding }),
        }
    }
    if documents.is_empty() && mistakes.is_empty() {
        mistakes.push(Mistake { document: 0, finding: whole("holds no document; send at least one policy") });
    }
    mistakes.sort();
    if mistakes.is_empty() { Ok(documents) } else { Err(mistakes) }
}

fn whole(message: impl Into<String>) -> Finding {
    Finding { place: Place { line: 1, column: 1 }, field: String::new(), message: message.into() }
}

fn nodes(body: &[u8], format: Format) -> Vec<Result<Node, Finding>> {
    if format == Format::Yaml {
        return read_yaml(body);
    }
    if body.len() > MAX_FILE_BYTES {
        return vec![Err(whole(format!(
            "is longer than {MAX_FILE_BYTES} bytes; send fewer policies at once"
        )))];
    }
    let Ok(text) = std::str::from_utf8(body) else { return vec![Err(whole("is not UTF-8"))] };
    if let Some(mistake) = json::mistake(text) {
        return vec![Err(mistake)];
    }
    // JSON is YAML, and so a mistake gets the same words, and its place.
    match read_yaml_document(text, 0) {
        Ok(Some(Node { value: Value::List(items), .. })) => items.into_iter().map(Ok).collect(),
        Ok(node) => node.map(Ok).into_iter().collect(),
        Err(finding) => vec![Err(finding)],
    }
}
