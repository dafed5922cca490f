use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::jiff::Timestamp;
use serde_json::{from_value, json};

use super::status;
use crate::container::state::{All, CREATING, Ended, INITIALIZING, Phase, State};
use crate::spec::facts::Facts;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pod(policy: &str) -> Pod {
    let init = json!([{"name": "init"}, {"name": "proxy", "restartPolicy": "Always"}]);
    let containers = json!([{"name": "app"}, {"name": "other"}]);
    let spec = json!({"restartPolicy": policy, "initContainers": init, "containers": containers});
    from_value(json!({"metadata": {"name": "p", "uid": "u"}, "spec": spec})).unwrap()
}

fn waiting(reason: &'static str) -> State {
    let phase = Phase::Waiting { reason, message: None };
    State { phase, last: None, restarts: 0, settled: false, started: false, ready: false }
}

fn running() -> State {
    State { phase: Phase::Running { since: at(1) }, started: true, ready: true, ..waiting("") }
}

fn ended(code: i32) -> State {
    State { phase: Phase::Ended(Ended { code, since: at(1), at: at(2), message: None }), ..waiting("") }
}

fn of(pod: &Pod, states: [State; 4], previous: Option<&PodStatus>, second: i64) -> PodStatus {
    let names = ["init", "proxy", "app", "other"].map(str::to_owned);
    let all: All = names.into_iter().zip(states).collect();
    status(pod, &all, Some(&Facts::for_tests()), previous, at(second))
}

fn condition(status: &PodStatus, kind: &str) -> (String, i64) {
    let conditions = status.conditions.as_ref().unwrap();
    let found = conditions.iter().find(|condition| condition.type_ == kind).unwrap();
    (found.status.clone(), found.last_transition_time.as_ref().unwrap().0.as_second())
}

#[test]
fn a_pod_is_pending_until_its_init_containers_have_done_their_work() {
    let pod = pod("Always");
    let later = || [waiting(INITIALIZING), waiting(INITIALIZING)];
    let [app, other] = later();
    let first = of(&pod, [running(), waiting(INITIALIZING), app, other], None, 10);
    assert_eq!(first.phase.as_deref(), Some("Pending"));
    assert_eq!(condition(&first, "Initialized"), ("False".to_owned(), 10));
    assert_eq!(first.pod_ip.as_deref(), Some("10.1.0.7"));
    let second = of(&pod, [ended(0), running(), waiting(CREATING), waiting(CREATING)], Some(&first), 20);
    assert_eq!(condition(&second, "Initialized"), ("True".to_owned(), 20));
    assert_eq!(condition(&second, "Ready"), ("False".to_owned(), 10));
    let third = of(&pod, [ended(0), running(), running(), running()], Some(&second), 30);
    assert_eq!(third.phase.as_deref(), Some("Running"));
    assert_eq!(condition(&third, "Ready"), ("True".to_owned(), 30));
    assert_eq!(third.start_time, first.start_time);
}

#[test]
fn a_pod_is_not_ready_while_one_of_its_containers_or_its_sidecar_is_not() {
    let pod = pod("Always");
    let unready = || State { ready: false, ..running() };
    let before = of(&pod, [ended(0), running(), running(), running()], None, 1);
    for states in [[ended(0), unready(), running(), running()], [ended(0), running(), running(), unready()]] {
        let status = of(&pod, states, Some(&before), 5);
        assert_eq!(status.phase.as_deref(), Some("Running"));
        assert_eq!(condition(&status, "Initialized"), ("True".to_owned(), 1));
        assert_eq!(condition(&status, "ContainersReady"), ("False".to_owned(), 5));
        assert_eq!(condition(&status, "Ready"), ("False".to_owned(), 5));
    }
}

#[test]
fn the_phase_at_the_end_goes_by_the_exit_codes_and_the_restart_policy() {
    for (policy, codes, expected) in [
        ("Never", [0, 0], "Succeeded"),
        ("Never", [0, 1], "Failed"),
        ("OnFailure", [0, 0], "Succeeded"),
        ("OnFailure", [0, 1], "Running"),
        ("Always", [0, 0], "Running"),
    ] {
        let [app, other] = codes.map(ended);
        let status = of(&pod(policy), [ended(0), running(), app, other], None, 1);
        assert_eq!(status.phase.as_deref(), Some(expected), "{policy} {codes:?}");
    }
    let failed = of(
        &pod("Never"),
        [ended(1), waiting(INITIALIZING), waiting(INITIALIZING), waiting(INITIALIZING)],
        None,
        1,
    );
    assert_eq!(failed.phase.as_deref(), Some("Failed"));
}

#[test]
fn a_container_in_back_off_says_why_it_ended() {
    let last = Some(Ended { code: 137, since: at(1), at: at(2), message: Some("out".to_owned()) });
    let crashed = State { last, restarts: 3, ..waiting("CrashLoopBackOff") };
    let status = of(&pod("Always"), [ended(0), running(), crashed, running()], None, 1);
    assert_eq!(status.phase.as_deref(), Some("Running"));
    let app = &status.container_statuses.unwrap()[0];
    assert_eq!(app.restart_count, 3);
    assert_eq!(
        app.state.as_ref().unwrap().waiting.as_ref().unwrap().reason.as_deref(),
        Some("CrashLoopBackOff")
    );
    let last = app.last_state.as_ref().unwrap().terminated.as_ref().unwrap();
    assert_eq!((last.exit_code, last.message.as_deref()), (137, Some("out")));
}

#[test]
fn a_readiness_gate_keeps_a_pod_from_being_ready() {
    let mut pod = pod("Always");
    pod.spec.as_mut().unwrap().readiness_gates =
        from_value(json!([{"conditionType": "example.com/open"}])).unwrap();
    let all = || [ended(0), running(), running(), running()];
    let closed = of(&pod, all(), None, 1);
    assert_eq!(condition(&closed, "ContainersReady").0, "True");
    assert_eq!(condition(&closed, "Ready").0, "False");
    pod.status = from_value(json!({"conditions": [{"type": "example.com/open", "status": "True"}]})).unwrap();
    assert_eq!(condition(&of(&pod, all(), None, 1), "Ready").0, "True");
}
