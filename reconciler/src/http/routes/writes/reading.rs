//! Reads a request that changes policies.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use axum::http::{HeaderMap, StatusCode, header};
use policies::{
    Digest,
    editing::{Body, Document, Folder, Format, read_placed_body},
    language::PolicyName,
};
use tokio::time::timeout_at;

use super::{Sent, answer::Refused, late};
use crate::{
    access::rights::Rights,
    clients::Client,
    http::{
        body,
        limits::BODY_TIME,
        problem::Problem,
        state::Served,
        write_query::{self, WriteQuery},
    },
    writes::{
        etag::Condition,
        order::{Action, Order},
        outcome::Refusal,
        queue::Writes,
    },
};

/// The change that the method and the path of a request name.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// All policies in the body.
    Body,
    /// This one, which is in the body.
    Put(String),
    Delete(String),
}

/// Reads all of a request.
pub(super) async fn order(
    served: &Served,
    writes: &Writes,
    client: Client,
    rights: Arc<Rights>,
    Sent { id, target, request }: Sent,
    deadline: Instant,
) -> Result<Order, Refused> {
    let query = WriteQuery::read(request.uri().query(), request.headers())?;
    let WriteQuery { mut options, file } = query;
    if file.is_some() && !matches!(target, Target::Delete(_)) {
        return Err(bad_request("`file` is for DELETE").into());
    }
    let mut identity = format!("{}\n{target:?}\n{options:?}\n{file:?}\n", rights.user.as_str()).into_bytes();
    let mut room = None;
    let action = match target {
        Target::Delete(name) => Action::Delete { name: policy_name(name)?, file },
        Target::Body | Target::Put(_) => {
            let format = format(request.headers())?;
            let time = BODY_TIME.min(deadline.saturating_duration_since(Instant::now()));
            let body = body::read(&served.services.bodies, client, request, time).await?;
            identity.extend_from_slice(&body);
            let or_unknown = |refusal| writes.or_unknown(Digest::of(&identity), refusal);
            room = Some(Arc::new(writes.room(body.len(), deadline).await.map_err(or_unknown)?));
            // To read it can take long.
            let read = served.services.making.make(client, move || read_placed_body(&body, format));
            let read = timeout_at(deadline.into(), read).await.map_err(|_| or_unknown(late()))??;
            let Body { documents, folders } = read.map_err(Refusal::Mistakes)?;
            options.directories = directories(folders)?;
            one_policy(&target, &documents)?;
            if documents.len() > 1 && options.condition != Condition::Always {
                return Err(bad_request("If-Match and If-None-Match are for one policy").into());
            }
            Action::Put(documents)
        }
    };
    Ok(Order { id, fingerprint: Digest::of(&identity), rights, action, options, deadline, room })
}

fn bad_request(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// A name in a path. What is no name is nowhere.
fn policy_name(name: String) -> Result<PolicyName, Problem> {
    PolicyName::try_from(name).map_err(|error| Problem::new(StatusCode::NOT_FOUND, error.to_string()))
}

/// The directories that the body names.
fn directories(folders: Vec<Folder>) -> Result<BTreeMap<PolicyName, Folder>, Refused> {
    let (mut directories, mut mistakes) = (BTreeMap::new(), Vec::new());
    for folder in folders {
        match write_query::directory(&folder.directory) {
            Ok(directory) => {
                let folder = folder.with_directory(directory.unwrap_or_default());
                directories.insert(folder.name.clone(), folder);
            }
            Err(reason) => mistakes.push(folder.mistake(reason)),
        }
    }
    if mistakes.is_empty() { Ok(directories) } else { Err(Refusal::Mistakes(mistakes).into()) }
}

/// The body of a PUT is the one policy that the path names.
fn one_policy(target: &Target, documents: &[Document]) -> Result<(), Refused> {
    let Target::Put(name) = target else { return Ok(()) };
    let [document] = documents else {
        return Err(bad_request("PUT takes one policy; send several to POST /v1/policies").into());
    };
    if document.name().is_none_or(|known| known.as_str() != name) {
        let message = format!("must be `{name}`, the name in the URL");
        return Err(Refusal::Mistakes(vec![document.mistake("metadata.name", message)]).into());
    }
    Ok(())
}

/// The format of the body.
fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(Format::Json),
        "application/yaml" => Ok(Format::Yaml),
        _ => {
            let detail = "the Content-Type must be application/json or application/yaml";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
        }
    }
}
