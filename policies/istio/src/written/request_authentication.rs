//! `requestAuthentication`: the tokens that count.

mod issuer;

use policies::reading::{Cursor, Fields, Value};

pub use self::issuer::{Issuer, Keys, TokenPlace};
use super::{
    fields::{items, port},
    path_pattern,
    scope::Scope,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestAuthentication {
    /// At least one.
    pub issuers: Vec<Issuer>,
    /// Absent: a token is not required.
    pub required: Option<Required>,
}

/// Which requests need a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// Paths of which none is needed.
    pub exempt: Vec<String>,
    /// Empty: all ports.
    pub ports: Vec<u32>,
}

pub(super) fn read(fields: &mut Fields<'_>, _: &Scope<'_>) -> Option<RequestAuthentication> {
    let has_list = matches!(fields.cursor().value(), Value::Map(entries) if entries.iter().any(|entry| entry.key == "issuers"));
    let issuers = if has_list {
        let list = fields.take("issuers");
        list.and_then(|field| {
            items(&field, |item| {
                let mut fields = item.fields()?;
                let issuer = issuer::read(&mut fields, true);
                fields.finish();
                issuer
            })
        })
    } else {
        issuer::read(fields, false).map(|issuer| vec![issuer])
    };
    let is_required = fields.read("required", Cursor::boolean).or(true);
    let exempt = fields.read("exempt", |field| items(field, |item| path_pattern::read(&item))).or(Vec::new());
    let ports = fields.read("ports", |field| items(field, |item| port(&item))).or(Vec::new());
    let (required, exempt, ports) = (is_required?, exempt?, ports?);
    let cursor = fields.cursor();
    if !required && (!exempt.is_empty() || !ports.is_empty()) {
        cursor.report("has `exempt` or `ports`, which say where a token is required, beside `required: false`; take them out");
    }
    let required = required.then_some(Required { exempt, ports });
    Some(RequestAuthentication { issuers: issuers?, required })
}
