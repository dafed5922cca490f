//! `hfi policy list`, `get` and `describe`, and `hfi filters`: the policies and the filters of a running server.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Server,
    command::{Ended, hfi, hfi_at_a_terminal, hfi_reading},
    policy,
};

/// A server with three policies and a file that is rejected.
async fn world() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.yaml", &policy("checkout-errors", "checkout", 503));
    write("long.yaml", &policy(&"n".repeat(63), "cart", 500));
    write("off.yaml", &policy("off", "checkout", 503).replace("spec: {", "spec: {suspend: true, "));
    write("bad.yaml", "metadata: {name: bad}\nspec: {rules: [{fault: {percntage: 5}}]}\n");
    let server = Server::of_folder(folder.path()).await;
    (folder, server)
}

async fn ask(server: &Server, arguments: &[&str]) -> Ended {
    hfi(&[arguments, &["--server", &server.url]].concat(), &[]).await
}

#[tokio::test]
async fn every_valid_policy_is_listed_and_files_with_errors_are_told_beside() {
    let (_folder, server) = world().await;
    let listed = ask(&server, &["policy", "list"]).await;
    assert_eq!(listed.code, 0, "{listed:?}");
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert!(lines[0].starts_with("NAME ") && lines.len() == 4, "{listed:?}");
    let row = lines.iter().find(|line| line.starts_with("checkout-errors ")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>()[1..5], ["active", "checkout.demo", "abort", "-"]);
    assert!(lines.iter().any(|line| line.starts_with(&"n".repeat(63))), "{listed:?}");
    assert!(lines.iter().any(|line| line.starts_with("off ") && line.contains(" suspended ")), "{listed:?}");
    assert!(listed.stderr.contains("not in force: bad.yaml:"), "{listed:?}");
    assert!(listed.stderr.contains("did you mean `percentage`?"), "{listed:?}");
}

#[tokio::test]
async fn machines_get_what_the_status_says() {
    let (_folder, server) = world().await;
    let json = ask(&server, &["policy", "list", "-o", "json"]).await;
    let listed: Value = serde_json::from_str(&json.stdout).unwrap();
    let status = server.json("/v1/policies/status").await;
    let by_name = |list: &Value| {
        let mut list = list.as_array().unwrap().clone();
        list.sort_by_key(|policy| policy["name"].as_str().unwrap().to_owned());
        list
    };
    assert_eq!(by_name(&listed["policies"]), by_name(&status["policies"]));
    let names = ask(&server, &["policy", "list", "-o", "name"]).await.stdout;
    assert!(names.starts_with("policy/checkout-errors\n") && names.ends_with("policy/off\n"), "{names}");
    let yaml = ask(&server, &["policy", "list", "-o", "yaml"]).await.stdout;
    assert!(yaml.starts_with("policies:\n"), "{yaml}");
}

