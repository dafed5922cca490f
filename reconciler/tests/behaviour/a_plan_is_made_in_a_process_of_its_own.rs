//! The Istio configuration of applications is planned in a process of its own, whose end changes nothing that is in force.

use std::time::Duration;

use harness::Repository;

use crate::support::{
    PATIENCE,
    children::{ended, signal},
    plans::{Plans, application},
};

/// Lines of a shell that stop the first process. Later ones go on.
const STOP_THE_FIRST: &str = "[ $(wc -l < \"${0%hfi}pids\") -gt 1 ] || kill -STOP $$";

/// Lines of a shell that end the first process before it plans.
const FAIL_ONCE: &str = "[ $(wc -l < \"${0%hfi}pids\") -gt 1 ] || exit 3";

/// Lines of a shell that end the first process when it gets its second order.
const END_AT_ITS_SECOND_PLAN: &str = concat!(
    "if [ $(wc -l < \"${0%hfi}pids\") -eq 1 ]; then\n",
    "{ for line in memory order end; do read -r line; printf '%s\\n' \"$line\"; done; read -r second; } | ",
    env!("CARGO_BIN_EXE_hfi"),
    " \"$@\"; exit 3; fi"
);

async fn repository() -> Repository {
    let repository = Repository::new().await.unwrap();
    add(&repository, "a").await;
    repository
}

/// Pushes one more application.
async fn add(repository: &Repository, name: &str) {
    repository.write(&format!("{name}.yaml"), &application(name)).unwrap();
    repository.push("Add one").await.unwrap();
}

#[tokio::test]
async fn one_process_plans_a_burst_of_commits_and_ends_when_there_is_nothing_to_do() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", "", |_| ());
    for (number, name) in ["b", "c"].into_iter().enumerate() {
        assert_eq!(plans.shop(&repository).await.unwrap().next.unwrap().objects, number + 1);
        plans.planner.rest_if_idle();
        add(&repository, name).await;
    }
    assert_eq!(plans.started().len(), 1);

    let mut plans = Plans::of(&repository, "", "", |terms| terms.idle = Duration::ZERO);
    let first = plans.shop(&repository).await.unwrap();
    plans.planner.rest_if_idle();
    ended(&plans.started()[0], PATIENCE).await;
    plans.planner.forget();
    assert_eq!(plans.shop(&repository).await.unwrap(), first);
    assert_eq!(plans.started().len(), 2);
}

#[tokio::test]
async fn a_process_that_is_killed_is_told_of_and_the_next_one_plans() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", STOP_THE_FIRST, |terms| terms.again = 0);
    let started = plans.first();
    let killed = async {
        let first = started.await;
        signal(&first, "KILL");
        first
    };
    let (plan, first) = tokio::join!(plans.shop(&repository), killed);
    let reason = plan.unwrap_err().to_string();
    let told = "the process that plans: it died (signal: 9 (SIGKILL)); it may use ";
    assert!(reason.starts_with(told), "{reason}");
    ended(&first, PATIENCE).await;
    assert_eq!(plans.shop(&repository).await.unwrap().next.unwrap().objects, 1);
}

#[tokio::test]
async fn a_process_that_hangs_is_killed_at_its_deadline() {
    let repository = repository().await;
    let mut plans =
        Plans::of(&repository, "", "kill -STOP $$", |terms| terms.deadline = Duration::from_secs(2));
    let reason = plans.shop(&repository).await.unwrap_err().to_string();
    let told = "the process that plans: it did not end within 2s, and was killed (signal: 9 (SIGKILL))";
    assert_eq!(reason, told);
    ended(&plans.started()[0], Duration::ZERO).await;
}

#[tokio::test]
async fn a_plan_that_is_given_up_ends_its_process() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", "kill -STOP $$", |_| ());
    let started = plans.first();
    tokio::select! {
        _ = plans.shop(&repository) => panic!("it was stopped"),
        _ = started => {}
    }
    ended(&plans.started()[0], PATIENCE).await;
}

#[tokio::test]
async fn another_process_plans_at_once_what_one_died_of_that_had_planned_before() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", END_AT_ITS_SECOND_PLAN, |_| ());
    plans.shop(&repository).await.unwrap();
    add(&repository, "b").await;
    assert_eq!(plans.shop(&repository).await.unwrap().next.unwrap().objects, 2);
    assert_eq!(plans.started().len(), 2);
}

#[tokio::test]
async fn a_process_ends_after_a_number_of_plans() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", "", |terms| terms.plans = 2);
    for number in 1..=3 {
        plans.planner.forget();
        plans.shop(&repository).await.unwrap();
        assert_eq!(plans.started().len(), usize::from(number > 2) + 1);
    }
    ended(&plans.started()[0], PATIENCE).await;
}

