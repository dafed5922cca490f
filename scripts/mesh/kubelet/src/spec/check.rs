//! What probes and hooks ask, and how often.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, HTTPGetAction, LifecycleHandler, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::facts::Facts;
use super::refusal::Refusal;

/// One question to a container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Check {
    Http {
        url: String,
        headers: Vec<(String, String)>,
    },
    /// Host and port.
    Tcp(String, u16),
    /// Port and service.
    Grpc(String, u16, String),
    Exec(Vec<String>),
    /// Of hooks only.
    Sleep(Duration),
}

/// When a probe asks, and how many answers of a kind count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Timing {
    pub(crate) initial_delay: Duration,
    pub(crate) period: Duration,
    pub(crate) timeout: Duration,
    pub(crate) successes: u32,
    pub(crate) failures: u32,
    /// The time that a container has to end after this probe failed, if it is not the Pod's.
    pub(crate) grace: Option<Duration>,
}

/// The question and the timing of a probe.
pub(crate) fn probe(probe: &Probe, container: &Container, facts: &Facts) -> Result<(Check, Timing), Refusal> {
    let handler = LifecycleHandler {
        exec: probe.exec.clone(),
        http_get: probe.http_get.clone(),
        tcp_socket: probe.tcp_socket.clone(),
        sleep: None,
    };
    let check = match &probe.grpc {
        Some(of) => {
            let number = port(&IntOrString::Int(of.port), container)?;
            Check::Grpc(facts.pod_ip.to_string(), number, of.service.clone().unwrap_or_default())
        }
        None => hook(&handler, container, facts)?,
    };
    let seconds =
        |value: Option<i32>, usual: u32| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(usual);
    let at_least_one = |value, usual| seconds(value, usual).max(1);
    let time = |seconds: u32| Duration::from_secs(seconds.into());
    let timing = Timing {
        initial_delay: time(seconds(probe.initial_delay_seconds, 0)),
        period: time(at_least_one(probe.period_seconds, 10)),
        timeout: time(at_least_one(probe.timeout_seconds, 1)),
        successes: at_least_one(probe.success_threshold, 1),
        failures: at_least_one(probe.failure_threshold, 3),
        grace: probe
            .termination_grace_period_seconds
            .map(|value| Duration::from_secs(value.max(1).unsigned_abs())),
    };
    Ok((check, timing))
}

/// The question of a hook.
pub(crate) fn hook(of: &LifecycleHandler, container: &Container, facts: &Facts) -> Result<Check, Refusal> {
    if let Some(exec) = &of.exec {
        return Ok(Check::Exec(exec.command.clone().unwrap_or_default()));
    }
    if let Some(http) = &of.http_get {
        return of_http(http, container, facts);
    }
    if let Some(tcp) = &of.tcp_socket {
        let host = tcp.host.clone().unwrap_or_else(|| facts.pod_ip.to_string());
        return Ok(Check::Tcp(host, port(&tcp.port, container)?));
    }
    match &of.sleep {
        Some(sleep) => Ok(Check::Sleep(Duration::from_secs(sleep.seconds.max(0).unsigned_abs()))),
        None => Err(Refusal::of_spec("a probe or a hook that asks nothing")),
    }
}

fn of_http(http: &HTTPGetAction, container: &Container, facts: &Facts) -> Result<Check, Refusal> {
    let host = http.host.clone().filter(|host| !host.is_empty()).unwrap_or_else(|| facts.pod_ip.to_string());
    let scheme = http.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
    let path = http.path.as_deref().unwrap_or("/").trim_start_matches('/');
    let headers =
        http.http_headers.iter().flatten().map(|header| (header.name.clone(), header.value.clone()));
    let port = port(&http.port, container)?;
    Ok(Check::Http { url: format!("{scheme}://{host}:{port}/{path}"), headers: headers.collect() })
}

/// A port by its number, or by its name among the container's.
fn port(port: &IntOrString, container: &Container) -> Result<u16, Refusal> {
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let mut ports = container.ports.iter().flatten();
            let named = ports.find(|port| port.name.as_ref() == Some(name)).map(|port| port.container_port);
            named.or_else(|| name.parse().ok())
        }
    };
    let number = number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| Refusal::of_spec(format!("a probe or a hook asks the unknown port {port:?}")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, from_value, json};

    use super::{Check, Timing, probe};
    use crate::spec::facts::Facts;
    use crate::spec::refusal::Refusal;

    fn of(asked: Value) -> Result<(Check, Timing), Refusal> {
        let ports = json!([{"name": "http", "containerPort": 8080}]);
        let container = from_value(json!({"name": "c", "ports": ports})).unwrap();
        probe(&from_value(asked).unwrap(), &container, &Facts::for_tests())
    }

    #[test]
    fn a_probe_asks_the_pod_at_the_named_port() {
        let headers = json!([{"name": "Host", "value": "x"}]);
        let get = json!({"path": "/ready", "port": "http", "httpHeaders": headers});
        let url = "http://10.1.0.7:8080/ready".to_owned();
        let check = Check::Http { url, headers: vec![("Host".to_owned(), "x".to_owned())] };
        assert_eq!(of(json!({"httpGet": get})).unwrap().0, check);
        let tcp = of(json!({"tcpSocket": {"port": 9, "host": "1.2.3.4"}})).unwrap().0;
        assert_eq!(tcp, Check::Tcp("1.2.3.4".to_owned(), 9));
        of(json!({"httpGet": {"port": "none"}})).unwrap_err();
        of(json!({})).unwrap_err();
    }

    #[test]
    fn what_a_probe_does_not_say_is_as_kubernetes_has_it() {
        let seconds = Duration::from_secs;
        let usual = Timing {
            initial_delay: seconds(0),
            period: seconds(10),
            timeout: seconds(1),
            successes: 1,
            failures: 3,
            grace: None,
        };
        assert_eq!(of(json!({"exec": {"command": ["true"]}})).unwrap().1, usual);
        let said = json!({
            "exec": {}, "initialDelaySeconds": 1, "periodSeconds": 2, "timeoutSeconds": 3, "successThreshold": 4,
            "failureThreshold": 5, "terminationGracePeriodSeconds": 6,
        });
        let expected = Timing {
            initial_delay: seconds(1),
            period: seconds(2),
            timeout: seconds(3),
            successes: 4,
            failures: 5,
            grace: Some(seconds(6)),
        };
        assert_eq!(of(said).unwrap().1, expected);
    }
}
