//! The files.

use policies::reading::MAX_FILE_BYTES as LENGTH;

type Case = (&'static str, Box<dyn FnOnce() -> String + Send>);

const FAULT: &str = "fault: {percentage: 1, delay_ms: 1}}";
const RULES: &str = "metadata: {name: a}\nspec: {rules: [";

/// Each by its name, and how to write it.
pub fn all() -> Vec<Case> {
    let mut all: Vec<Case> = Vec::new();
    let mut add = |name, write: Box<dyn FnOnce() -> String + Send>| all.push((name, write));
    for (name, unit) in [
        ("`- `", "- "),
        ("`{`", "{"),
        ("`[`", "["),
        ("`---` lines", "---\n"),
        ("`- &a [*a]` lines", "- &a [*a]\n"),
        ("documents `&a [*a]`", "---\n&a [*a]\n"),
        ("documents `1` (174,762)", "---\n1\n"),
        ("documents `--- 1` (174,762)", "--- 1\n"),
        ("one plain scalar", "a"),
        ("empty lines", "\n"),
        ("comment lines", "#\n"),
        ("directive lines", "%a\n"),
        ("a list, a line an item", "- a\n"),
        ("small documents", "a: {b: {c: {d: 1}}}\n---\n"),
        ("policies without a spec, one name", "---\nmetadata: {name: a}\n"),
        (
            "policies of one name",
            "---\nmetadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}\n",
        ),
    ] {
        add(name, Box::new(|| repeated("", unit, "")));
    }
    add("one quoted scalar", Box::new(|| repeated("\"", "a", "\"")));
    add("one scalar of escapes", Box::new(|| repeated("\"", "\\u00e9", "\"")));
    add("one block scalar", Box::new(|| repeated("a: |\n", "  a\n", "")));
    add("anchors", Box::new(|| numbered("", |i| format!("- &a{i} x\n"), "")));
    add(
        "half a scalar, 1,000 aliases of it",
        Box::new(|| format!("a: &a {}\nb: [{}]\n", half(), "*a, ".repeat(1_000))),
    );
    add("merges", Box::new(|| numbered("a: &a {b: 1, c: 1}\n", |i| format!("x{i}: {{<<: *a}}\n"), "")));
    add("unknown fields", Box::new(|| numbered("", |i| format!("f{i}: 1\n"), "")));
    add("one unknown field", Box::new(|| repeated("? ", "k", "\n: 1")));
    add(
        "half a key, of a list",
        Box::new(|| {
            repeated(&format!("metadata: {{name: a, version: {{? {} : [", half()), "1,", "]}}\nspec: {}")
        }),
    );
    add("rules of one policy", Box::new(|| repeated(RULES, &format!("{{{FAULT}, "), "]}")));
    add(
        "conditions of one rule",
        Box::new(|| {
            repeated(
                &format!("{RULES}{{match: {{headers: ["),
                "{name: a, exact: b}, ",
                &format!("]}}, {FAULT}]}}"),
            )
        }),
    );
    add(
        "headers of one abort",
        Box::new(|| {
            let before = format!("{RULES}{{fault: {{percentage: 1, abort: {{httpStatus: 503, headers: {{");
            numbered(&before, |i| format!("a{i}: b, "), "}}}}]}")
        }),
    );
    add("policies", Box::new(|| numbered("", |i| format!("---\n{}", policy(i)), "")));
    add(
        "guardrails, half, and policies, half",
        Box::new(|| {
            numbered("", |i| format!("---\n{}---\nkind: Guardrail\nspec: {{maxDelayMs: 0}}\n", policy(i)), "")
        }),
    );
    add(
        "half a guardrail, and policies",
        Box::new(|| {
            let guardrail = format!("kind: Guardrail\nspec: {{services: [{}]}}\n", "b, ".repeat(LENGTH / 6));
            numbered(&guardrail, |i| format!("---\n{}", policy(i)), "")
        }),
    );
    for (name, regex) in [
        ("(a regex (a{1000}){1000})", "(a{1000}){1000}"),
        (r"(a regex \p{L}{1000})", r"\p{L}{1000}"),
        ("(a regex (?:a?){50}a{50})", "(?:a?){50}a{50}"),
        ("(a regex (x+x+)+y)", "(x+x+)+y"),
    ] {
        add(name, Box::new(move || format!("{}{regex}{}", before_regex(RULES), after_regex("]}"))));
    }
    for (name, unit) in [
        ("one regex of `a`", "a"),
        ("one regex of `(a)|`", "(a)|"),
        (r"one regex of `\d`", r"\d"),
        (r"one regex of `\pL`", r"\pL"),
    ] {
        add(name, Box::new(|| repeated(&before_regex(RULES), unit, &after_regex("]}"))));
    }
    for (name, regex) in [
        (r"rules with regex \d", r"\d"),
        (r"rules with regex \w", r"\w"),
        (r"rules with regex \w{9}", r"\w{9}"),
        (r"rules with regex \w{99}", r"\w{99}"),
        ("rules with regex a{1999}", "a{1999}"),
        ("rules with regex [^a]{99}", "[^a]{99}"),
        ("rules with regex (a{1000}){1000}", "(a{1000}){1000}"),
    ] {
        add(
            name,
            Box::new(move || {
                repeated(RULES, &format!("{}{regex}{}", before_regex(""), after_regex(", ")), "]}")
            }),
        );
    }
    all
}

fn policy(number: usize) -> String {
    format!("metadata: {{name: a{number}}}\nspec: {{rules: [{{{FAULT}]}}\n")
}

fn before_regex(before: &str) -> String {
    format!("{before}{{match: {{path: {{regex: '")
}

fn after_regex(after: &str) -> String {
    format!("'}}}}, {FAULT}{after}")
}

fn half() -> String {
    "x".repeat(LENGTH / 2)
}

/// As often as a file has room for.
fn repeated(before: &str, unit: &str, after: &str) -> String {
    numbered(before, |_| unit.to_owned(), after)
}

fn numbered(before: &str, unit: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = before.to_owned();
    for unit in (0..).map(unit) {
        if text.len() + unit.len() + after.len() > LENGTH {
            break;
        }
        text += &unit;
    }
    text + after
}
