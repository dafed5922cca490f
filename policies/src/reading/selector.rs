//! Selectors and destinations as they are written.

use super::{
    fields::{Cursor, Fields},
    values::glob,
};
use crate::language::{Destination, Glob, Host, Selector, Target, is_label};

/// A name under `service` or `host`.
enum Named<'n> {
    Service(Option<Cursor<'n>>),
    Host(Cursor<'n>),
}

/// Reads the selector of a policy; everything where it is absent.
pub(super) fn selector(field: Option<Cursor<'_>>) -> Option<Selector> {
    let Some(field) = field else { return Some(Selector::any()) };
    let mut fields = field.fields()?;
    let target = match named(&mut fields) {
        Named::Service(service) => workload(service).map(Target::Service),
        Named::Host(host) => self::host(&host).map(Target::Host),
    };
    let namespace = glob(fields.take_optional("namespace"));
    fields.finish();
    Some(Selector { target: target?, namespace: namespace? })
}

/// Reads the destination of a policy; every callee where it is absent.
pub(super) fn destination(field: Option<Cursor<'_>>) -> Option<Destination> {
    let Some(field) = field else { return Some(Destination::any()) };
    let mut fields = field.fields()?;
    let named = named(&mut fields);
    let namespace = fields.take_optional("namespace");
    fields.finish();
    match named {
        Named::Service(service) => {
            let (service, namespace) = (callee(service), glob(namespace));
            Some(Destination::Service { service: service?, namespace: namespace? })
        }
        Named::Host(host) => {
            if let Some(namespace) = namespace {
                namespace.report("is for `service`: a host outside the mesh is in no namespace");
            }
            self::host(&host).map(Destination::Host)
        }
    }
}

fn named<'n>(fields: &mut Fields<'n>) -> Named<'n> {
    let (service, host) = (fields.take_optional("service"), fields.take_optional("host"));
    if service.is_some() && host.is_some() {
        fields.cursor().report("has `service` and `host`; keep one");
    }
    host.map_or(Named::Service(service), Named::Host)
}

fn host(field: &Cursor<'_>) -> Option<Host> {
    field.accept(field.string()?.to_owned().try_into())
}

/// The name of a workload. It may hold a dot, but what holds several is meant as a host.
fn workload(field: Option<Cursor<'_>>) -> Option<Glob> {
    let Some(field) = field else { return Some(Glob::any()) };
    let text = field.string()?;
    if text.split('.').count() > 2 {
        field.report(no_service(text));
        return None;
    }
    field.accept(text.to_owned().try_into())
}

/// The name of a service that is called.
fn callee(field: Option<Cursor<'_>>) -> Option<Glob> {
    let Some(field) = field else { return Some(Glob::any()) };
    let text = field.string()?;
    if text.contains(['.', ':', '/']) {
        field.report(no_service(text));
        return None;
    }
    let service: Glob = field.accept(text.to_owned().try_into())?;
    if let Some(name) = service.exact().filter(|name| !is_label(name)) {
        field.report(format_args!(
            "`{name}` cannot be the name of a service: 1 to 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit"
        ));
        return None;
    }
    Some(service)
}

/// The reason why a text is not the name of a service, and what to write instead.
fn no_service(text: &str) -> String {
    let host = text.split_once("://").map_or(text, |(_, host)| host);
    let host = host.split([':', '/']).next().unwrap_or_default();
    let mut labels = host.split('.');
    let instead = match (labels.next(), labels.next(), labels.next()) {
        (Some(service), Some(namespace), None | Some("svc")) => {
            format!("`service: {service}` and `namespace: {namespace}`, or, outside the mesh, `host: {host}`")
        }
        _ => format!("`host: {host}`"),
    };
    format!("`{text}` cannot be the name of a service in the mesh, which has no dots; write {instead}")
}
