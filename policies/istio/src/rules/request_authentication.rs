//! Rules of a RequestAuthentication.

mod keys;

use super::subject::{Out, Rule, Subject};
use crate::field::Field;

pub(super) const TABLES: [&[Rule]; 2] = [keys::RULES, RULES];

const RULES: &[Rule] =
    &[Rule::new("RA01", ra01), Rule::new("RA06", ra06), Rule::new("RA07", ra07), Rule::new("H13", h13)];

fn issuers<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("jwtRules")
}

fn ra01(subject: &Subject, out: &mut Out) {
    for rule in issuers(subject) {
        if rule.get("issuer").is_empty() && rule.get("jwksUri").is_empty() && rule.get("jwks_uri").is_empty()
        {
            out.error(&rule.get("issuer"), "is missing", "write the `iss` of the tokens");
        }
    }
}

fn ra06(subject: &Subject, out: &mut Out) {
    for rule in issuers(subject) {
        let lists = ["audiences", "fromParams", "fromCookies"].map(|name| rule.get(name));
        for (_, at) in lists.iter().flat_map(Field::texts).filter(|(text, _)| text.is_empty()) {
            out.error(&at, "is an empty text", "write a name, or remove the item");
        }
        for header in rule.get("fromHeaders").items().filter(|header| header.word("name").is_empty()) {
            out.error(&header.get("name"), "is missing", "name the header");
        }
    }
}

fn ra07(subject: &Subject, out: &mut Out) {
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    for copy in issuers(subject).flat_map(|rule| rule.get("outputClaimToHeaders").items()) {
        if copy.word("claim").is_empty() {
            out.error(&copy.get("claim"), "is missing", "name the claim of the token");
        }
        if !is_name(copy.word("header")) {
            let reason = format!("`{}` is not the name of a header", copy.word("header"));
            out.error(&copy.get("header"), reason, "a name has letters, digits, `-` and `_`");
        }
    }
}

fn h13(subject: &Subject, out: &mut Out) {
    for rule in issuers(subject) {
        if rule.get("issuer").is_empty() && !(rule.get("jwksUri").is_empty() && rule.get("jwks").is_empty()) {
            out.warning(
                &rule.get("issuer"),
                "is missing, so tokens of any issuer with these keys count",
                "write the `iss` of the tokens",
            );
        }
    }
}
