//! Bad input names its line, column and field, and says what would be right; all of it at once.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{File, reading::read_yaml};

/// The problems of a file, a line each.
fn problems(yaml: &str) -> Vec<String> {
    let at = |finding: &policies::reading::Finding| {
        format!("{}:{} {finding}", finding.place.line, finding.place.column)
    };
    File::read(yaml.as_bytes()).findings.iter().map(at).collect()
}

/// A valid policy, but for what stands in its rules.
fn with_rules(rules: &str) -> String {
    format!("metadata: {{name: a}}\nspec:\n  rules:\n{rules}")
}

#[test]
fn a_mistyped_field_is_named_with_the_field_that_was_meant() {
    assert_eq!(
        problems(&with_rules("    - fault:\n        percentge: 5\n        abort: {httpStatus: 503}")),
        [
            "5:9 spec.rules[0].fault.percentage: is required",
            "5:9 spec.rules[0].fault.percentge: is not a known field; did you mean `percentage`?",
        ]
    );
    assert_eq!(
        problems(
            "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, abort: {httpStatus: 503, colour: red}}}]}"
        ),
        [
            "2:65 spec.rules[0].fault.abort.colour: is not a known field; known here: httpStatus, grpcStatus, body, message, headers"
        ]
    );
}

#[test]
fn all_problems_of_all_documents_are_reported() {
    let yaml = "metadata: {name: A}\nspec: {rules: []}\n---\nmetadata: {name: b, nmae: c}\nspec: {rules: [{}]}\n---\nx: [\n---\nspec: 1\n";
    let problems = problems(yaml);
    let (yaml_error, others): (Vec<_>, Vec<_>) =
        problems.iter().partition(|line| line.contains("not valid YAML"));
    assert_eq!(yaml_error.len(), 1, "{problems:#?}");
    assert!(yaml_error[0].starts_with("7:") || yaml_error[0].starts_with("8:"), "{problems:#?}");
    assert_eq!(
        others,
        [
            "1:18 metadata.name: `A` is not an RFC 1123 label: 1 to 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit",
            "2:15 spec.rules: must hold at least one rule",
            "4:21 metadata.nmae: is not a known field; did you mean `name`?",
            "5:16 spec.rules[0].fault: is required",
            "9:1 metadata: is required",
            "9:7 spec: must be a map, not a number",
        ]
    );
}

#[test]
fn what_cannot_be_a_service_of_the_mesh_points_to_host() {
    let about = |spec: &str| {
        let rules = "rules: [{fault: {percentage: 5, delay_ms: 1}}]";
        let found = problems(&format!("metadata: {{name: a}}\nspec: {{{spec}, {rules}}}"));
        assert_eq!(found.len(), 1, "{spec}: {found:#?}");
        found[0].split_once(' ').unwrap().1.to_owned()
    };
    let no_service = "cannot be the name of a service in the mesh, which has no dots; write";
    for (service, instead) in [
        ("api.partner.example", "`host: api.partner.example`"),
        ("'*.partner.example'", "`host: *.partner.example`"),
        ("'https://api.partner.example:443/v1'", "`host: api.partner.example`"),
        ("10.0.0.1", "`host: 10.0.0.1`"),
        ("pay.shop", "`service: pay` and `namespace: shop`, or, outside the mesh, `host: pay.shop`"),
        (
            "pay.shop.svc.cluster.local",
            "`service: pay` and `namespace: shop`, or, outside the mesh, `host: pay.shop.svc.cluster.local`",
        ),
    ] {
        let found = about(&format!("direction: outbound, destination: {{service: {service}}}"));
        let name = service.trim_matches('\'');
        assert_eq!(found, format!("spec.destination.service: `{name}` {no_service} {instead}"));
    }
    let found = about("direction: outbound, destination: {service: pay-}");
    assert!(
        found.starts_with("spec.destination.service: `pay-` cannot be the name of a service: 1 to 63"),
        "{found}"
    );
    for (service, instead) in [
        ("checkout.shop.svc.cluster.local", "`namespace: shop`"),
        ("api.partner.example", "`host: api.partner.example`"),
    ] {
        let found = about(&format!("selector: {{service: {service}}}"));
        assert!(found.contains(no_service) && found.contains(instead), "{found}");
    }
}

