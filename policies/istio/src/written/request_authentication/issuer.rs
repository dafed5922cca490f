//! An issuer of tokens.

use std::collections::BTreeMap;

use policies::reading::{Cursor, Fields};
use serde_json::Value as Json;

use crate::{
    values::{MergePatch, SECRET_MEMBERS},
    written::{
        fields::{header_name, items, strings, text},
        json,
    },
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub issuer: String,
    pub keys: Keys,
    /// Empty: tokens for anybody.
    pub audiences: Vec<String>,
    /// Empty: `Authorization: Bearer`.
    pub from: Vec<TokenPlace>,
    /// True if the application gets the token too.
    pub forwards: bool,
    /// Claims, and the headers that they are written to.
    pub claims_to_headers: BTreeMap<String, String>,
    pub patch: Option<MergePatch>,
}

/// The keys that tokens are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Where the issuer says that they are (OpenID Connect Discovery).
    Discovered,
    Uri(String),
    Inline(String),
}

/// A place where a token may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    Header { name: String, prefix: Option<String> },
    Cookie(String),
    Param(String),
}

/// The longest URI of keys.
const MAX_URI: usize = 2048;

/// Reads an issuer. `is_item`: it is an item of `issuers`, with a `spec` of its own.
pub(super) fn read(fields: &mut Fields<'_>, is_item: bool) -> Option<Issuer> {
    let issuer = fields.require("issuer").and_then(|field| text(&field));
    let uri = fields.read("jwksUri", jwks_uri).optional();
    let inline = fields.read("jwks", jwks).optional();
    let audiences = fields.read("audiences", |field| items(field, |item| text(&item))).or(Vec::new());
    let from = fields.read("from", |field| items(field, |item| place(&item))).or(Vec::new());
    let forwards = fields.read("forward", Cursor::boolean).or(false);
    let claims = fields.read("claimsToHeaders", claims).or(BTreeMap::new());
    let patch = if is_item { fields.read("spec", json::patch).optional() } else { Some(None) };
    let keys = match (uri?, inline?) {
        (None, None) => Keys::Discovered,
        (Some(uri), None) => Keys::Uri(uri),
        (None, Some(keys)) => Keys::Inline(keys),
        (Some(_), Some(_)) => {
            fields.cursor().report("has `jwksUri` and `jwks`; keep one");
            return None;
        }
    };
    Some(Issuer {
        issuer: issuer?,
        keys,
        audiences: audiences?,
        from: from?,
        forwards: forwards?,
        claims_to_headers: claims?,
        patch: patch?,
    })
}

/// An address of keys: over plain HTTP they could be exchanged on the way.
fn jwks_uri(field: &Cursor<'_>) -> Option<String> {
    let uri = text(field)?;
    let host = uri.strip_prefix("https://").unwrap_or_default();
    if host.is_empty() || host.starts_with(['/', ':']) || uri.contains(char::is_whitespace) {
        field.report("must be an `https://` address: keys could be exchanged on the way");
        return None;
    }
    if uri.len() > MAX_URI {
        field.report(format_args!("is longer than Istio takes: at most {MAX_URI} characters"));
        return None;
    }
    Some(uri)
}

/// Public keys as a JSON Web Key Set.
fn jwks(field: &Cursor<'_>) -> Option<String> {
    let written = text(field)?;
    let set: Option<Json> = serde_json::from_str(&written).ok();
    let keys = set.as_ref().and_then(|set| set.get("keys")).and_then(Json::as_array);
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
        field.report("is not a JSON Web Key Set; write `{\"keys\": [ … ]}` as a string");
        return None;
    };
    if keys.iter().any(|key| SECRET_MEMBERS.iter().any(|member| key.get(member).is_some())) {
        field.report(
            "has a secret key: whoever reads it signs tokens; keep public keys alone, and exchange this one",
        );
        return None;
    }
    Some(written)
}

fn place(item: &Cursor<'_>) -> Option<TokenPlace> {
    let mut fields = item.clone().fields()?;
    let header = fields.take("header").map(|field| header_name(&field));
    let prefix = fields.read("prefix", text).optional();
    let cookie = fields.take("cookie").map(|field| text(&field).map(TokenPlace::Cookie));
    let param = fields.take("param").map(|field| text(&field).map(TokenPlace::Param));
    fields.finish();
    let prefix = prefix?;
    if prefix.is_some() && header.is_none() {
        item.report("has `prefix`, which is for a `header`; take it out");
    }
    let header = header.map(|name| name.map(|name| TokenPlace::Header { name, prefix }));
    let mut given = [header, cookie, param].into_iter().flatten();
    let (one, more) = (given.next(), given.next());
    if one.is_none() || more.is_some() {
        item.report("must hold exactly one of `header`, `cookie` and `param`");
    }
    one.flatten()
}

fn claims(field: &Cursor<'_>) -> Option<BTreeMap<String, String>> {
    let claims = strings(field)?;
    let mut is_right = !claims.is_empty();
    if claims.is_empty() {
        field.report("is empty; leave it out");
    }
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for (claim, header) in field.entries() {
        let name = claims.get(claim).map(String::as_str).unwrap_or_default();
        if claim.is_empty() || name.is_empty() || !name.chars().all(is_letter) {
            header.report("must be a header of letters, digits, `-` and `_`, for a claim with a name");
            is_right = false;
        }
    }
    is_right.then_some(claims)
}
