//! Every fetch has its deadline, whatever the server does, and the next one starts from the beginning.

use std::{fs, path::Path, process::Stdio, time::Duration};

use harness::{GitHttp, Repository};
use reconciler::source::access::Access;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    support::remote::{SOON, access, following, noise, refusal, repository},
    support::{PATIENCE, Server, policy},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";
const DEADLINE: Duration = Duration::from_secs(1);
/// More than a list of refs, and less than the pack of a repository with [`noise`] in it.
const BEGINNING: u64 = 100_000;

/// The behaviour of a server with its clients.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    /// Passes everything on to a server that is well.
    Well,
    /// Takes the request, and says nothing.
    Hangs,
    /// Passes on the beginning of what a server that is well says, and then nothing.
    Stalls,
    /// Answers a byte at a time, as the protocol has it and without end.
    Drips,
}

/// A server in the given mood, and how many clients have come, and left, while it was not well.
struct Moody {
    url: String,
    mood: watch::Sender<Mood>,
    suffered: watch::Receiver<usize>,
    left: watch::Receiver<usize>,
}

async fn moody(backend: &str) -> Moody {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/policies.git", listener.local_addr().unwrap());
    let backend = backend.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let mood = watch::Sender::new(Mood::Well);
    let (suffering, suffered) = watch::channel(0);
    let (leaving, left) = watch::channel(0);
    let state = mood.subscribe();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let mood = *state.borrow();
            if mood != Mood::Well {
                suffering.send_modify(|count| *count += 1);
            }
            let (backend, leaving) = (backend.clone(), leaving.clone());
            tokio::spawn(async move {
                // However it ends, the client has left.
                let _ = serve(client, mood, backend).await;
                if mood != Mood::Well {
                    leaving.send_modify(|count| *count += 1);
                }
            });
        }
    });
    Moody { url, mood, suffered, left }
}

async fn serve(mut client: TcpStream, mood: Mood, backend: String) -> std::io::Result<()> {
    if mood == Mood::Well {
        let mut backend = TcpStream::connect(backend).await?;
        tokio::io::copy_bidirectional(&mut client, &mut backend).await?;
        return Ok(());
    }
    if mood == Mood::Stalls {
        let mut backend = TcpStream::connect(backend).await?;
        let (mut from, mut to) = client.split();
        let (answer, mut requests) = backend.split();
        let mut beginning = answer.take(BEGINNING);
        let answered = async {
            tokio::io::copy(&mut beginning, &mut to).await?;
            std::future::pending().await
        };
        return tokio::select! {
            end = tokio::io::copy(&mut from, &mut requests) => end.map(drop),
            end = answered => end,
        };
    }
    // The beginning of the request.
    client.read_u8().await?;
    if mood == Mood::Hangs {
        return client.read_to_end(&mut Vec::new()).await.map(drop);
    }
    client.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n").await?;
    client.write_all(b"content-type: application/x-git-upload-pack-advertisement\r\n\r\n").await?;
    client.write_all(b"22\r\n001e# service=git-upload-pack\n0000\r\n").await?;
    for byte in b"0800".iter().chain(std::iter::repeat(&b'a')) {
        client.write_all(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn world() -> (Repository, GitHttp, Moody) {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    let server = moody(&backend.url("")).await;
    (repository, backend, server)
}

fn impatient() -> Access {
    Access { timeout: DEADLINE, ..access() }
}

#[tokio::test]
async fn a_fetch_is_given_up_at_its_deadline() {
    let (_repository, _backend, server) = world().await;
    for mood in [Mood::Hangs, Mood::Drips] {
        server.mood.send_replace(mood);
        let begun = Instant::now();
        let error = refusal(&server.url, &impatient()).await;
        assert!(error.contains("did not end within 1s (--fetch-timeout)"), "{mood:?}: {error}");
        assert!((DEADLINE..DEADLINE * 4).contains(&begun.elapsed()), "{mood:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn what_is_served_goes_on_and_catches_up_when_the_server_is_well_again() {
    for mood in [Mood::Hangs, Mood::Drips] {
        let (repository, _backend, mut git) = world().await;
        let server = Server::start(following(&git.url, &impatient()), SOON).await;
        server.until_ready().await;
        let before = server.snapshot(CHECKOUT, &[]).await;

        git.mood.send_replace(mood);
        timeout(PATIENCE, git.suffered.wait_for(|count| *count > 0)).await.unwrap().unwrap();
        let begun = Instant::now();
        assert_eq!(server.snapshot(CHECKOUT, &[]).await, before);
        assert!(begun.elapsed() < DEADLINE / 2, "serving waited for Git");
        timeout(PATIENCE, git.suffered.wait_for(|count| *count > 1)).await.unwrap().unwrap();

        git.mood.send_replace(Mood::Well);
        repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
        repository.push("Change a").await.unwrap();
        server.next(CHECKOUT, &before.etag).await;
    }
}

#[tokio::test]
async fn a_policy_ends_while_a_fetch_hangs() {
    let (repository, _backend, mut git) = world().await;
    let patient = Access { timeout: Duration::from_secs(600), ..access() };
    let server = Server::start(following(&git.url, &patient), SOON).await;
    server.until_ready().await;
    let first = server.snapshot(CHECKOUT, &[]).await;
    // The commit is timed by the machine's clock; three seconds leave time to fetch it.
    let timed =
        policy("a", "checkout", 503).replace("percentage: 100", "percentage: 100, duration_seconds: 3");
    repository.write("a.yaml", &timed).unwrap();
    repository.push("Let a end").await.unwrap();
    let second = server.next(CHECKOUT, &first.etag).await;
    assert_eq!(server.names().await, ["a"]);
    git.mood.send_replace(Mood::Hangs);
    timeout(PATIENCE, git.suffered.wait_for(|count| *count > 0)).await.unwrap().unwrap();
    server.next(CHECKOUT, &second.etag).await;
    assert!(server.names().await.is_empty());
}

#[tokio::test]
async fn a_fetch_that_is_given_up_lets_go_of_the_server() {
    let (_repository, _backend, mut server) = world().await;
    for mood in [Mood::Hangs, Mood::Drips] {
        server.mood.send_replace(mood);
        let left = *server.left.borrow();
        refusal(&server.url, &impatient()).await;
        timeout(PATIENCE, server.left.wait_for(|count| *count > left)).await.unwrap().unwrap();
    }
}

/// The halves of packs below a folder.
fn halves(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let count = |entry: fs::DirEntry| match entry.path() {
        path if path.is_dir() => halves(&path),
        path => usize::from(path.to_string_lossy().contains("_git2_")),
    };
    entries.flatten().map(count).sum()
}

#[tokio::test]
async fn half_a_pack_is_not_kept() {
    let (repository, _backend, git) = world().await;
    fs::write(repository.work().join("noise"), noise(4 * BEGINNING, 1)).unwrap();
    repository.push("Add noise").await.unwrap();
    git.mood.send_replace(Mood::Stalls);
    let temporary = tempfile::tempdir().unwrap();
    let hfi = tokio::process::Command::new(env!("CARGO_BIN_EXE_hfi"))
        .args(["serve", "--listen", "127.0.0.1:0", "--interval", "1h", "--fetch-timeout", "2s"])
        .args(["--repo", &git.url])
        .env("TMPDIR", temporary.path())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let until = async |is_there: bool| {
        while (halves(temporary.path()) > 0) != is_there {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, until(true)).await.expect("no pack was begun");
    timeout(PATIENCE, until(false)).await.expect("half a pack is kept");
    drop(hfi);
}