#[test]
fn a_host_has_neither_service_nor_namespace_nor_port() {
    let about = |spec: &str| {
        let rules = "rules: [{fault: {percentage: 5, delay_ms: 1}}]";
        problems(&format!("metadata: {{name: a}}\nspec: {{{spec}, {rules}}}"))
    };
    for (spec, problem) in [
        (
            "direction: outbound, destination: {host: a.example, service: b}",
            "2:42 spec.destination: has `service` and `host`; keep one",
        ),
        (
            "direction: outbound, destination: {host: a.example, namespace: b}",
            "2:71 spec.destination.namespace: is for `service`: a host outside the mesh is in no namespace",
        ),
        (
            "direction: outbound, destination: {host: 'a.example:443'}",
            "2:49 spec.destination.host: `a.example:443` is not a host name or glob: letters, digits, `-`, `.`, and `*` for any run of characters, without scheme, port and path",
        ),
        (
            "selector: {host: a.example}, direction: outbound",
            "2:18 spec.selector: has a `host`, and its waypoint only receives requests; for those that are sent to a host write `destination: {host: …}`",
        ),
        ("selector: {host: a.example, service: b}", "2:18 spec.selector: has `service` and `host`; keep one"),
    ] {
        assert_eq!(about(spec), [problem], "{spec}");
    }
}

#[test]
fn values_out_of_range_say_the_range() {
    let fault = |fault: &str| {
        let problems = problems(&with_rules(&format!("    - fault: {{{fault}}}")));
        assert_eq!(problems.len(), 1, "{problems:#?}");
        problems[0].split_once(": ").unwrap().1.to_owned()
    };
    let percentage = "must be a number from 0 to 100 with at most four decimals";
    assert_eq!(fault("percentage: 100.5, delay_ms: 1"), percentage);
    assert_eq!(fault("percentage: -1, delay_ms: 1"), percentage);
    assert_eq!(fault("percentage: 0.00001, delay_ms: 1"), percentage);
    assert_eq!(fault("percentage: '5', delay_ms: 1"), "must be a number, not a string");
    assert_eq!(fault("percentage: 5"), "must hold a `delay`, an `abort`, or both");
    assert_eq!(fault("percentage: 5, abort: {httpStatus: 600}"), "must be an HTTP status from 200 to 599");
    assert_eq!(
        fault("percentage: 5, abort: {httpStatus: 204, body: x}"),
        "must be empty: a reply with status 204 has no body"
    );
    assert_eq!(
        fault("percentage: 5, delay: {fixed_delay_ms: 30001}"),
        "must be a whole number of milliseconds from 1 to 30000"
    );
    assert_eq!(
        fault("percentage: 5, start_delay_ms: 20000, delay_ms: 20000"),
        "holds a request for 40000 ms; `start_delay_ms` and the delay together may be 30000 at most"
    );
    assert_eq!(
        fault("percentage: 5, delay_ms: 1, duration_seconds: -3"),
        "must be a whole number of seconds from 0 to 4294967295"
    );
    assert_eq!(
        fault("percentage: 5, delay_ms: 1, delay: {fixed_delay_ms: 2}"),
        "has `delay` and `delay_ms`; keep one"
    );
}

#[test]
fn matchers_hold_exactly_one_condition() {
    let matches = |matches: &str| {
        problems(&with_rules(&format!(
            "    - match: {{{matches}}}\n      fault: {{percentage: 5, delay_ms: 1}}"
        )))
    };
    assert_eq!(
        matches(""),
        [
            "4:14 spec.rules[0].match: must hold at least one condition; leave `match` out to match every request"
        ]
    );
    assert_eq!(
        matches("path: {}"),
        ["4:21 spec.rules[0].match.path: must hold exactly one of `exact`, `prefix`, `regex` and `not`"]
    );
    assert_eq!(
        matches("path: {exact: a, prefix: b}"),
        ["4:21 spec.rules[0].match.path: must hold exactly one of `exact`, `prefix`, `regex` and `not`"]
    );
    assert_eq!(
        matches("path: {regex: 'a('}"),
        ["4:29 spec.rules[0].match.path.regex: is not a regex: unclosed group at character 2"]
    );
    assert_eq!(
        matches("path: {exact: 1}"),
        ["4:29 spec.rules[0].match.path.exact: must be a string, not a number; put it in quotes"]
    );
    assert_eq!(matches("headers: [{exact: a}]"), ["4:25 spec.rules[0].match.headers[0].name: is required"]);
    assert_eq!(
        matches("path: {exact: a}, path_prefix: b"),
        ["4:14 spec.rules[0].match: has `path` and `path_prefix`; keep one"]
    );
}

