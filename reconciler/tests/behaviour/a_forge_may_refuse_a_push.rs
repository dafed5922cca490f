//! A server that does not take a push is heard: what it says is told, and what is only late is tried again.

use harness::{GitHttp, Repository};
use reconciler::source::{
    access::LoginOptions,
    ancestry::CommitId,
    writing::{BranchName, PushOutcome, Writer},
};

use crate::support::{
    front::{Front, text as plain},
    remote::access,
    writer::{PUSHED, bare_git, change, commit_of, hook, over_http, settings, writer},
};

/// A repository behind a server that takes pushes, and a commit for it.
struct Forge {
    repository: Repository,
    server: GitHttp,
    writer: Writer,
    head: CommitId,
    commit: CommitId,
}

async fn forge() -> Forge {
    let (repository, server) = over_http().await;
    let mut writer = writer(settings(&server.url("policies.git"), &access()));
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "ours")).unwrap();
    Forge { repository, server, writer, head, commit }
}

impl Forge {
    fn push(&mut self) -> PushOutcome {
        self.writer.push(self.head, self.commit)
    }

    async fn is_unchanged(&self) {
        assert_eq!(commit_of(&self.repository, "main").await, self.head.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_over_http_is_taken() {
    let mut forge = forge().await;
    assert_eq!(forge.push(), PUSHED);
    assert_eq!(commit_of(&forge.repository, "main").await, forge.commit.to_string());
    assert_eq!(forge.push(), PUSHED, "it is there already");
    bare_git(&forge.repository, &["fsck", "--strict", "--no-dangling"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_hook_are_told_printable_and_bounded() {
    let mut forge = forge().await;
    hook(
        &forge.repository,
        "pre-receive",
        "printf 'main is protected\\033[31m\\nask the owners\\n' >&2\nexit 1",
    );
    let refused = PushOutcome::Refused {
        words: "main is protected\\u001b[31m\nask the owners\npre-receive hook declined".to_owned(),
    };
    assert_eq!(forge.push(), refused);
    forge.is_unchanged().await;
    hook(&forge.repository, "pre-receive", "head -c 100000 /dev/zero | tr '\\0' x >&2\nexit 1");
    let PushOutcome::Refused { words } = forge.push() else { panic!("it is refused") };
    assert!(words.len() <= 1024 && words.starts_with("xxxx") && words.ends_with("hook declined"), "{words}");
    forge.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_push_is_told_by_the_forge() {
    let mut forge = forge().await;
    bare_git(&forge.repository, &["config", "http.receivepack", "false"]).await;
    assert!(matches!(forge.push(), PushOutcome::Refused { words } if words == "403 Forbidden"));
    bare_git(&forge.repository, &["config", "http.receivepack", "true"]).await;
    let kind = "content-type: text/plain; charset=utf-8\r\n";
    for is_late in [false, true] {
        let front = Front::start(&forge.server, move |seen, answer| {
            let is_it = seen.target.contains("receive-pack") && (seen.method == "POST") == is_late;
            if is_it { plain("403 Forbidden", kind, "bot may not push\x1b[2J\n") } else { answer.usual() }
        })
        .await;
        let mut writer = writer(settings(&front.repository(), &access()));
        let head = writer.head().unwrap();
        let commit = writer.commit(head, &change("a.yaml", "ours")).unwrap();
        let outcome = writer.push(head, commit);
        let PushOutcome::Refused { words } = outcome else { panic!("{outcome:?}") };
        assert!(words.starts_with("bot may not push") && !words.contains('\u{1b}'), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_password_is_a_matter_of_ours() {
    let forge = forge().await;
    let front = Front::start(&forge.server, |seen, answer| match seen.target.contains("receive-pack") {
        true => plain("401 Unauthorized", "www-authenticate: Basic realm=x\r\n", "no"),
        false => answer.usual(),
    })
    .await;
    let mut to_push = access();
    to_push.login.options = LoginOptions::OfPush;
    let mut writer = writer(settings(&front.repository(), &to_push));
    let commit = writer.commit(forge.head, &change("a.yaml", "ours")).unwrap();
    let outcome = writer.push(forge.head, commit);
    let PushOutcome::Unreachable { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("cannot push to http://"), "{reason}");
    assert!(reason.contains("asks for a password or token; give one with --push-password-file"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_that_is_lost_at_the_server_is_no_refusal() {
    let mut forge = forge().await;
    forge.repository.write("b.yaml", "theirs").unwrap();
    forge.repository.git(&["add", "--all"]).await.unwrap();
    forge.repository.git(&["commit", "--quiet", "-m", "Theirs"]).await.unwrap();
    forge.repository.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).await.unwrap();
    let theirs = commit_of(&forge.repository, "theirs").await;
    // Theirs is faster by the time between the list of refs and the update.
    hook(&forge.repository, "update", &format!("git update-ref refs/heads/main {theirs}"));
    assert_eq!(forge.push(), PushOutcome::LostRace { head: CommitId::from_hex(&theirs) });
    assert_eq!(commit_of(&forge.repository, "main").await, theirs);
    assert_eq!(
        forge.push(),
        PushOutcome::LostRace { head: CommitId::from_hex(&theirs) },
        "seen before the pack"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ref_that_the_server_cannot_update_is_no_race_and_its_words_are_told() {
    let mut forge = forge().await;
    // As a server leaves it that is killed while it updates the branch.
    std::fs::write(forge.repository.bare().join("refs/heads/main.lock"), "").unwrap();
    let outcome = forge.push();
    let PushOutcome::NotUpdated { words } = &outcome else { panic!("{outcome:?}") };
    assert!(words.contains("main.lock': File exists"), "{words}");
    forge.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_store_the_pack_has_stored_nothing() {
    let mut forge = forge().await;
    bare_git(&forge.repository, &["config", "receive.maxInputSize", "10"]).await;
    let outcome = forge.push();
    let PushOutcome::Unreachable { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("the server cannot store it"), "{reason}");
    forge.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_checked_out_there_is_refused_by_git() {
    let forge = forge().await;
    forge.repository.git(&["config", "http.receivepack", "true"]).await.unwrap();
    let mut writer = writer(settings(&forge.server.url("work/.git"), &access()));
    let commit = writer.commit(forge.head, &change("a.yaml", "ours")).unwrap();
    let outcome = writer.push(forge.head, commit);
    let PushOutcome::Refused { words } = &outcome else { panic!("{outcome:?}") };
    assert!(words.contains("checked out"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_that_a_forge_gives_to_a_new_branch_is_told_if_it_leads_to_the_forge() {
    let mut forge = forge().await;
    hook(
        &forge.repository,
        "post-receive",
        "echo 'To open a request: https://evil.example/ https://127.0.0.1/new?b=x' >&2",
    );
    let name = BranchName::new("hfi/alice/a-1", &"main".parse().unwrap()).unwrap();
    let link = Some("https://127.0.0.1/new?b=x".to_owned());
    assert_eq!(forge.writer.push_new_branch(&name, forge.head, forge.commit), PushOutcome::Pushed { link });
    assert_eq!(commit_of(&forge.repository, "hfi/alice/a-1").await, forge.commit.to_string());
    forge.is_unchanged().await;
    let other = forge.writer.commit(forge.head, &change("b.yaml", "b")).unwrap();
    let lost = PushOutcome::LostRace { head: Some(forge.commit) };
    assert_eq!(forge.writer.push_new_branch(&name, forge.head, other), lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_beside_a_branch_is_refused_and_no_race() {
    let mut forge = forge().await;
    let [name, below] =
        ["hfi/a", "hfi/a/b"].map(|name| BranchName::new(name, &"main".parse().unwrap()).unwrap());
    assert_eq!(forge.writer.push_new_branch(&name, forge.head, forge.commit), PUSHED);
    let other = forge.writer.commit(forge.head, &change("b.yaml", "b")).unwrap();
    let outcome = forge.writer.push_new_branch(&below, forge.head, other);
    assert!(matches!(outcome, PushOutcome::Refused { .. }), "{outcome:?}");
}
