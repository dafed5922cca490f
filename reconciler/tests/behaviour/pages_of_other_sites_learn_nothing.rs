//! A page of another site makes a browser read from here, with the password that the browser remembers. It learns nothing
//! by that, not even whether there is an answer.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, Response};

use crate::support::{
    Server, client,
    halting::{VIEWS, closed_reads},
    policy,
    process::Process,
};

const LINK: [(&str, &str); 2] = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];

async fn get(hfi: &Process, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = client().get(format!("{}{path}", hfi.url));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn no_answer_shows_whether_a_policy_exists() {
    let (_files, hfi) = closed_reads().await;
    let password = format!("Basic {}", STANDARD.encode(format!("me:{VIEWS}")));
    let password = ("authorization", password.as_str());
    for site in ["cross-site", "same-site"] {
        for purpose in ["script", "object", "iframe", "empty"] {
            for path in ["/v1/policies/a", "/v1/policies/none", "/v1/halt", "/", "/v1/events", "/nowhere"] {
                let foreign = [("sec-fetch-site", site), ("sec-fetch-dest", purpose)];
                for headers in [&[&foreign[..], &[password]].concat()[..], &foreign] {
                    let answer = get(&hfi, path, headers).await;
                    assert_eq!(answer.status(), 403, "{site} {purpose} {path}");
                    assert!(!answer.headers().contains_key("www-authenticate"), "it asks for a password");
                    let body = answer.text().await.unwrap();
                    assert!(body.contains("a page of another site reads nothing here"), "{body}");
                }
            }
        }
    }
    // A link leads here, and the browser asks for the password that it does not have yet.
    assert_eq!(get(&hfi, "/v1/policies/a", &[&LINK[..], &[password]].concat()).await.status(), 200);
    let asked = get(&hfi, "/v1/policies/a", &LINK).await;
    assert_eq!((asked.status().as_u16(), asked.headers().contains_key("www-authenticate")), (401, true));
    // Our own page, and what is open to everybody.
    let own = [("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty"), password];
    assert_eq!(get(&hfi, "/v1/policies/a", &own).await.status(), 200);
    let script = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "script")];
    assert_eq!(get(&hfi, "/metrics", &script).await.status(), 200);
    assert_eq!(hfi.all_said("a request was refused").len(), 2 * 4 * 6 * 2, "each is told");
}

#[tokio::test]
async fn no_answer_can_be_used_by_another_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    let document = server.json("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap().iter();
    let described = paths.flat_map(|(path, operations)| {
        operations.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.as_str()))
    });
    let others = ["/", "/halt", "/page.js", "/nowhere"].map(|path| ("GET".to_owned(), path));
    let mut answers = 0;
    for (method, path) in described.chain(others).chain([("TRACE".to_owned(), "/v1/halt")]) {
        let concrete = path.replace("{name}", "a").replace("{forge}", "github");
        let method: Method = method.parse().unwrap();
        let answer = server.client.request(method, format!("{}{concrete}", server.url)).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        let told = (header("x-content-type-options"), header("cross-origin-resource-policy"));
        // Proxies are no browsers, and there are many of them.
        let expected =
            if path == "/v1/snapshot" { (None, None) } else { (Some("nosniff"), Some("same-origin")) };
        assert_eq!(told, expected, "{path}: {}", answer.status());
        answers += 1;
    }
    assert!(answers > 30, "{answers}");
}
