//! `GET /filter.wasm` and `/filter/{sha256}.wasm`.

use std::{fs, process::Command};

use policies::Digest;

use crate::support::{client, process::Process};

#[tokio::test]
async fn the_newest_by_name_and_each_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (new, old) = (b"\0asm new".to_vec(), b"\0asm old".to_vec());
    fs::write(path("new"), &new).unwrap();
    fs::write(path("old"), &old).unwrap();
    let both = format!("{},{}", path("new"), path("old"));
    let hfi = Process::start(&[("HFI_DIR", folder.path().to_str().unwrap()), ("HFI_FILTER", &both)]).await;
    let client = client();
    let by_digest =
        |bytes: &[u8]| format!("/filter/{}.wasm", Digest::of(bytes).to_string().replace("sha256:", ""));
    for (path, bytes, caching) in [
        ("/filter.wasm".to_owned(), &new, "no-cache"),
        (by_digest(&new), &new, "public, max-age=31536000, immutable"),
        (by_digest(&old), &old, "public, max-age=31536000, immutable"),
        (
            by_digest(&old).to_uppercase().replace("/FILTER", "/filter").replace(".WASM", ".wasm"),
            &old,
            "public, max-age=31536000, immutable",
        ),
    ] {
        let url = format!("{}{path}", hfi.url);
        let answer = client.get(&url).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let etag = Digest::of(bytes).etag();
        assert_eq!(
            [header("content-type"), header("cache-control"), header("etag")],
            ["application/wasm", caching, &etag],
            "{path}"
        );
        assert_eq!(answer.bytes().await.unwrap(), *bytes, "{path}");
        let again = client.get(&url).header("if-none-match", etag).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0), "{path}");
    }
    // What does not change under us while we serve it is what was there at the start.
    fs::write(path("new"), b"\0asm newer").unwrap();
    let answer = client.get(format!("{}/filter.wasm", hfi.url)).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), new);
    for foreign in [by_digest(&new).replace(".wasm", ""), "/filter/x.wasm".to_owned()] {
        let answer = client.get(format!("{}{foreign}", hfi.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{foreign}");
        assert!(answer.text().await.unwrap().contains(&Digest::of(&new).to_string()));
    }
}

/// Istio's agent asks again after a 503, and never after a 404.
#[tokio::test]
async fn a_digest_that_is_not_here_yet_is_worth_another_try() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filter.wasm");
    fs::write(&path, b"\0asm").unwrap();
    let dir = ("HFI_DIR", folder.path().to_str().unwrap());
    for filter in [path.to_str().unwrap(), ""] {
        let hfi = Process::start(&[dir, ("HFI_FILTER", filter)]).await;
        let url = format!("{}/filter/{}.wasm", hfi.url, "0".repeat(64));
        let answer = client().get(&url).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (503, &"5".parse().unwrap())
        );
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.text().await.unwrap().contains(if filter.is_empty() { "--filter" } else { "newest" }));
        // The doctor asks with HEAD, and a startup probe waits for the module of its plugins.
        let probe = client().get(&url).header("user-agent", "kube-probe/1.36").send().await.unwrap();
        assert_eq!(probe.status(), 503);
        assert_eq!(client().head(&url).send().await.unwrap().status(), 503);
        assert_eq!(hfi.metric("hfi_unknown_module_requests_total").await, Some(1.0));
    }
}

#[tokio::test]
async fn without_a_module_it_is_said_how_to_give_one() {
    let folder = tempfile::tempdir().unwrap();
    // A variable that is set to nothing is not set.
    let unset =
        [("HFI_FILTER", ""), ("HFI_HOOK_SECRET_FILE", ""), ("HFI_DIR", folder.path().to_str().unwrap())];
    let hfi = Process::start(&unset).await;
    for path in ["/filter.wasm", "/filter/x.wasm"] {
        let answer = client().get(format!("{}{path}", hfi.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404);
        assert!(answer.text().await.unwrap().contains("--filter (HFI_FILTER)"));
    }
}

#[test]
fn what_is_no_module_is_refused_at_the_start() {
    let hfi = |path: &str| {
        let serve = ["serve", "--dir", ".", "--listen", "127.0.0.1:0", "--filter", path];
        let output = Command::new(env!("CARGO_BIN_EXE_hfi")).args(serve).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(hfi("Cargo.toml").contains("--filter Cargo.toml: is not a WebAssembly module"));
    assert!(hfi("none.wasm").contains("--filter none.wasm: cannot be read"));
}
