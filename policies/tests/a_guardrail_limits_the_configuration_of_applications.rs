//! `istio` of a guardrail is read with every mistake in its place, and limits no policy.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    File,
    language::{AllowSpec, Dataplane, IstioLimits},
    reading::Finding,
};

fn read(istio: &str) -> File {
    File::read(format!("kind: Guardrail\nspec:\n  istio: {istio}\n").as_bytes())
}

fn limits(istio: &str) -> IstioLimits {
    let file = read(istio);
    assert!(file.findings.is_empty(), "{:?}", file.findings);
    let guardrails = file.guardrails().unwrap();
    guardrails.first().unwrap().istio.clone()
}

#[test]
fn each_limit_is_read() {
    let all = limits(
        "{kinds: [VirtualService, EnvoyFilter], namespaces: ['team-*'], hosts: ['*.example.com'], allowSpec: safe,
           allowNamespaceWide: true, allowDenyAll: true, maxRemovals: 3, dataplane: ambient,
           sidecarAlways: [tracing/*, boifi/hfi.boifi.svc.cluster.local, ops/*.example.com]}",
    );
    assert_eq!(all.kinds.as_deref(), Some(&["VirtualService", "EnvoyFilter"][..]));
    let texts = |globs: Option<Vec<policies::language::Glob>>| {
        globs.unwrap().into_iter().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(
        (texts(all.namespaces), texts(all.hosts)),
        (vec!["team-*".to_owned()], vec!["*.example.com".to_owned()])
    );
    assert_eq!((all.allow_spec, all.allow_namespace_wide), (Some(AllowSpec::Safe), Some(true)));
    assert_eq!((all.allow_deny_all, all.max_removals), (Some(true), Some(3)));
    assert_eq!(all.dataplane, Some(Dataplane::Ambient));
    let calls = ["tracing/*", "boifi/hfi.boifi.svc.cluster.local", "ops/*.example.com"];
    assert_eq!(all.sidecar_always.as_deref(), Some(&calls.map(str::to_owned)[..]));
    assert_eq!(limits("{}"), IstioLimits::default());
}

#[test]
fn a_mistake_is_told_in_its_place() {
    for (istio, finding) in [
        ("{kind: []}", "3:11 spec.istio.kind: is not a known field; did you mean `kinds`?"),
        ("{allowSpec: most}", "3:22 spec.istio.allowSpec: must be `all`, `safe` or `none`"),
        ("{dataplane: waypoint}", "3:22 spec.istio.dataplane: must be `sidecar` or `ambient`"),
        ("{namespaces: [Shop]}", "3:24 spec.istio.namespaces[0]: `Shop` is not a name or glob"),
        ("{maxRemovals: -1}", "3:24 spec.istio.maxRemovals: must be a whole number"),
        (
            "{sidecarAlways: [tracing]}",
            "3:27 spec.istio.sidecarAlways[0]: `tracing` is not a namespace and a host",
        ),
        ("{sidecarAlways: ['*/*']}", "3:27 spec.istio.sidecarAlways[0]: `*/*` is not a namespace and a host"),
        (
            "{kinds: [VirtualServices]}",
            "3:19 spec.istio.kinds[0]: must be `DestinationRule`, `VirtualService`",
        ),
    ] {
        let file = read(istio);
        let line = |found: &Finding| format!("{}:{} {found}", found.place.line, found.place.column);
        let found: Vec<_> = file.findings.iter().map(line).collect();
        assert!(found.len() == 1 && found[0].starts_with(finding), "{istio}: {found:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_no_guardrail_for_speaking_of_istio() {
    let broken = File::read(b"apiVersion: networking.istio.io/v1\nistio: [");
    assert!(!broken.findings.is_empty());
    assert!(broken.guardrails().is_some(), "policies are in force beside it");
}
