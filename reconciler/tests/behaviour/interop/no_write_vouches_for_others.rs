//! With `--verify` no write makes a commit valid by standing on it that nobody who may sign has signed.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::support::{
    policy,
    signed_team::team,
    writing::{Replica, git, waiting},
};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_on_top_of_what_a_pusher_without_a_key_pushed() {
    let team = team().await;
    let (replica, proposing) = (team.replica(None).await, team.replica(Some("hfi/{id}")).await);
    replica.apply("", &policy("b", "web", 500)).await.is(201, &["b created"]);
    let unsigned = team.push_unsigned().await;
    for refusing in [&replica, &proposing] {
        refusing.apply("", &policy("c", "web", 500)).await.is_refused(409, &unsigned);
        refusing.delete("b").await.is_refused(409, &unsigned);
    }
    assert_eq!(git(&team.repository, &["rev-parse", "main"]).trim(), unsigned);
    assert_eq!(git(&team.repository, &["for-each-ref", "refs/heads/hfi"]), "");
    team.vouch().await;
    replica.apply("", &policy("c", "web", 500)).await.is(201, &["c created"]);
    assert_eq!(team.stands_on_signed_ones(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_a_race_with_one() {
    let team = team().await;
    let replica: &'static Replica = Box::leak(Box::new(team.replica(None).await));
    let until = Instant::now() + Duration::from_secs(3);
    let mut writers = JoinSet::new();
    for writer in 0..3 {
        writers.spawn(async move {
            let (mut written, mut status) = (0, 500);
            while Instant::now() < until {
                status += 1;
                let answer =
                    replica.send(waiting(5, &policy(&format!("w-{writer}"), "web", 500 + status % 90))).await;
                assert!(matches!(answer.status, 200 | 201 | 409 | 503), "{answer:?}");
                written += usize::from(answer.status < 300);
            }
            written
        });
    }
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let unsigned = team.push_unsigned().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        // Taken back, unless somebody has stood on it.
        git(&team.repository, &["update-ref", "refs/heads/main", &format!("{unsigned}~1"), &unsigned]);
    }
    let written: usize = writers.join_all().await.into_iter().sum();
    assert!(written > 0);
    assert!(team.stands_on_signed_ones() >= 1);
}
