//! The page at `/` in Chromium: it is up to date by itself, says when it is not, and can be read by everybody.

use std::{fs, time::Duration};

use harness::{Browser, Window};
use serde_json::json;
use tokio::time::timeout;

use crate::support::{
    PATIENCE,
    browser::{Reader, SOON, serve, shows},
    halting::{STOPS, post},
    process::text,
    replicas::Replicas,
    writing::{ALICE, CHECKOUT, path},
};

#[tokio::test]
async fn a_push_appears_without_a_reload() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    reader.shows("#in-force", "checkout.demo").await;
    reader.shows("#live", "Live").await;
    reader.browser.evaluate("window.isTheSame = true").await.unwrap();
    reader.repository.write("b.yaml", &CHECKOUT.replace("name: a", "name: the-new-one")).unwrap();
    reader.repository.push("Break the checkout").await.unwrap();
    reader.shows("#in-force", "the-new-one").await;
    reader.shows("#recent", "the-new-one").await;
    reader.repository.remove("b.yaml").unwrap();
    reader.repository.push("Mend the checkout").await.unwrap();
    reader.shows("#recent", "Mend the checkout").await;
    assert!(!reader.browser.text("#in-force").await.unwrap().contains("the-new-one"));
    assert_eq!(reader.browser.evaluate("window.isTheSame").await.unwrap(), json!(true));
    reader.is_clean().await;
}

/// Tells the page that it is in view, or not.
async fn set_hidden(reader: &mut Reader, hidden: bool) {
    let script = format!(
        "Object.defineProperty(document, 'hidden', {{configurable: true, get: () => {hidden}}}); \
         document.dispatchEvent(new Event('visibilitychange'))"
    );
    reader.browser.evaluate(&script).await.unwrap();
}

#[tokio::test]
async fn while_nobody_sees_it_it_asks_nothing_and_says_nothing_of_now() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    reader.shows("#live", "Live").await;
    set_hidden(&mut reader, true).await;
    assert_eq!(reader.browser.evaluate("document.title").await.unwrap(), json!("Paused · hfi"));
    let streams_end = async {
        while reader.hfi.metric("hfi_event_streams").await != Some(0.0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, streams_end).await.expect("its stream goes on");
    reader.repository.write("b.yaml", &CHECKOUT.replace("name: a", "name: the-new-one")).unwrap();
    reader.repository.push("Break the checkout").await.unwrap();
    // It looks every 5 s else.
    assert!(reader.browser.until("#in-force", "the-new-one", 6.0).await.is_err());
    set_hidden(&mut reader, false).await;
    reader.shows("#in-force", "the-new-one").await;
    reader.shows("#live", "Live").await;
    assert_ne!(reader.browser.evaluate("document.title").await.unwrap(), json!("Paused · hfi"));
    reader.is_clean().await;
}

#[tokio::test]
async fn its_time_is_that_of_the_server() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    reader.shows("#live", "Live").await;
    // A browser whose clock is wrong.
    let page = "<main id=\"main\"></main><p id=\"live\">as of <time>01:02:03 UTC</time></p>";
    let answers = format!("window.fetch = async () => new Response('{page}')");
    reader.browser.evaluate(&answers).await.unwrap();
    reader.browser.until("#live", "Live, 01:02:03 UTC", 10.0).await.unwrap();
    reader.browser.evaluate("window.fetch = async () => { throw new Error() }").await.unwrap();
    reader.browser.until("#lost", "no answer since 01:02:03 UTC", 10.0).await.unwrap();
}

/// Notes whether the page says that it is not live.
const WATCH: &str = "window.wasLost = false; new MutationObserver(() => window.wasLost ||= \
                     document.documentElement.classList.contains('lost'))\
                     .observe(document.documentElement, {attributes: true})";