#[tokio::test]
async fn a_process_that_ends_by_itself_or_answers_no_plan_says_nothing_of_memory() {
    let repository = repository().await;
    for (first, answer, told) in [
        ("exit 3", 1 << 20, "it died (exit status: 3)"),
        ("echo Hello", 1 << 20, "its answer cannot be read: expected value at line 1 column 1"),
        ("", 100, "its answer has more than 0 MiB; change fewer namespaces with one push"),
    ] {
        let mut plans = Plans::of(&repository, "", first, |terms| terms.answer = answer);
        let reason = plans.shop(&repository).await.unwrap_err().to_string();
        assert_eq!(reason, format!("the process that plans: {told}"));
    }
}

#[tokio::test]
async fn a_process_over_its_limit_of_memory_tells_the_limit_and_the_way_to_more() {
    let repository = repository().await;
    let many: String = (0..9_000).map(|number| format!("- [{number}, {{a: b}}]\n")).collect();
    repository.write("many.yaml", &format!("apiVersion: v1\nkind: Many\nspec:\n{many}")).unwrap();
    repository.push("Add much").await.unwrap();
    let mut plans = Plans::of(&repository, "", "", |terms| terms.memory = 1 << 20);
    let reason = plans.shop(&repository).await.unwrap_err().to_string();
    let told = "it may use 1 MiB of memory, and more if the memory limit of the container is larger";
    assert!(reason.contains("it died (signal: 6 (SIGABRT)") && reason.ends_with(told), "{reason}");
}

#[tokio::test]
async fn a_plan_for_which_something_could_not_be_read_is_made_again_after_a_while() {
    let repository = repository().await;
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]).await.unwrap();
    repository.write("a.yaml", &format!("{}  wrong: 1\n", application("a"))).unwrap();
    repository.push("Break it").await.unwrap();
    let (folder, file) = tree.trim().split_at(2);
    let object = repository.bare().join("objects").join(folder).join(file);
    let away = object.with_extension("away");
    std::fs::rename(&object, &away).unwrap();
    let mut soon = Plans::of(&repository, "", "", |terms| terms.again = 0);
    let mut late = Plans::of(&repository, "", "", |terms| terms.again = 1_000_000);
    let failed = soon.shop(&repository).await.unwrap();
    assert!(
        failed.failure.is_some() && failed.next.is_none() && failed.frozen["a"].contains("wrong"),
        "{failed:?}"
    );
    assert_eq!(late.shop(&repository).await.unwrap(), failed);
    std::fs::rename(&away, &object).unwrap();
    assert_eq!(late.shop(&repository).await.unwrap(), failed);
    let plan = soon.shop(&repository).await.unwrap();
    assert!(plan.failure.is_none() && plan.next.unwrap().objects == 1);
}

#[tokio::test]
async fn a_plan_that_fails_is_made_again_after_a_while_and_another_commit_is_planned_at_once() {
    let repository = repository().await;
    let mut soon = Plans::of(&repository, "", FAIL_ONCE, |terms| terms.again = 0);
    let mut late = Plans::of(&repository, "", FAIL_ONCE, |terms| terms.again = 1_000_000);
    let failed = soon.shop(&repository).await.unwrap_err().to_string();
    assert_eq!(failed, "the process that plans: it died (exit status: 3)");
    assert_eq!(soon.shop(&repository).await.unwrap().next.unwrap().objects, 1);
    for _ in 0..3 {
        assert_eq!(late.shop(&repository).await.unwrap_err().to_string(), failed);
    }
    assert_eq!(late.started().len(), 1);
    add(&repository, "b").await;
    assert_eq!(late.shop(&repository).await.unwrap().next.unwrap().objects, 2);
}

#[tokio::test]
async fn a_plan_that_failed_is_made_again_within_five_minutes_however_long_it_took() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", FAIL_ONCE, |terms| terms.again = u32::MAX);
    for minutes in [0, 4] {
        pass(Duration::from_secs(60 * minutes)).await;
        plans.shop(&repository).await.unwrap_err();
    }
    assert_eq!(plans.started().len(), 1);
    pass(Duration::from_secs(60)).await;
    assert_eq!(plans.shop(&repository).await.unwrap().next.unwrap().objects, 1);
}

/// Lets time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn archives_that_are_in_force_come_and_go_as_they_are_however_many() {
    let repository = repository().await;
    let mut plans = Plans::of(&repository, "", "", |_| ());
    let in_force = plans.shop(&repository).await.unwrap().next.unwrap();
    add(&repository, "b").await;
    // More than a pipe holds, in both directions.
    let known = (0..2_000).map(|number| (format!("team-{number}"), Ok(in_force.clone())));
    let known = known.chain([("shop".to_owned(), Ok(in_force.clone()))]).collect();
    let all = plans.all(&repository, &known).await.unwrap();
    let [shop, team] = ["shop", "team-7"].map(|namespace| &all[namespace]);
    assert_eq!(shop.next.as_ref().unwrap().objects, 2);
    assert!(team.next.is_none() && team.frozen.contains_key("a"), "{team:?}");
    plans.planner.forget();
    assert_eq!(plans.all(&repository, &known).await.unwrap(), all);
}
