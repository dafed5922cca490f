//! `hfi render`: the resources of applications as a stream, as a list and as a directory.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
};

use serde_json::Value;

use super::applications_are_checked_with_policies::{REVIEWS, directory, write};
use crate::support::{command, hfi, policy};

const RATINGS: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: ratings, namespace: bank}
spec:
  peerAuthentication: {}
  destinationRule: {host: ratings, trafficPolicy: {ejectionSettings: {}}}
";

const WRONG: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: wrong, namespace: shop}
spec: {destinationRule: {}}
";

/// The files of a directory and their texts.
fn files(root: &Path) -> BTreeMap<String, String> {
    fn gather(root: &Path, directory: &Path, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                gather(root, &entry.path(), files);
            } else {
                let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    gather(root, root, &mut found);
    found
}

#[test]
fn a_stream_and_a_list_hold_the_same_resources_in_their_order() {
    let directory = directory(&[
        ("z/reviews.yaml", REVIEWS),
        ("a/ratings.yaml", RATINGS),
        ("a/policy.yaml", &policy("a", "reviews", 503)),
    ]);
    let (code, stream) = hfi(directory.path(), &["render", "."]);
    assert_eq!(code, 0);
    let names: Vec<_> = stream.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
    assert_eq!(
        names,
        ["ratings-destination-rule", "ratings-peer-authentication", "reviews-destination-rule"]
    );
    assert!(stream.starts_with("apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"), "{stream}");
    let (code, list) = hfi(directory.path(), &["render", ".", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!((code, &list["kind"], list["items"].as_array().unwrap().len()), (0, &"List".into(), 3));
    assert_eq!(hfi(directory.path(), &["render", "."]).1, stream);
    assert_eq!(hfi(directory.path(), &["render", ".", "-o", "wide"]).0, 2);
    let (_, elsewhere) = hfi(directory.path(), &["render", ".", "--cluster-domain", "mesh.example"]);
    assert_eq!(elsewhere, stream, "no host of these is rendered in full");
}

#[tokio::test]
async fn a_namespace_and_an_application_are_selected_and_what_is_nowhere_is_an_error() {
    let directory = directory(&[("reviews.yaml", REVIEWS), ("ratings.yaml", RATINGS)]);
    let path = directory.path().to_str().unwrap();
    for (selection, count) in [
        (&["-n", "bank"][..], 2),
        (&["--app", "reviews"], 1),
        (&["--app", "bank/ratings"], 2),
        (&["-n", "shop", "--app", "reviews"], 1),
    ] {
        let ended = command::hfi(&[&["render", path], selection].concat(), &[]).await;
        assert_eq!((ended.code, ended.stdout.matches("apiVersion").count()), (0, count), "{selection:?}");
    }
    for (selection, reason) in [
        (&["-n", "bnk"][..], "there is no application `bnk/*`; did you mean `bank/*`?"),
        (&["--app", "review"], "there is no application `review`; did you mean `reviews`?"),
        (&["-n", "bank", "--app", "reviews"], "there is no application `bank/reviews`"),
    ] {
        let ended = command::hfi(&[&["render", path], selection].concat(), &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{selection:?}");
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn nothing_is_printed_if_anything_is_invalid_unless_by_request() {
    let directory = directory(&[("reviews.yaml", REVIEWS), ("wrong.yaml", WRONG)]);
    let out = directory.path().join("out");
    let (path, to) = (directory.path().to_str().unwrap(), format!("dir={}", out.display()));
    for more in [&[][..], &["-n", "shop"], &["--app", "reviews"], &["-o", "json"], &["-o", &to]] {
        let ended = command::hfi(&[&["render", path], more].concat(), &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{more:?}");
        assert!(
            ended.stderr.contains("wrong.yaml:4:") && ended.stderr.contains("[APP01]"),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("nothing was rendered"), "{}", ended.stderr);
    }
    assert!(!out.exists());
    let ended = command::hfi(&["render", path, "--keep-going"], &[]).await;
    assert!(ended.code == 1 && ended.stdout.contains("name: reviews-destination-rule"), "{ended:?}");
    assert!(ended.stderr.contains("wrong.yaml:4:"), "{}", ended.stderr);
}

#[test]
fn a_directory_holds_a_file_for_each_resource_and_names_them_all() {
    let directory = directory(&[("in/reviews.yaml", REVIEWS), ("in/ratings.yaml", RATINGS)]);
    assert_eq!(hfi(directory.path(), &["render", "in", "-o", "dir=out/deep"]).0, 0);
    let out = directory.path().join("out/deep");
    let written = files(&out);
    let names: Vec<_> = written.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "bank/destination-rule-ratings-destination-rule.yaml",
            "bank/peer-authentication-ratings-peer-authentication.yaml",
            "kustomization.yaml",
            "shop/destination-rule-reviews-destination-rule.yaml",
        ]
    );
    assert_eq!(written["kustomization.yaml"].matches("\n  - ").count(), 3);
    let (_, stream) = hfi(directory.path(), &["render", "in"]);
    let whole: Vec<_> = written
        .iter()
        .filter(|(name, _)| *name != "kustomization.yaml")
        .map(|(_, text)| text.as_str())
        .collect();
    assert_eq!(whole.join("---\n"), stream);
    // What has its text already is not touched, so that nothing that watches it is woken.
    let modified = |name: &str| fs::metadata(out.join(name)).unwrap().modified().unwrap();
    let before = modified("kustomization.yaml");
    assert_eq!(hfi(directory.path(), &["render", "in", "-o", "dir=out/deep"]).0, 0);
    assert_eq!(modified("kustomization.yaml"), before);
}

#[test]
fn what_is_no_longer_rendered_is_removed_and_nothing_that_others_wrote() {
    let directory = directory(&[("in/reviews.yaml", REVIEWS), ("in/ratings.yaml", RATINGS)]);
    let render =
        |more: &[&str]| hfi(directory.path(), &[&["render", "in", "-o", "dir=out"], more].concat()).0;
    assert_eq!(render(&[]), 0);
    // A file of somebody else, one that only looks as if it were rendered, and what a killed process left.
    let by_hand = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: a, namespace: bank}\n";
    let out = directory.path().join("out");
    write(&out, &[("bank/sidecar-a.yaml", by_hand), ("notes.txt", "x"), ("bank/.hfi-render-abc", "half")]);
    fs::remove_file(directory.path().join("in/ratings.yaml")).unwrap();
    assert_eq!(render(&[]), 0);
    let names: Vec<_> = files(&out).into_keys().collect();
    let reviews = "shop/destination-rule-reviews-destination-rule.yaml";
    assert_eq!(names, ["bank/sidecar-a.yaml", "kustomization.yaml", "notes.txt", reviews]);
    assert!(!files(&out)["kustomization.yaml"].contains("ratings"));
    // While something is invalid, nothing is taken away: it may be what is no longer rendered.
    write(
        directory.path(),
        &[("in/reviews.yaml", &REVIEWS.replace("host:", "hst:")), ("in/ratings.yaml", RATINGS)],
    );
    assert_eq!(render(&["--keep-going"]), 1);
    let kept = files(&out);
    assert!(kept.contains_key(reviews) && kept["kustomization.yaml"].contains(reviews), "{kept:?}");
    assert!(kept["kustomization.yaml"].contains("ratings-peer-authentication"));
    // Without any application left, the directory says so.
    fs::remove_dir_all(directory.path().join("in")).unwrap();
    fs::create_dir(directory.path().join("in")).unwrap();
    assert_eq!(render(&[]), 0);
    assert!(files(&out)["kustomization.yaml"].contains("resources: []"));
    assert!(!out.join("shop").exists());
}

#[test]
fn routes_of_the_gateway_api_are_replaced_and_removed_as_all_others_are() {
    let routed = "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {name: cart, namespace: shop}\nspec: {virtualService: {render: httpRoute, port: 80, timeout: 5s}}\n";
    let directory = directory(&[("in/cart.yaml", routed), ("in/ratings.yaml", RATINGS)]);
    let render = || hfi(directory.path(), &["render", "in", "-o", "dir=out"]).0;
    let routes = || {
        let files = files(&directory.path().join("out"));
        files.into_iter().filter(|(name, _)| name.contains("http-route")).collect::<Vec<_>>()
    };
    assert_eq!(render(), 0);
    write(directory.path(), &[("in/cart.yaml", &routed.replace("5s", "7s"))]);
    assert_eq!(render(), 0);
    assert!(routes().len() == 1 && routes()[0].1.contains("request: 7s"), "{:?}", routes());
    fs::remove_file(directory.path().join("in/cart.yaml")).unwrap();
    assert_eq!((render(), routes().len()), (0, 0));
}

#[tokio::test]
async fn a_file_of_somebody_else_is_never_overwritten() {
    let directory = directory(&[("in/reviews.yaml", REVIEWS)]);
    let reviews = "shop/destination-rule-reviews-destination-rule.yaml";
    for (file, text) in [
        ("kustomization.yaml", "resources: [../base]\npatches: []\n"),
        ("kustomization.yaml", "resources: [base/service.yaml]\n"),
        (reviews, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let beside = ("base/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n");
        write(out.path(), &[(file, text), beside]);
        let (path, to) = (directory.path().join("in"), format!("dir={}", out.path().display()));
        let ended = command::hfi(&["render", path.to_str().unwrap(), "-o", &to], &[]).await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains("was not rendered by hfi and is not overwritten"), "{}", ended.stderr);
        let there = [(file, text), beside].map(|(file, text)| (file.to_owned(), text.to_owned()));
        assert_eq!(files(out.path()), there.into());
    }
}

#[tokio::test]
async fn a_directory_is_written_through_no_link() {
    let directory =
        directory(&[("in/reviews.yaml", REVIEWS), ("elsewhere/notes.txt", "x"), ("out/a.txt", "x")]);
    std::os::unix::fs::symlink("../elsewhere", directory.path().join("out/shop")).unwrap();
    let (path, out) = (directory.path().join("in"), directory.path().join("out"));
    let to = format!("dir={}", out.display());
    let ended = command::hfi(&["render", path.to_str().unwrap(), "-o", &to], &[]).await;
    assert!(ended.code == 2 && ended.stderr.contains("out/shop is a symbolic link"), "{ended:?}");
    assert_eq!(files(&directory.path().join("elsewhere")).len(), 1);
    assert!(!out.join("kustomization.yaml").exists());
}

#[test]
fn what_is_beside_a_rendering_is_neither_read_nor_removed() {
    let directory = directory(&[("in/reviews.yaml", REVIEWS), (".git/.hfi-render-notes", "x")]);
    // Nobody who opens it sees its end.
    let pipe = directory.path().join("docs");
    fs::create_dir(&pipe).unwrap();
    let made = std::process::Command::new("mkfifo").arg(pipe.join("gateway-a.yaml")).status().unwrap();
    assert!(made.success());
    fs::create_dir(directory.path().join("docs/.hfi-render-d")).unwrap();
    fs::write(directory.path().join("docs/notes.yaml"), "kind: [").unwrap();
    assert_eq!(hfi(directory.path(), &["render", "in", "-o", "dir=."]).0, 0);
    assert!(directory.path().join(".git/.hfi-render-notes").exists());
    assert!(directory.path().join("docs/.hfi-render-d").is_dir());
    assert!(directory.path().join("shop/destination-rule-reviews-destination-rule.yaml").exists());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "no event tells that nothing happens, and more time makes it no less sure"
)]
fn of_two_renderings_at_once_one_waits_for_the_other() {
    let directory = directory(&[("in/reviews.yaml", REVIEWS)]);
    let out = directory.path().join("out");
    fs::create_dir(&out).unwrap();
    let other = fs::File::open(&out).unwrap();
    other.lock().unwrap();
    let mut hfi = std::process::Command::new(env!("CARGO_BIN_EXE_hfi"));
    hfi.current_dir(directory.path()).args(["render", "in", "-o", "dir=out"]);
    let mut hfi = hfi.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(hfi.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = said.next().unwrap();
    assert!(line.contains("another process writes there; waiting for its end"), "{line}");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(hfi.try_wait().unwrap().is_none() && files(&out).is_empty());
    drop(other);
    assert!(hfi.wait().unwrap().success(), "{:?}", said.collect::<Vec<_>>());
    assert_eq!(files(&out).len(), 2);
}

/// A process that is killed at any moment leaves whole files only, and `kustomization.yaml` names none that is missing.
#[test]
fn a_kill_leaves_no_file_half_written() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let mut kills = 0;
    for round in 1..=8 {
        let named = |number| REVIEWS.replace("reviews", &format!("r{round}-{number}"));
        let documents: Vec<_> = (0..300).map(named).collect();
        write(directory.path(), &[("in/all.yaml", &documents.join("---\n"))]);
        let mut hfi = std::process::Command::new(env!("CARGO_BIN_EXE_hfi"));
        hfi.current_dir(directory.path()).args(["render", "in", "-o", "dir=out"]);
        let mut child = hfi.stderr(std::process::Stdio::null()).spawn().unwrap();
        // At another number of its files each time.
        let is_of_round = |name: &str| name.contains(&format!("-r{round}-"));
        while child.try_wait().unwrap().is_none() {
            let Ok(entries) = fs::read_dir(out.join("shop")) else { continue };
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            if names.filter(|name| is_of_round(name)).count() >= round * 35 {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                break;
            }
        }
        let mut written = files(&out);
        written.retain(|name, _| !name.contains(".hfi-render-"));
        for (name, text) in written.iter().filter(|(name, _)| *name != "kustomization.yaml") {
            assert!(text.starts_with("apiVersion: ") && text.ends_with("interval: 20s\n"), "{name}: {text}");
        }
        for line in written.get("kustomization.yaml").iter().flat_map(|text| text.lines()) {
            let Some(path) = line.strip_prefix("  - ") else { continue };
            assert!(written.contains_key(path), "{path} is named and missing");
        }
    }
    assert!(kills > 0, "no process was killed before its end");
}