#[tokio::test]
async fn an_answer_that_a_hanging_replica_delays_is_waited_for() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    reader.shows("#live", "Live").await;
    reader.browser.evaluate(WATCH).await.unwrap();
    // Beside a replica that hangs it takes 4 s right after a halt.
    let page = "<main id=\"main\"></main><p id=\"live\">as of <time>01:02:03 UTC</time></p>";
    let late = format!(
        "window.fetch = (_, {{signal}}) => new Promise((answer, fail) => {{ \
         signal.onabort = () => fail(signal.reason); setTimeout(() => answer(new Response('{page}')), 4500) }})"
    );
    reader.browser.evaluate(&late).await.unwrap();
    reader.browser.until("#live", "Live, 01:02:03 UTC", 15.0).await.unwrap();
    assert_eq!(reader.browser.evaluate("window.wasLost").await.unwrap(), json!(false));
}

#[tokio::test]
async fn a_halt_is_shown_in_time_where_another_replica_hangs() {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("policies/a.yaml"), CHECKOUT).unwrap();
    fs::write(replicas.path("stoppers"), format!("stop {STOPS}\n")).unwrap();
    let (directory, stoppers) = (replicas.path("policies"), replicas.path("stoppers"));
    let variables = [("HFI_DIR", text(&directory)), ("HFI_HALT_TOKEN_FILE", text(&stoppers))];
    let one = replicas.start_with(0, "tokens", &variables).await;
    let other = replicas.start_with(1, "tokens", &variables).await;
    one.until_ready(|_| true).await;
    let mut browser = Browser::start().unwrap();
    assert_eq!(browser.open(&one.url, Window::default()).await.unwrap(), 200);
    shows(&mut browser, ".facts", "2 of 2").await;
    browser.evaluate(WATCH).await.unwrap();
    other.stop();
    browser.until("#banners", "NOT SURE: 1 of 2 replicas does not answer", 10.0).await.unwrap();
    assert_eq!(post(&one, STOPS).await.0, 200);
    browser.until("#banners", "HALTED by stop", 6.0).await.unwrap();
    assert_eq!(browser.evaluate("window.wasLost").await.unwrap(), json!(false));
    other.signal("CONT");
}

