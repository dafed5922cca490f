//! The routes of changes, for the OpenAPI document.

use crate::{
    api,
    http::operation::{Content, GRANTED, Link, Operation, Parameter, TokenKind, json, policy_schema, text},
};

/// The media type of streams of YAML.
const YAML: Content = Content("application/yaml", text);

/// The status codes of refusals.
const PROBLEMS: [u16; 15] = [400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 429, 500, 503, 504];

/// What a client may do with the first policy that it has written.
const WRITTEN: [Link; 3] = Link::of("/policies/0/name");

pub(crate) fn post_described() -> Operation {
    described("Create or update policies: one commit for all of the body", &WRITTEN)
        .body(
            "A policy, or many: a JSON object or array, or a stream of YAML. The first document may be of \
             `kind: Folders`: its map `folders` has directories, each with a list of names of policies in the \
             body. Of these it is the `folder`.",
            [Content("application/json", policy_schema::many), YAML],
        )
}

pub(crate) fn put_described() -> Operation {
    described("Create or update one policy", &WRITTEN).parameter(name()).body(
        "The policy, whose name is that of the URL",
        [Content("application/json", policy_schema::one), YAML],
    )
}

pub(crate) fn delete_described() -> Operation {
    described("Remove a policy", &[])
        .parameter(name())
        .parameter(Parameter::query("file", "The file, if the name stands in several"))
}

fn name() -> Parameter {
    Parameter::path("name", "`metadata.name`", policy_schema::name())
}

fn described(summary: &'static str, links: &'static [Link]) -> Operation {
    let written = || Some(json::<api::writes::Written>());
    Operation::new(summary)
        .parameter(Parameter::switch("dryRun", "`true`: say what would be done, and do nothing"))
        .parameter(Parameter {
            schema: serde_json::json!({"type": "string", "minLength": 1, "maxLength": 200}),
            ..Parameter::query("message", "The subject of the commit: one line")
        })
        .parameter(Parameter::query("folder", "The directory of new files, below the policy directory"))
        .parameter(Parameter::switch(
            "restart",
            "`true`: put into force again what had ended or was suspended",
        ))
        .parameter(Parameter::switch("allowWildcard", "`true`: take a new policy that selects everything"))
        .parameter(Parameter::switch(
            "rewrite",
            "`true`: write documents anew that cannot be edited in place",
        ))
        .parameter(Parameter {
            schema: serde_json::json!({"type": "string", "pattern": "^(\\*|\"[!#-~]*\")$"}),
            ..Parameter::header("If-Match", "The `ETag` of the policy with `all=true`, or `*` (one policy)")
        })
        .parameter(Parameter {
            schema: serde_json::json!({"type": "string", "enum": ["*"]}),
            ..Parameter::header("If-None-Match", "`*`: only if the policy does not exist (one policy)")
        })
        .parameter(Parameter::header(
            "Prefer",
            "`wait=N`: the seconds for all of it, 20 unless said, at most 60",
        ))
        .answers(200, "The change is in Git, or nothing was to be changed", written(), &[GRANTED])
        .leads_to(links)
        .answers(201, "The same, and something was created", written(), &[GRANTED])
        .leads_to(links)
        .answers(202, "The change is on a new branch (`--write-branch`)", written(), &[GRANTED])
        .problems(&PROBLEMS)
        .secured(&[TokenKind::Write])
}
