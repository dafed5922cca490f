use anyhow::{Context, Result};
use harness::{Answer, Mesh, Request};

/// Each rule has a status of its own, which tells which rule decided.
const RULES: &str = r#"
metadata: {name: matching}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /exact}},                    fault: {percentage: 100, abort: {httpStatus: 501}}}
    - {match: {path: {prefix: /prefix/}},                 fault: {percentage: 100, abort: {httpStatus: 502}}}
    - {match: {path: {regex: "^/items/[0-9]+$"}},         fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path_prefix: /short/},                     fault: {percentage: 100, abort: {httpStatus: 504}}}
    - {match: {method: {exact: DELETE}},                  fault: {percentage: 100, abort: {httpStatus: 505}}}
    - {match: {method: {regex: "^(PUT|PATCH)$"}},         fault: {percentage: 100, abort: {httpStatus: 506}}}
    - {match: {headers: [{name: X-User, exact: test}]},   fault: {percentage: 100, abort: {httpStatus: 507}}}
    - {match: {headers: [{name: x-user, prefix: beta-}]}, fault: {percentage: 100, abort: {httpStatus: 508}}}
    - {match: {headers: [{name: x-user, regex: "[0-9]{4}"}]}, fault: {percentage: 100, abort: {httpStatus: 509}}}
    - match:
        method: {exact: POST}
        path: {prefix: /all/}
        headers: [{name: x-a, exact: "1"}, {name: x-b, exact: "2"}]
      fault: {percentage: 100, abort: {httpStatus: 510}}
"#;

#[tokio::test]
async fn by_method_path_and_headers() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    mesh.publish("matching.yaml", RULES).await?;
    mesh.everywhere("frontend", &Request::get("/exact"), Answer::aborted).await?;

    let get = Request::get;
    let with = |method: &str, path| Ok::<_, anyhow::Error>(get(path).method(method.parse()?));
    let user = |id| get("/").header("x-user", id);
    let cases = [
        (get("/exact"), 501),
        (get("/exact?with=query"), 501),
        (get("/exact/"), 200),
        (get("/Exact"), 200),
        (get("/prefix/x"), 502),
        (get("/prefix"), 200),
        (get("/items/42"), 503),
        (get("/items/42?page=2"), 503),
        (get("/items/42/parts"), 200),
        (get("/short/x"), 504),
        (with("DELETE", "/")?, 505),
        (with("PUT", "/")?, 506),
        (with("PATCH", "/")?, 506),
        (with("POST", "/")?, 200),
        (user("test"), 507),
        (user("tester"), 200),
        (user("beta-1"), 508),
        (user("id 1234 of many"), 509),
        (user("123"), 200),
        (get("/").header("x-other", "test"), 200),
        (with("POST", "/all/x")?.header("x-a", "1").header("x-b", "2"), 510),
        (with("POST", "/all/x")?.header("x-a", "1"), 200),
        (get("/all/x").header("x-a", "1").header("x-b", "2"), 200),
        (with("POST", "/other")?.header("x-a", "1").header("x-b", "2"), 200),
    ];
    let address = *mesh.addresses("frontend").first().context("no replica")?;
    for (request, status) in cases {
        let answer = mesh.client.send(address, &request).await?;
        assert_eq!(answer.status.as_u16(), status, "{request:?}");
    }
    Ok(())
}

/// The first rule whose match holds decides, whether or not its dice fall.
#[tokio::test]
async fn and_a_rule_that_never_fires_still_shadows_later_ones() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let text = r#"
metadata: {name: shadowing}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {prefix: /spared/}}, fault: {percentage: 0, abort: {httpStatus: 500}}}
    - {fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;
    mesh.publish("shadowing.yaml", text).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::aborted).await?;
    mesh.everywhere("frontend", &Request::get("/spared/x"), |answer| answer.status == 200).await
}
