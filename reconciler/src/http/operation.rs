//! The description of a route in OpenAPI 3.1. Each route has its own, beside its handler.

pub(crate) mod policy_schema;
mod security;

use policies::wire::poll;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

pub(crate) use self::security::{Security, TokenKind, schemes};
use crate::api;

/// A method of a path.
#[derive(Debug)]
pub(crate) struct Operation {
    summary: &'static str,
    parameters: Vec<Parameter>,
    /// Its description, and its content.
    body: Option<(&'static str, Vec<Content>)>,
    responses: Vec<Response>,
    security: Option<Security>,
}

/// A parameter in the query, in a header or in the path.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: &'static str,
    pub(crate) description: &'static str,
    pub(crate) schema: Value,
}

#[derive(Debug)]
struct Response {
    status: u16,
    description: &'static str,
    content: Vec<Content>,
    headers: &'static [Header],
    links: &'static [Link],
}

/// A body: its media type and its schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content(pub(crate) &'static str, pub(crate) fn(&mut SchemaGenerator) -> Schema);

/// A header of a response: its name and its description.
pub(crate) type Header = (&'static str, &'static str);

/// A request for a policy that an answer names.
#[derive(Debug)]
pub(crate) struct Link {
    name: &'static str,
    method: &'static str,
    /// Its path below that of the policy.
    path: &'static str,
    /// The place of the name in the answer, as a JSON pointer.
    policy: &'static str,
}

/// The entity tag of a snapshot or of policies.
pub(crate) const ETAG: Header = ("ETag", "`\"sha256:<hex>\"`, the SHA-256 of the body");
/// The revision that a response was made of.
pub(crate) const REVISION: Header = (poll::REVISION, "`<branch>@sha1:<commit>`, or `dir@sha256:<hex>`");
/// The time that a request got which prefers one.
pub(crate) const GRANTED: Header =
    ("Preference-Applied", "With `Prefer: wait=N`: `wait=N`, the seconds that the request could take");

/// The directory in which a policy stood.
pub(crate) const FOLDER: Header = (
    api::policies::FOLDER,
    "With `commit`: the directory of its file, below the policy directory, as `folder` names it",
);

/// A value of the type `T` as JSON.
pub(crate) const fn json<T: JsonSchema>() -> Content {
    Content("application/json", |schemas| schemas.subschema_for::<T>())
}

/// Server-sent events of the first generation.
pub(crate) fn first_generation_events(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"enum": ["snapshot", "full_config", "update"]},
            "data": {"type": "string"},
        },
    })
}

/// The reason of a halt.
pub(crate) fn reason(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["reason"],
        "additionalProperties": false,
        "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 200}},
    })
}

/// A text.
pub(crate) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string"})
}

/// Bytes.
pub(crate) fn binary(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "binary"})
}

impl Parameter {
    pub(crate) fn query(name: &'static str, description: &'static str) -> Self {
        Self { name, place: "query", description, schema: json!({"type": "string"}) }
    }

    /// A query parameter that is `true` or `false`.
    pub(crate) fn switch(name: &'static str, description: &'static str) -> Self {
        Self { schema: json!({"type": "boolean"}), ..Self::query(name, description) }
    }

    pub(crate) fn header(name: &'static str, description: &'static str) -> Self {
        Self { name, place: "header", description, schema: json!({"type": "string"}) }
    }

    pub(crate) fn path(name: &'static str, description: &'static str, schema: Value) -> Self {
        Self { name, place: "path", description, schema }
    }

    /// `If-None-Match`, for the responses that have an `ETag`.
    pub(crate) fn if_none_match() -> Self {
        Self::header("If-None-Match", "RFC 9110")
    }

    fn render(self) -> Value {
        let Self { name, place, description, schema } = self;
        json!({
            "name": name, "in": place, "description": description, "schema": schema,
            "required": place == "path",
        })
    }
}

impl Operation {
    pub(crate) fn new(summary: &'static str) -> Self {
        Self { summary, parameters: Vec::new(), body: None, responses: Vec::new(), security: None }
    }

    pub(crate) fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes a body of one of these media types.
    pub(crate) fn body(mut self, description: &'static str, content: impl Into<Vec<Content>>) -> Self {
        self.body = Some((description, content.into()));
        self
    }

    pub(crate) fn answers(
        mut self,
        status: u16,
        description: &'static str,
        content: Option<Content>,
        headers: &'static [Header],
    ) -> Self {
        let content = content.into_iter().collect();
        self.responses.push(Response { status, description, content, headers, links: &[] });
        self
    }