#[tokio::test]
async fn what_get_prints_is_valid_and_is_the_same_policy() {
    let (_folder, server) = world().await;
    let (elsewhere, mut files) = (tempfile::tempdir().unwrap(), 0);
    for (arguments, policies) in [
        (&["checkout-errors", "-o", "yaml"][..], 1),
        (&["checkout-errors", "-o", "json"], 1),
        (&["off", "checkout-errors", "-o", "yaml"], 2),
        (&["-o", "yaml"], 3),
    ] {
        let got = ask(&server, &[&["policy", "get"], arguments].concat()).await;
        files += 1;
        let path = elsewhere.path().join(format!("{files}.yaml"));
        fs::write(&path, &got.stdout).unwrap();
        let validated = hfi(&["validate", path.to_str().unwrap()], &[]).await;
        assert_eq!(validated.code, 0, "{got:?} {validated:?}");
        let valid = if policies == 1 { "1 policy is" } else { &format!("{policies} policies are") };
        assert!(validated.stdout.starts_with(valid), "{validated:?}");
    }
    // Several in JSON are a list, which is no policy file.
    for (names, count) in [(&[][..], 3), (&["off", "checkout-errors"], 2)] {
        let got = ask(&server, &[&["policy", "get", "-o", "json"], names].concat()).await;
        for (name, code) in [("list.json", 0), ("list.yaml", 1)] {
            let path = elsewhere.path().join(name);
            fs::write(&path, &got.stdout).unwrap();
            let path = path.to_str().unwrap();
            let validated = hfi(&["validate", path], &[]).await;
            assert_eq!(validated.code, code, "{name}: {validated:?}");
            let told =
                if code == 0 { format!("{count} policies are valid") } else { "0 policies".to_owned() };
            assert!(validated.stdout.contains(&told), "{name}: {validated:?}");
        }
        let path = elsewhere.path().join("list.json");
        let same = ask(&server, &["policy", "diff", "-f", path.to_str().unwrap()]).await;
        assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{same:?}");
        let piped = ["policy", "diff", "-f", "-", "--server", &server.url];
        assert_eq!(hfi_reading(&piped, &[], &got.stdout).await.code, 0);
        let changed = got.stdout.replace("503", "504");
        fs::write(path, changed.replacen("percentage", "percntage", 1)).unwrap();
        let wrong = hfi(&["validate", elsewhere.path().join("list.json").to_str().unwrap()], &[]).await;
        assert!(wrong.code == 1 && wrong.stdout.contains("did you mean `percentage`?"), "{wrong:?}");
    }
    let one = ask(&server, &["policy", "get", "off", "-o", "json"]).await;
    let one: Value = serde_json::from_str(&one.stdout).unwrap();
    assert_eq!((&one["metadata"]["name"], &one["spec"]["suspend"]), (&json!("off"), &json!(true)));
}

#[tokio::test]
async fn a_policy_that_is_not_there_is_an_error_with_the_next_step() {
    let (_folder, server) = world().await;
    for output in ["table", "yaml"] {
        let got = ask(&server, &["policy", "get", "checkout-errors", "bad", "-o", output]).await;
        assert_eq!(got.code, 1, "{got:?}");
        assert!(got.stdout.contains("checkout-errors"), "the other one is shown: {got:?}");
        assert!(got.stderr.contains("error: there is no valid policy `bad`"), "{got:?}");
        assert!(got.stderr.contains("\n  next: `hfi policy list` shows"), "{got:?}");
    }
    let described = ask(&server, &["policy", "describe", "../status"]).await;
    assert_eq!((described.code, described.stdout.as_str()), (2, ""));
    assert_eq!(ask(&server, &["policy", "describe"]).await.code, 2);
}

#[tokio::test]
async fn a_policy_is_described_with_the_filters_that_run_it() {
    let (_folder, server) = world().await;
    for (node, service) in [("checkout-1", "checkout"), ("checkout-2", "checkout"), ("cart-1", "cart")] {
        let node = format!("sidecar~10.0.0.1~{node}.demo~demo.svc.cluster.local");
        server.snapshot(&format!("namespace=demo&service={service}"), &[("x-hfi-node", &node)]).await;
    }
    let described = ask(&server, &["policy", "describe", "checkout-errors", "off"]).await;
    assert_eq!(described.code, 0, "{described:?}");
    for part in [
        "Name:      checkout-errors\nState:     active\nTarget:    checkout.demo\n",
        "File:      a.yaml:1\nFilters:   0 in step, 2 lagging, 0 gone\nMeasured:  nothing reported yet\nCommits: none\nWarnings:",
        "\nSpec:\n  rules:\n",
        "\n\nName:      off\nState:     suspended\n",
    ] {
        assert!(described.stdout.contains(part), "{part}: {}", described.stdout);
    }
    let filters = ask(&server, &["filters"]).await.stdout;
    assert!(filters.starts_with("NAME "), "{filters}");
    assert!(filters.contains("\ncheckout-2.demo  demo       checkout  lagging  "), "{filters}");
    let names = ask(&server, &["filters", "-o", "name"]).await.stdout;
    assert!(names.contains("filter/sidecar~10.0.0.1~cart-1.demo~demo.svc.cluster.local\n"), "{names}");
    let json = ask(&server, &["filters", "-o", "json"]).await.stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["summary"]["lagging"], 3);
}

