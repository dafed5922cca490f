//! `GET /openapi.json`: what it says is what is answered.

use std::{collections::BTreeSet, fs};

use reqwest::Method;
use serde_json::Value;

use crate::support::{
    Server, client, policy,
    process::text,
    replicas::{self, Replicas},
    writing::{CHECKOUT, path, repository},
};

/// The first breach of a schema's `type`, `required`, `properties`, `items`, `enum` and references.
fn breach(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return breach(document, document.pointer(&reference[1..]).unwrap(), value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let fits = choices.iter().any(|choice| breach(document, choice, value, at).is_none());
        return (!fits).then(|| format!("{at}: {value}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = [&schema["type"]].into_iter().chain(schema["type"].as_array().into_iter().flatten());
    let is_other = schema["type"] != Value::Null && !kinds.into_iter().any(|known| known == kind);
    let is_unlisted = schema["enum"].as_array().is_some_and(|values| !values.contains(value));
    if is_other || is_unlisted || schema.get("const").is_some_and(|constant| constant != value) {
        return Some(format!("{at}: {value} is not {schema}"));
    }
    if let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) {
        let required = schema["required"].as_array().into_iter().flatten();
        let missing = required.map(|name| name.as_str().unwrap()).find(|name| !object.contains_key(*name));
        let unknown = object.keys().map(String::as_str).find(|name| !properties.contains_key(*name));
        if let Some(name) = missing.or(unknown) {
            return Some(format!("{at}.{name}"));
        }
        return object
            .iter()
            .find_map(|(name, value)| breach(document, &properties[name], value, &format!("{at}.{name}")));
    }
    let items = value.as_array().into_iter().flatten();
    items.into_iter().find_map(|item| breach(document, &schema["items"], item, &format!("{at}[]")))
}

#[tokio::test]
async fn every_answer_is_as_the_document_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let all = "metadata: {name: all}\nspec: {direction: outbound, rules: [{fault: {percentage: 0, delay_ms: 1}}]}\n";
    for (file, text) in
        [("a.yaml", policy("a", "checkout", 503).as_str()), ("b.yaml", all), ("c.yaml", "spec: {}\n")]
    {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let server = Server::of_folder(folder.path()).await;
    server.snapshot("", &[("x-hfi-node", "n")]).await;
    let document = server.json("/openapi.json").await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let concrete = path.replace("{name}", "a").replace("{forge}", "github");
            let method: Method = method.to_uppercase().parse().unwrap();
            let url = format!("{}{concrete}", server.url);
            let answer = server.client.request(method, url).send().await.unwrap();
            let status = answer.status().as_u16().to_string();
            let mut described = &operation["responses"][&status];
            if let Some(reference) = described["$ref"].as_str() {
                described = document.pointer(&reference[1..]).unwrap();
            }
            let (says, has) =
                (&described["headers"]["x-hfi-revision"], answer.headers().get("x-hfi-revision"));
            assert_eq!(says.is_object(), has.is_some(), "{path}: {status} with a revision");
            let kind =
                answer.headers()["content-type"].to_str().unwrap().split(';').next().unwrap().to_owned();
            let schema = &described["content"][&kind]["schema"];
            assert!(schema.is_object(), "{path}: {status} {kind} is not described");
            if kind.ends_with("json") {
                let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
                let nothing =
                    body["detail"].as_str().is_some_and(|detail| detail.starts_with("there is nothing at"));
                assert!(!nothing, "{path} is not served");
                assert_eq!(breach(&document, schema, &body, path), None);
            }
        }
    }
}

#[tokio::test]
async fn whoever_may_prefer_a_wait_is_told_what_was_granted() {
    let folder = tempfile::tempdir().unwrap();
    let document = Server::of_folder(folder.path()).await.json("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    let takes_prefer = |operation: &&Value| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters
            .into_iter()
            .any(|parameter| parameter["name"].as_str().unwrap().eq_ignore_ascii_case("prefer"))
    };
    let waiting: Vec<_> = operations.filter(takes_prefer).collect();
    assert!(
        waiting.len() >= 6,
        "polls, changes by three methods and two paths, and the end of a halt: {waiting:#?}"
    );
    for operation in waiting {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let tells = answer["headers"]["Preference-Applied"].is_object();
            assert_eq!(
                tells,
                status.starts_with('2') || status == "304",
                "{status} of {}",
                operation["summary"]
            );
        }
    }
}