#[test]
fn a_condition_that_was_left_empty_does_not_become_every_request() {
    for empty in
        ["match:", "match: {path: }", "match: {path: {exact: /a}, headers: }", "match: {path: {exact: }}"]
    {
        let yaml = with_rules(&format!("    - {empty}\n      fault: {{percentage: 5, delay_ms: 1}}"));
        assert!(
            problems(&yaml).iter().any(|line| line.contains("not nothing")),
            "{empty}: {:#?}",
            problems(&yaml)
        );
    }
}

#[test]
fn many_problems_and_long_files_take_neither_memory_nor_time() {
    let begun = std::time::Instant::now();
    let twice = "metadata: {name: a}\n---\n".repeat(40_000);
    assert!(problems(&twice).len() <= 101);
    for long in [
        "# x\n".repeat(250_000),
        "\n".repeat(1_000_000),
        with_rules(&"    - fault: {percentage: 5, delay_ms: 1}\n".repeat(20_000)),
    ] {
        assert!(problems(&long).len() <= 1);
    }
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

#[test]
fn a_foreign_document_is_passed_over_and_a_mistaken_one_of_ours_is_not() {
    let file = File::read(
        b"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n",
    );
    assert_eq!((file.ignored, file.findings.len(), file.policies().len()), (1, 0, 0));
    let rest = "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}";
    assert_eq!(
        problems(&format!("apiVersion: hfi.dev/v2\nkind: FaultPolicy\n{rest}")),
        ["1:13 apiVersion: must be `hfi.dev/v1`"]
    );
    assert_eq!(
        problems(&format!("apiVersion: hfi.dev/v1\nkind: FaultPolice\n{rest}")),
        [
            "2:7 kind: must be `FaultPolicy`, `Guardrail`, `Halt` or `AppConfiguration`; did you mean `FaultPolicy`?"
        ]
    );
}

#[test]
fn a_kustomization_is_passed_over_also_without_its_kind() {
    for text in [
        "configMapGenerator:\n  - name: fault-policies\n    files: [p.yaml]\n",
        "kind: Kustomization\nresources: [a.yaml]\n",
        "kind: Component\npatches: []\n",
        "namespace: shop\nresources: [a.yaml]\n",
    ] {
        let file = File::read(text.as_bytes());
        assert_eq!((file.ignored, file.findings.len(), file.policies().len()), (1, 0, 0), "{text}");
    }
    for text in [
        "resources: []\nspec: {}\n",
        "kind: Guardrail\nresources: []\n",
        "{}\n",
        "maxPercentage: 5\nnamespace: a\n",
    ] {
        assert!(!File::read(text.as_bytes()).findings.is_empty(), "{text}");
    }
}

#[test]
fn a_name_that_is_no_name_here_is_answered_with_those_that_are() {
    for status in ["14", "'14'", "unavailable", "[]"] {
        let problems = problems(&with_rules(&format!(
            "    - fault: {{percentage: 5, abort: {{grpcStatus: {status}}}}}"
        )));
        assert!(
            problems.len() == 1 && problems[0].contains("must be the name of a gRPC error: CANCELLED, "),
            "{problems:#?}"
        );
    }
    for (header, instead) in [
        (":authority", "; match the header `host` instead"),
        (":path", "; match `path` instead"),
        (":method", "; match `method` instead"),
        (":scheme", ", which no condition can name"),
    ] {
        let problems = problems(&with_rules(&format!(
            "    - match: {{headers: [{{name: '{header}', exact: a}}]}}\n      fault: {{percentage: 5, delay_ms: 1}}"
        )));
        assert!(
            problems.len() == 1 && problems[0].ends_with(&format!("`{header}` is a pseudo-header{instead}")),
            "{problems:#?}"
        );
    }
}

#[test]
fn a_number_without_end_is_refused_by_its_field() {
    for number in [".inf", "-.inf", ".nan", "1e999"] {
        assert_eq!(
            problems(&with_rules(&format!("    - fault: {{percentage: {number}, delay_ms: 1}}"))),
            [
                "4:27 spec.rules[0].fault.percentage: must be a number from 0 to 100 with at most four decimals"
            ],
            "{number}"
        );
    }
}

#[test]
fn what_is_no_yaml_says_in_our_words_what_to_correct() {
    for (text, reason) in [
        ("a: 1\na: 2", "the key `a` occurs twice in one map; keep one"),
        ("a: [1, 2", "`[` is never closed"),
        ("a: {b: 1", "`{` is never closed"),
        ("a: [1}", "`[` is closed by `}`"),
        ("a: 'b", "a quote is never closed"),
        (
            "a: \"\\q\"",
            "in double quotes a backslash begins an escape, and YAML has none like this; use single quotes",
        ),
        (
            "a: b: c",
            "there is a `:` where no key can be; put a text that contains one in quotes, or correct the indentation",
        ),
        ("a: @b", "no value can begin with `@`; put a text that does in quotes"),
        (
            "a: *b",
            "`*name` stands for what `&name` marks in the same document; put a text that begins with `*` or `&` in quotes",
        ),
        ("a:\n\tb: 1", "there is a tab where YAML takes only spaces"),
        ("[a]: 1", "a key must be a string, not a list"),
        ("a: 1\n<<: 2", "`<<` takes a map or a list of maps"),
    ] {
        let problems = problems(text);
        assert!(
            problems.len() == 1 && problems[0].ends_with(&format!(" is not valid YAML: {reason}")),
            "{text}: {problems:#?}"
        );
    }
}

#[test]
fn what_is_no_yaml_is_refused_within_bounds() {
    assert!(problems("a: b: c")[0].contains("is not valid YAML"));
    assert!(problems("a: 1\na: 2")[0].starts_with("2:1 is not valid YAML: "));
    assert!(File::read(b"\xff\xfe").findings[0].message.contains("is not UTF-8"));
    assert!(
        File::read(&vec![b' '; 2 * 1024 * 1024]).findings[0].message.contains("is longer than 1048576 bytes")
    );
    assert!(problems(&"[".repeat(10_000))[0].contains("at most 32 levels"));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
    assert!(problems(bomb)[0].contains("1000 aliases"), "{:?}", problems(bomb));
}

#[test]
fn anchors_that_are_used_often_are_read() {
    let origins = (0..100).map(|number| format!("  - exact: https://a{number}.example.com\n"));
    let routes = "- {cors: *c}\n".repeat(40);
    let merged = "- {<<: *m, x: 1}\n".repeat(40);
    let text = format!(
        "c: &c\n{}m: &m {{a: 1, b: [1, 2, 3]}}\nroutes:\n{routes}merged:\n{merged}",
        origins.collect::<String>()
    );
    let several = format!("{text}---\n{text}---\n{text}");
    assert_eq!(read_yaml(several.as_bytes()).into_iter().filter(Result::is_ok).count(), 3);
    // What aliases add is for all documents of a file.
    let many = format!("{text}---\n").repeat(100);
    let refused = read_yaml(many.as_bytes()).into_iter().find_map(Result::err).unwrap();
    assert!(refused.message.contains("use fewer aliases"), "{}", refused.message);
}

#[test]
fn a_regex_that_is_too_large_is_refused_with_the_nearest_that_is_not() {
    let rule = "    - {match: {path: {regex: '[ab]*a[ab]{14}c'}}, fault: {percentage: 5, delay_ms: 1}}\n";
    let problem = "spec.rules[0].match.path.regex: is too large a regex: its automaton has more than 20000 states; with counts of at most 12 it can be compiled";
    assert_eq!(problems(&with_rules(rule)), [format!("4:30 {problem}")]);
    let reference: Vec<_> = include_str!("../REFERENCE.md").split_whitespace().collect();
    assert!(reference.join(" ").contains(problem), "the reference shows another message");
}
