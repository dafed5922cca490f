//! Changes that are refused: what is wrong, and what would be right.

use reqwest::Method;

use crate::support::{
    NEVER, Server, policy,
    writer::over_http,
    writing::{ALICE, Change, Replica, apply, content, delete, git, path, repository},
};

const BODY: &str = "content-type";

fn with(mut change: Change<'static>, token: &'static str) -> Change<'static> {
    change.token = token;
    change
}

#[tokio::test]
async fn without_the_option_nobody_writes() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::of_folder(directory.path()).await;
    for (method, path) in [
        (Method::POST, "/v1/policies"),
        (Method::POST, "/v1/policies/create"),
        (Method::PUT, "/v1/policies/a"),
        (Method::DELETE, "/v1/policies/a"),
    ] {
        let response = server.client.request(method, format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &"GET, HEAD".parse().unwrap())
        );
        assert!(response.text().await.unwrap().contains("--write-token-file"));
    }
}

#[tokio::test]
async fn a_request_needs_a_token_that_is_good_now() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    replica.send(with(apply("", ""), "")).await.is_refused(401, "Bearer TOKEN");
    replica.send(with(apply("", ""), "nobody-0123456789abcdef")).await.is_refused(401, "not valid");
    let tokens = replica.tokens.path().join("tokens");
    std::fs::write(&tokens, "alice new-token-0123456789abcdef\n").unwrap();
    replica.delete("nothing").await.is_refused(401, "not valid");
    replica.send(with(delete("nothing"), "new-token-0123456789abcdef")).await.is_refused(404, "nothing");
    std::fs::remove_file(&tokens).unwrap();
    replica.send(with(delete("nothing"), "new-token-0123456789abcdef")).await.is_refused(401, "not valid");
}

#[tokio::test]
async fn guesses_are_limited_and_known_users_are_not_kept_out() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    replica.delete("nothing").await.is_refused(404, "nothing");
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(replica.send(with(delete("nothing"), "guess-0123456789abcdef")).await.status);
    }
    assert!(statuses.starts_with(&[401; 20]) && statuses.ends_with(&[429]), "{statuses:?}");
    replica.delete("nothing").await.is_refused(404, "nothing");
}

#[tokio::test]
async fn a_user_who_writes_too_often_has_to_wait() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let url = path(&repository);
    let replica = Replica::with(&url, crate::support::NEVER, |options| options.rate = 1).await;
    let many = futures_util::future::join_all((0..60).map(|_| replica.delete("nothing"))).await;
    let (refused, done): (Vec<_>, Vec<_>) = many.into_iter().partition(|answer| answer.status == 429);
    assert!(done.len() >= 20, "{done:?}");
    done.iter().for_each(|answer| answer.is_refused(404, "nothing"));
    refused.first().expect("nobody has to wait").is_refused(429, "--write-rate");
}

#[tokio::test]
async fn rights_end_at_directories_and_namespaces() {
    const SHOP: &str = "shop-0123456789abcdef";
    let (ours, theirs) = ("namespace: shop-a", "namespace: other");
    let ours_in = policy("ours", "web", 500).replace("namespace: demo", ours);
    let repository = repository(&[
        ("teams/shop/ours.yaml", &ours_in),
        ("teams/shop/theirs.yaml", &policy("theirs", "web", 500).replace("namespace: demo", theirs)),
        ("elsewhere.yaml", &policy("elsewhere", "web", 500).replace("namespace: demo", ours)),
    ])
    .await;
    let replica = Replica::of(&path(&repository)).await;
    let shop = |change| replica.send(with(change, SHOP));
    shop(apply("", &ours_in.replace("500", "501"))).await.is(200, &["ours configured"]);
    shop(apply("", &ours_in.replace("ours", "more"))).await.is(201, &["more created"]);
    assert!(content(&repository, "teams/shop/more.yaml").contains("shop-a"), "in its own directory");
    for (change, reason) in [
        (apply("", &policy("theirs", "web", 500).replace("namespace: demo", ours)), "`other`"),
        (apply("", &ours_in.replace(ours, theirs)), "`other`"),
        (apply("", &ours_in.replace(ours, "namespace: '*'")), "namespaces"),
        (apply("", &ours_in.replace("name: ours", "name: elsewhere")), "`elsewhere.yaml`"),
        (apply("?folder=other", &ours_in.replace("name: ours", "name: new")), "`other/new.yaml`"),
        (delete("elsewhere"), "`elsewhere.yaml`"),
        (delete("theirs"), "`other`"),
        (apply("", "kind: Guardrail\nspec: {maxPercentage: 5}\n"), "Guardrail"),
    ] {
        shop(change).await.is_refused(403, reason);
    }
    shop(delete("ours")).await.is(200, &["ours deleted"]);
}

