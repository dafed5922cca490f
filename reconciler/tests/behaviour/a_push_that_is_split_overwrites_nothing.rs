//! Changes that share a push which is refused are pushed one by one, and none overwrites what somebody else has changed
//! meanwhile.

use std::{fs, time::Duration};

use tokio::time::timeout;

use crate::support::{
    PATIENCE, client,
    held_pushes::{World, until},
    policy,
    writer::hook,
    writing::{git, send, waiting},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_was_changed_between_both_pushes_stays() {
    let world = World::new().await;
    let [hold, begun, split] = ["hold", "begun", "split"].map(|name| world.repository.folder().join(name));
    let script = format!(
        "read old new ref\ntouch {begun}\nif [ \"$(git rev-list --count $old..$new)\" -gt 1 ]; then touch {split}; fi\n\
         while [ -e {hold} ]; do sleep 0.02; done\nif [ \"$(git rev-list --count $old..$new)\" -gt 1 ]; then \
         while [ -e {split} ]; do sleep 0.02; done; exit 1; fi",
        begun = begun.display(),
        split = split.display(),
        hold = hold.display()
    );
    hook(&world.repository, "pre-receive", &script);
    let (client, url) = (client(), world.hfi.url.as_str());
    let apply = async |name: &str, status| {
        send(&client, url, waiting(60, &policy(name, "web", status))).await.unwrap()
    };
    let others = async {
        until(|| begun.exists()).await;
        // They wait for the first push, and share the second one.
        tokio::join!(apply("one", 500), apply("two", 500), async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            fs::remove_file(&hold).unwrap();
            timeout(PATIENCE, until(|| split.exists())).await.expect("they share no push");
            world.repository.git(&["pull", "--quiet", "origin", "main"]).await.unwrap();
            world.repository.write("two.yaml", &policy("two", "web", 418)).unwrap();
            world.repository.push("By hand").await.unwrap();
            fs::remove_file(&split).unwrap();
        })
    };
    let (first, (one, two, ())) = tokio::join!(apply("first", 500), others);
    first.is(201, &["first created"]);
    one.is(201, &["one created"]);
    two.is_refused(409, "the policy `two` was changed meanwhile");
    assert!(git(&world.repository, &["show", "main:two.yaml"]).contains("418"));
}