/// A token for each scheme of the document that names a file of tokens.
const TOKENS: [(&str, &str); 4] = [
    ("viewToken", "views-0123456789abcdef"),
    ("haltToken", "stops-0123456789abcdef"),
    ("writeToken", "writes-0123456789abcdef"),
    ("peerToken", replicas::TOKEN),
];

#[tokio::test]
async fn a_route_takes_the_tokens_that_the_document_names_and_no_other() {
    let (replicas, repository) = (Replicas::new(1), repository(&[("a.yaml", CHECKOUT)]).await);
    let [view, halt, write, _] = TOKENS.map(|(_, token)| token);
    for (file, line) in [
        ("view", format!("viewer {view}\n")),
        ("halt", format!("stopper {halt}\n")),
        ("write", format!("writer {write} resume\n")),
    ] {
        fs::write(replicas.path(file), line).unwrap();
    }
    let (view, halt, write) = (replicas.path("view"), replicas.path("halt"), replicas.path("write"));
    let repo = path(&repository);
    let variables = [
        ("HFI_REPO", repo.as_str()),
        ("HFI_VIEW_TOKEN_FILE", text(&view)),
        ("HFI_HALT_TOKEN_FILE", text(&halt)),
        ("HFI_WRITE_TOKEN_FILE", text(&write)),
        ("HFI_WRITE_RATE", "10000"),
    ];
    let hfi = replicas.start_with(0, "tokens", &variables).await;
    hfi.until_ready(|_| true).await;
    let status = async |method: &str, path: &str, token: Option<&str>| {
        let concrete = path.replace("{name}", "none").replace("{forge}", "github");
        let request =
            client().request(method.to_uppercase().parse().unwrap(), format!("{}{concrete}", hfi.url));
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        request.send().await.unwrap().status().as_u16()
    };
    // A token that was good at an address stays so, whatever else comes from there.
    for (_, token) in TOKENS {
        let path = if token == replicas::TOKEN { "/v1/peer/state" } else { "/v1/filters" };
        assert_eq!(status("get", path, Some(token)).await, 200, "{token}");
    }
    let document =
        client().get(format!("{}/openapi.json", hfi.url)).bearer_auth(TOKENS[0].1).send().await.unwrap();
    let document: Value = serde_json::from_slice(&document.bytes().await.unwrap()).unwrap();
    let schemes: BTreeSet<_> =
        document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes.len(), TOKENS.len() + 1, "and a password: {schemes:?}");
    let mut secured = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let choices: Vec<_> = operation["security"].as_array().into_iter().flatten().collect();
            let named: BTreeSet<_> = choices
                .iter()
                .flat_map(|choice| choice.as_object().unwrap().keys())
                .map(String::as_str)
                .collect();
            assert!(named.iter().all(|name| schemes.contains(&(*name).to_owned())), "{named:?}");
            let is_refused =
                async |token: Option<&str>| matches!(status(method, path, token).await, 401 | 403 | 429);
            // The list of the first generation is closed with `all=true` only.
            let is_open = choices.is_empty() || path == "/v1/policies" && method == "get";
            assert_eq!(is_refused(None).await, !is_open, "{method} {path} without a token");
            if is_open {
                continue;
            }
            secured += 1;
            for (scheme, token) in TOKENS {
                assert_eq!(
                    is_refused(Some(token)).await,
                    !named.contains(scheme),
                    "{method} {path} with {scheme}"
                );
            }
            for refusal in ["401", "403", "429"] {
                assert!(operation["responses"][refusal].is_object(), "{refusal} of {method} {path}");
            }
        }
    }
    assert!(secured > 15, "{secured}");
}