#[tokio::test]
async fn a_variable_without_a_value_wants_no_less_colour() {
    let (_folder, server) = world().await;
    let list = ["policy", "list", "--server", &server.url];
    let coloured = hfi_at_a_terminal(&list, &[("NO_COLOR", "")]).await;
    assert!(coloured.contains("\u{1b}[32mactive\u{1b}[0m"), "{coloured:?}");
}

#[tokio::test]
async fn every_listing_has_colours_at_a_terminal_only_and_where_they_are_wanted() {
    let (folder, server) = world().await;
    // So long that the state still fits into 80 columns, and the rest does not.
    let node = format!("sidecar~10.0.0.1~{}.demo~demo.svc.cluster.local", "n".repeat(40));
    server.snapshot("namespace=demo&service=checkout", &[("x-hfi-node", &node)]).await;
    let changed = folder.path().join("changed");
    fs::write(&changed, policy("checkout-errors", "checkout", 504)).unwrap();
    let explain = ["explain", "--namespace", "demo", "--service", "checkout"];
    // With true those that are cut at the width of a terminal, unless they are wide.
    for (listing, is_coloured, is_cut) in [
        (&["policy", "list"][..], true, true),
        (&["filters"], true, true),
        (&["policy", "describe", "checkout-errors"], true, false),
        (&["policy", "diff", "-f", changed.to_str().unwrap()], true, false),
        (&explain, false, false),
    ] {
        let listing = [listing, &["--server", &server.url]].concat();
        let coloured = hfi_at_a_terminal(&listing, &[]).await;
        assert_eq!(coloured.contains('\u{1b}'), is_coloured, "{listing:?}: {coloured:?}");
        let plain = hfi_at_a_terminal(&listing, &[("NO_COLOR", "1")]).await;
        assert!(!plain.contains('\u{1b}'), "{listing:?}: {plain:?}");
        let piped = hfi(&listing, &[]).await.stdout;
        assert!(!piped.is_empty() && !piped.contains('\u{1b}'), "{listing:?}: {piped:?}");
        if is_cut {
            let wide = [&listing[..], &["-o", "wide"]].concat();
            let longest = |text: &str| {
                let table = text.lines().filter(|line| !line.starts_with("warning: "));
                table.map(|line| line.chars().count()).max().unwrap()
            };
            assert!(longest(&plain) <= 80 && longest(&piped) > 80, "{listing:?}: {plain}");
            assert!(longest(&hfi_at_a_terminal(&wide, &[("NO_COLOR", "1")]).await) > longest(&piped));
        } else {
            let shown: String =
                plain.split_inclusive('\n').filter(|line| !line.starts_with("warning: ")).collect();
            assert_eq!(shown, piped, "{listing:?}");
        }
    }
}

#[tokio::test]
async fn a_halt_is_shown_by_every_listing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let halt = folder.path().join("halt");
    fs::write(&halt, "").unwrap();
    let environment =
        [("HFI_DIR", folder.path().to_str().unwrap()), ("HFI_HALT_FILE", halt.to_str().unwrap())];
    let server = crate::support::process::Process::start(&environment).await;
    server.until_ready(|ready| ready["halted"] == true).await;
    let listed = hfi(&["policy", "list"], &[("HFI_SERVER", &server.url)]).await;
    assert!(listed.stdout.contains("  halted  "), "{listed:?}");
    assert!(listed.stderr.contains("everything is halted"), "{listed:?}");
}