#[tokio::test]
async fn of_many_documents_the_one_that_is_forbidden_is_named() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    let ours = policy("ours", "web", 500).replace("namespace: demo", "namespace: shop-a");
    for (other, reason) in [
        (policy("theirs", "web", 500), "policy `theirs`: `shop` has no right to the namespace `demo`"),
        (
            "kind: Guardrail\nspec: {maxPercentage: 5}\n".to_owned(),
            "a `Guardrail`, as in line 4 of what was sent",
        ),
    ] {
        let both = apply("", &format!("{ours}---\n{other}"));
        replica.send(with(both, "shop-0123456789abcdef")).await.is_refused(403, reason);
    }
}

#[tokio::test]
async fn a_policy_that_has_a_name_of_hfi_itself_is_to_be_renamed() {
    let repository = repository(&[("a.yaml", &policy("status", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    for name in ["status", "create"] {
        replica.delete(name).await.is_refused(405, &format!("`{name}` is a name of hfi itself"));
    }
}

#[tokio::test]
async fn a_body_without_a_selector_does_not_select_everything_by_mistake() {
    let bare = "metadata: {name: bare}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n";
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    replica.apply("", bare).await.is_refused(422, "wildcard");
    replica.apply("?allowWildcard=true", bare).await.is_refused(422, "`alice` has not");
    replica.apply("", &bare.replace("bare", "a")).await.is_refused(409, "has a selector");
    let wild = |query| replica.send(with(apply(query, bare), "wild-0123456789abcdef"));
    wild("").await.is_refused(422, "allowWildcard=true");
    let first = || replica.send(with(apply("", &bare.replace("bare", "first")), "first-0123456789abcdef"));
    let created = first().await;
    created.is(201, &["first created"]);
    assert!(
        created.body["warnings"][0]["message"].as_str().unwrap().contains("namespace `demo`"),
        "{created:?}"
    );
    first().await.is(200, &["first unchanged"]);
    wild("?allowWildcard=true").await.is(201, &["bare created"]);
}

#[tokio::test]
async fn a_body_without_a_selector_replaces_no_policy_whose_selector_is_not_known() {
    let bare = "metadata: {name: typo}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n";
    let typo = bare.replace("{rules", "{selector: {namespace: shop}, rules").replace("delay_ms", "delay_sm");
    let repository = repository(&[("typo.yaml", &typo)]).await;
    let replica = Replica::of(&path(&repository)).await;
    for token in ["first-0123456789abcdef", "wild-0123456789abcdef"] {
        let change = with(apply("?allowWildcard=true", bare), token);
        replica.send(change).await.is_refused(409, "the policy `typo` of typo.yaml is not valid");
    }
    let selects = bare.replace("{rules", "{selector: {namespace: shop}, rules");
    replica.apply("", &selects).await.is(200, &["typo configured"]);
}

#[tokio::test]
async fn requests_that_are_not_right_are_told_what_is() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503)), ("notes.yaml", "a: 1\n")]).await;
    let replica = Replica::of(&path(&repository)).await;
    let put = |name: &str, body: &str| Change {
        method: Method::PUT,
        path: format!("/v1/policies/{name}"),
        token: ALICE,
        headers: vec![(BODY, "application/yaml".to_owned())],
        body: body.to_owned(),
    };
    let mut text = apply("", &policy("b", "web", 500));
    text.headers = vec![(BODY, "text/plain".to_owned())];
    let large = format!("# {}\n", "x".repeat(1 << 20));
    for (change, status, reason) in [
        (text, 415, "application/yaml"),
        (apply("", ""), 422, "holds no document"),
        (apply("?dryrun=true", ""), 400, "known here: dryRun"),
        (apply("?folder=../x", &policy("b", "web", 500)), 400, "`folder`"),
        (apply("?message=a%0Ab", &policy("b", "web", 500)), 400, "one line"),
        (apply("?file=a.yaml", &policy("b", "web", 500)), 400, "DELETE"),
        (apply("", &large), 413, "1048576"),
        (put("other", &policy("b", "web", 500)), 422, "must be `other`"),
        (put("b", &format!("{}---\n{}", policy("b", "w", 500), policy("c", "w", 500))), 400, "one policy"),
        (apply("", &policy("hfi-halt", "web", 500)), 422, "a name of hfi itself"),
        (apply("", &format!("{0}---\n{0}", policy("b", "web", 500))), 422, "an earlier document"),
        (apply("", &policy("notes", "web", 500)), 409, "does not hold the policy"),
        (delete("A"), 404, "RFC 1123"),
        (delete("b"), 404, "no policy `b`"),
    ] {
        let answer = replica.send(change).await;
        answer.is_refused(status, reason);
        assert!(answer.body["request"].as_str().is_some_and(|id| id.len() == 16), "{answer:?}");
    }
    assert_eq!(git(&repository, &["rev-list", "--count", "main"]).trim(), "2", "nothing was written");
}