    /// Says which requests may follow the newest response.
    pub(crate) fn leads_to(mut self, links: &'static [Link]) -> Self {
        if let Some(response) = self.responses.last_mut() {
            response.links = links;
        }
        self
    }

    /// Adds another media type to the newest response.
    pub(crate) fn or_as(mut self, content: Content) -> Self {
        if let Some(response) = self.responses.last_mut() {
            response.content.push(content);
        }
        self
    }

    /// Answers with problem documents of these status codes.
    pub(crate) fn problems(mut self, statuses: &[u16]) -> Self {
        self.responses.extend(statuses.iter().map(|status| Response::problem(*status)));
        self
    }

    /// Asks for a token where reads are closed, and then refuses as what always asks for one.
    pub(crate) fn closable(self) -> Self {
        let known: Vec<_> = self.responses.iter().map(|response| response.status).collect();
        let new: Vec<_> = [401, 403, 429, 503].into_iter().filter(|status| !known.contains(status)).collect();
        Self { security: Some(Security::WhereReadsAreClosed), ..self }.problems(&new)
    }

    /// Asks for a token of one of these kinds.
    pub(crate) fn secured(self, tokens: &'static [TokenKind]) -> Self {
        Self { security: Some(Security::Always(tokens)), ..self }
    }

    /// The operation as the document has it. The schemas that it refers to are added to `schemas`.
    pub(crate) fn render(self, schemas: &mut SchemaGenerator) -> Value {
        let Self { summary, parameters, body, responses, security } = self;
        let responses: Map<_, _> = responses
            .into_iter()
            .map(|response| (response.status.to_string(), response.render(schemas)))
            .collect();
        let mut operation = json!({"summary": summary, "responses": responses});
        if let Some(operation) = operation.as_object_mut() {
            let parameters: Vec<_> = parameters.into_iter().map(Parameter::render).collect();
            operation.extend((!parameters.is_empty()).then(|| ("parameters".to_owned(), parameters.into())));
            operation.extend(security.map(|security| ("security".to_owned(), security.render())));
            operation.extend(body.map(|(description, content)| {
                let content = rendered(content, schemas);
                let body = json!({"description": description, "content": content, "required": true});
                ("requestBody".to_owned(), body)
            }));
        }
        operation
    }
}

impl Response {
    fn problem(status: u16) -> Self {
        let content = Content("application/problem+json", |schemas| {
            schemas.subschema_for::<crate::api::problem::Problem>()
        });
        Self {
            status,
            description: "The reason (RFC 9457)",
            content: vec![content],
            headers: &[],
            links: &[],
        }
    }

    fn render(self, schemas: &mut SchemaGenerator) -> Value {
        let Self { status: _, description, content, headers, links } = self;
        let mut response = json!({"description": description});
        if let Some(response) = response.as_object_mut() {
            let content = rendered(content, schemas);
            response.extend((!content.is_empty()).then(|| ("content".to_owned(), content.into())));
            let header = |(name, description): &Header| {
                ((*name).to_owned(), json!({"description": description, "schema": {"type": "string"}}))
            };
            let headers: Map<_, _> = headers.iter().map(header).collect();
            response.extend((!headers.is_empty()).then(|| ("headers".to_owned(), headers.into())));
            let links: Map<_, _> = links.iter().map(Link::render).collect();
            response.extend((!links.is_empty()).then(|| ("links".to_owned(), links.into())));
        }
        response
    }
}

impl Link {
    /// The requests for the policy whose name stands at this place of an answer.
    pub(crate) const fn of(policy: &'static str) -> [Self; 3] {
        [
            Self { name: "get", method: "get", path: "", policy },
            Self { name: "history", method: "get", path: "/history", policy },
            Self { name: "delete", method: "delete", path: "", policy },
        ]
    }

    fn render(&self) -> (String, Value) {
        let Self { name, method, path, policy } = self;
        let operation = format!("#/paths/~1v1~1policies~1{{name}}{}/{method}", path.replace('/', "~1"));
        let parameters = json!({"name": format!("$response.body#{policy}")});
        ((*name).to_owned(), json!({"operationRef": operation, "parameters": parameters}))
    }
}

/// The media types of a body, with their schemas.
fn rendered(content: Vec<Content>, schemas: &mut SchemaGenerator) -> Map<String, Value> {
    let media_type = |Content(name, schema)| (name.to_owned(), json!({"schema": schema(schemas)}));
    content.into_iter().map(media_type).collect()
}