#[tokio::test]
async fn without_a_script_it_says_the_same() {
    let mut reader = Reader::new().await;
    reader.open(Window { script: false, ..Window::default() }).await;
    reader.shows("#in-force", "checkout").await;
    assert!(reader.browser.text("body").await.unwrap().contains("not live, because scripts are off"));
    reader.repository.remove("a.yaml").unwrap();
    reader.repository.push("Mend the checkout").await.unwrap();
    let gone = async {
        while !reader.browser.text("#in-force").await.unwrap().contains("No policy is in force") {
            assert_eq!(reader.browser.reload().await.unwrap(), 200);
        }
    };
    timeout(Duration::from_secs_f64(SOON), gone).await.expect("the page shows what was removed");
    reader.is_clean().await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_and_when_it_is_back_the_page_goes_on() {
    let mut reader = Reader::new().await;
    let address = reader.hfi.url.strip_prefix("http://").unwrap().to_owned();
    reader.open(Window::default()).await;
    reader.shows("#live", "Live").await;
    reader.hfi.child.kill().unwrap();
    reader.hfi.child.wait().unwrap();
    reader.shows("#lost", "This page is not live: no answer since").await;
    // Neither the title of the tab nor a screen reader goes on with what was so.
    assert_eq!(reader.browser.evaluate("document.title").await.unwrap(), json!("No answer · hfi"));
    let said = "getComputedStyle(document.getElementById('said')).display";
    assert_eq!(reader.browser.evaluate(said).await.unwrap(), json!("none"));
    reader.hfi = serve(&path(&reader.repository), reader.files.path(), &[("HFI_LISTEN", &address)]).await;
    // The page asks again after some seconds.
    reader.browser.until("#live", "Live", 10.0).await.unwrap();
    assert_eq!(reader.browser.evaluate("document.getElementById('lost').hidden").await.unwrap(), json!(true));
    assert_ne!(reader.browser.evaluate("document.title").await.unwrap(), json!("No answer · hfi"));
    // The browser itself writes into the console that nobody answered.
    let problems = reader.browser.problems().await.unwrap();
    assert!(problems.iter().all(|problem| problem.contains("net::ERR_")), "{problems:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_said() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    reader.shows("#live", "Live").await;
    for (status, words) in [
        (401, "the server asks for another token (401)"),
        (403, "the server refuses this page (403)"),
        (503, "the server cannot answer now (503)"),
        (404, "the server answers 404"),
    ] {
        let answers = format!("window.fetch = async () => new Response('', {{ status: {status} }})");
        reader.browser.evaluate(&answers).await.unwrap();
        reader.browser.until("#lost", words, 10.0).await.unwrap();
        assert_eq!(reader.browser.evaluate("document.title").await.unwrap(), json!("Not live · hfi"));
    }
    reader.browser.evaluate("window.fetch = async () => new Response('<h1>Log in</h1>')").await.unwrap();
    reader.browser.until("#lost", "something else answers", 10.0).await.unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_is_said() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    reader.shows("#live", "Live").await;
    reader.hfi.stop();
    reader.browser.until("#lost", "This page is not live: no answer since", 15.0).await.unwrap();
    reader.hfi.signal("CONT");
    reader.browser.until("#live", "Live", 10.0).await.unwrap();
}

#[tokio::test]
async fn a_replica_that_is_killed_makes_it_not_sure() {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("policies/a.yaml"), CHECKOUT).unwrap();
    let (one, mut other) = (replicas.start(0).await, replicas.start(1).await);
    let mut browser = Browser::start().unwrap();
    assert_eq!(browser.open(&one.url, Window::default()).await.unwrap(), 200);
    shows(&mut browser, "#live", "Live").await;
    shows(&mut browser, ".facts", "2 of 2").await;
    other.child.kill().unwrap();
    other.child.wait().unwrap();
    browser.until("#banners", "NOT SURE: 1 of 2 replicas does not answer", 5.0).await.unwrap();
    assert_eq!(browser.problems().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn texts_of_others_are_shown_as_they_are() {
    let mut reader = Reader::new().await;
    let hostile = "<script>document.title='mine'</script><img src=x onerror=alert(1)> \u{202e}desrever";
    reader.repository.write("c.yaml", &format!("metadata: {{name: \"{hostile}\"}}\n")).unwrap();
    reader.repository.write(&format!("{}.yaml", "n".repeat(200)), "{").unwrap();
    reader.repository.write("d.yaml", &CHECKOUT.replace("name: a", "name: d")).unwrap();
    for arguments in [
        &["add", "--all"][..],
        &["commit", "-q", "--author", "m\"allory &lt;b&gt; 'co <mallory@example.org>", "-m", hostile],
        &["push", "-q"],
    ] {
        reader.repository.git(arguments).await.unwrap();
    }
    // As long as the id of a node can be.
    let node = "n".repeat(253);
    let headers = [("x-hfi-node", node.as_str())];
    reader.hfi.get("/v1/snapshot?namespace=demo&service=checkout", &headers).await;
    for script in [true, false] {
        reader.open(Window { script, ..Window::default() }).await;
        reader.shows("#in-force", "m\"allory &lt;b&gt; 'co").await;
        reader.shows("#recent", "<script>document.title='mine'</script>").await;
        reader.shows("#trouble", &node).await;
        let body = reader.browser.text("body").await.unwrap();
        assert!(!body.contains('\u{202e}') && body.contains("\\u202e"), "{body}");
        let title = reader.browser.evaluate("document.title").await.unwrap();
        assert!(title.as_str().unwrap().ends_with("hfi"), "{title}");
        let foreign = "document.querySelectorAll('main script, main img, main b i').length";
        assert_eq!(reader.browser.evaluate(foreign).await.unwrap(), json!(0));
        // Nothing is wider than the window.
        let width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(reader.browser.evaluate(width).await.unwrap(), json!(true), "{script}");
        reader.is_clean().await;
    }
}

#[tokio::test]
async fn everybody_can_read_it_in_both_schemes_and_on_a_telephone() {
    let mut reader = Reader::new().await;
    reader.repository.write("bad.yaml", "metadata: {name: bad}\nspec: {rulez: []}\n").unwrap();
    let later = CHECKOUT
        .replace("name: a", "name: later")
        .replace("spec:", "spec:\n  startTime: 2999-01-01T00:00:00Z");
    reader.repository.write("later.yaml", &later).unwrap();
    reader.repository.push("Something of everything").await.unwrap();
    let node = [("x-hfi-node", "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local")];
    reader.hfi.get("/v1/snapshot?namespace=demo&service=checkout", &node).await;
    for dark in [false, true] {
        for size in [(1280, 900), (360, 640)] {
            reader.open(Window { dark, size, ..Window::default() }).await;
            reader.shows("#trouble", "rulez").await;
            assert_eq!(
                reader.browser.inaccessible().await.unwrap(),
                Vec::<String>::new(),
                "dark: {dark}, {size:?}"
            );
            reader.browser.press("Tab").await.unwrap();
            reader.browser.evaluate("document.getElementById('stop').click()").await.unwrap();
            reader.shows("#halt", "Token").await;
            assert_eq!(
                reader.browser.inaccessible().await.unwrap(),
                Vec::<String>::new(),
                "dark: {dark}, {size:?}"
            );
            reader.is_clean().await;
        }
    }
    // The form alone, and everything halted.
    for dark in [false, true] {
        for (path, selector, words) in [("/halt", "h1", "Stop everything"), ("/", "#banners", "HALTED by ")] {
            if path == "/" {
                let body = json!({"reason": "checkout is down"}).to_string();
                let halt =
                    crate::support::client().post(format!("{}/v1/halt", reader.hfi.url)).bearer_auth(ALICE);
                let halt = halt.header("content-type", "application/json").body(body).send().await.unwrap();
                assert_eq!(halt.status().as_u16(), 200);
            }
            let url = format!("{}{path}", reader.hfi.url);
            assert_eq!(reader.browser.open(&url, Window { dark, ..Window::default() }).await.unwrap(), 200);
            reader.shows(selector, words).await;
            assert_eq!(
                reader.browser.inaccessible().await.unwrap(),
                Vec::<String>::new(),
                "{path}, dark: {dark}"
            );
        }
        // A page without a server.
        reader.browser.evaluate("window.fetch = async () => { throw new Error() }").await.unwrap();
        reader.browser.until("#lost", "This page is not live", 10.0).await.unwrap();
        assert_eq!(reader.browser.inaccessible().await.unwrap(), Vec::<String>::new(), "lost, dark: {dark}");
    }
    let ground = "getComputedStyle(document.body).backgroundColor";
    let dark = reader.browser.evaluate(ground).await.unwrap();
    reader.open(Window::default()).await;
    assert_ne!(reader.browser.evaluate(ground).await.unwrap(), dark);
}

#[tokio::test]
async fn where_reads_are_closed_the_browser_asks_for_a_token() {
    let files = tempfile::tempdir().unwrap();
    let viewers = files.path().join("viewers");
    fs::write(&viewers, "viewer viewer-0123456789abcdef\n").unwrap();
    let mut reader = Reader::with(&[("HFI_VIEW_TOKEN_FILE", text(&viewers))]).await;
    let error = reader.browser.open(&reader.hfi.url, Window::default()).await.unwrap_err().to_string();
    assert!(error.contains("AUTH_CREDENTIALS"), "the browser would show its own form: {error}");
    let login = Some(("me", "viewer-0123456789abcdef"));
    reader.open(Window { login, ..Window::default() }).await;
    reader.shows("#live", "Live").await;
    reader.repository.remove("a.yaml").unwrap();
    reader.repository.push("Mend the checkout").await.unwrap();
    reader.shows("#recent", "Mend the checkout").await;
}