#[tokio::test]
async fn what_makes_the_branch_worse_is_refused_and_what_was_wrong_before_is_a_warning() {
    let wrong = "metadata: {name: wrong}\nspec: {}\n";
    let guardrail = "kind: Guardrail\nspec: {maxPercentage: 50}\n";
    let repository = repository(&[
        ("both.yaml", &format!("{}---\n{wrong}", policy("a", "checkout", 503))),
        ("guarded/guardrail.yaml", guardrail),
    ])
    .await;
    // Against the guardrail, and from before it.
    repository.write("guarded/old.yaml", &policy("old", "web", 500)).unwrap();
    repository.push("Break it").await.unwrap();
    let replica = Replica::of(&path(&repository)).await;
    let answer = replica.apply("", &policy("a", "checkout", 500)).await;
    answer.is(200, &["a configured"]);
    assert!(answer.body["warnings"].to_string().contains("spec.rules"), "{answer:?}");
    let breach = replica.apply("?folder=guarded", &policy("new", "web", 500)).await;
    breach.is_refused(422, "is above 50");
    assert_eq!(breach.body["errors"][0]["field"], "spec.rules[0].fault.percentage");
    replica.apply("", &policy("old", "web", 501)).await.is_refused(422, "is above 50");
    let suspended = policy("old", "web", 500).replace("spec: {", "spec: {suspend: true, ");
    replica.apply("", &suspended).await.is(200, &["old configured"]);
    replica.delete("old").await.is(200, &["old deleted"]);
}

#[tokio::test]
async fn a_suspended_policy_takes_no_policy_of_others_out_of_force() {
    // Each is within the limits of a file; both together are more than the regexes of all policies may take.
    let costly = |name: &str, spec: &str| {
        let rule = "{match: {path: {regex: '^a{19000}$'}}, fault: {percentage: 5, delay_ms: 1}}";
        let rules = [rule; 30].join(", ");
        format!("metadata: {{name: {name}}}\nspec: {{{spec}, rules: [{rules}]}}\n")
    };
    let theirs = costly("theirs", "selector: {namespace: other}");
    let repository = repository(&[("theirs.yaml", &theirs)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let ours = costly("ours", "suspend: true, priority: 9, selector: {namespace: shop}");
    let answer = replica.send(with(apply("", &ours), "shop-0123456789abcdef")).await;
    answer.is_refused(422, "takes the policy `theirs` of theirs.yaml out of force");
    let suspended = costly("theirs", "suspend: true, selector: {namespace: other}");
    replica.apply("", &suspended).await.is(200, &["theirs configured"]);
}

#[tokio::test]
async fn a_name_in_two_places_is_no_ones_to_choose() {
    let (repository, server) = over_http().await;
    repository.remove("a.yaml").unwrap();
    for (file, status) in [("one.yaml", 503), ("two.yaml", 500)] {
        repository.write(file, &policy("a", "checkout", status)).unwrap();
    }
    repository.push("Write it in two files").await.unwrap();
    // It reads what others push when a push of its own fails.
    let replica = Replica::with(&server.url("policies.git"), NEVER, |_| {}).await;
    for change in [apply("", &policy("a", "checkout", 501)), delete("a")] {
        let answer = replica.send(change).await;
        answer.is_refused(409, "one.yaml:1 and in two.yaml:1");
    }
    replica.delete("a?restart=true&file=two.yaml").await.is(200, &["a deleted"]);
    let twice = format!("{0}---\n{0}", policy("a", "checkout", 500));
    repository.git(&["pull", "--quiet", "origin", "main"]).await.unwrap();
    repository.write("one.yaml", &twice).unwrap();
    repository.push("Write it twice").await.unwrap();
    replica.delete("a?file=one.yaml").await.is_refused(409, "changed meanwhile by commit");
    replica
        .delete("a?file=one.yaml")
        .await
        .is_refused(409, "in one.yaml:4; remove one of them (edit by hand)");
    repository.write("one.yaml", &policy("a", "checkout", 503)).unwrap();
    repository.push("Write it once").await.unwrap();
    replica.apply("", &policy("a", "checkout", 501)).await.is_refused(409, "changed meanwhile by commit");
    replica.apply("", &policy("a", "checkout", 501)).await.is(200, &["a configured"]);
}
