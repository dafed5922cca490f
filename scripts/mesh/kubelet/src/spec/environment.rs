//! The environment of a container.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, Pod};

use super::expand::expand;
use super::facts::Facts;
use super::field::field;
use super::objects::{Objects, Reference};
use super::refusal::Refusal;
use super::resource::resource;
use super::service;

/// The variables that the spec sets, by their names: of Services, `envFrom` and `env`, where the later counts.
/// References see only these, not what the image sets.
pub(crate) fn environment(
    pod: &Pod,
    container: &Container,
    objects: &Objects,
    facts: &Facts,
) -> Result<BTreeMap<String, String>, Refusal> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let links = pod.spec.as_ref().and_then(|spec| spec.enable_service_links).unwrap_or(true);
    let mut said: BTreeMap<_, _> =
        service::variables(&objects.services, namespace, links).into_iter().collect();
    said.extend(from_objects(container, objects)?);
    for variable in container.env.iter().flatten() {
        if let Some(value) = value(pod, container, variable, &said, objects, facts)? {
            said.insert(variable.name.clone(), value);
        }
    }
    Ok(said)
}

/// The variables of `envFrom`.
fn from_objects(container: &Container, objects: &Objects) -> Result<BTreeMap<String, String>, Refusal> {
    let mut variables = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        let map = source.config_map_ref.as_ref().map(|of| (Reference::config_map(&of.name), of.optional));
        let secret = source.secret_ref.as_ref().map(|of| (Reference::secret(&of.name), of.optional));
        let Some((reference, optional)) = map.or(secret) else { continue };
        let prefix = source.prefix.as_deref().unwrap_or_default();
        match objects.data(&reference) {
            Some(data) => {
                for (key, value) in data {
                    variables.insert(format!("{prefix}{key}"), String::from_utf8_lossy(&value).into_owned());
                }
            }
            None if optional == Some(true) => {}
            None => return Err(Refusal::of_spec(reference.not_found())),
        }
    }
    Ok(variables)
}

/// The value of a variable. None if it is optional and missing.
fn value(
    pod: &Pod,
    container: &Container,
    variable: &EnvVar,
    said: &BTreeMap<String, String>,
    objects: &Objects,
    facts: &Facts,
) -> Result<Option<String>, Refusal> {
    let Some(source) = &variable.value_from else {
        let text = variable.value.as_deref().unwrap_or_default();
        return Ok(Some(expand(text, |name| said.get(name).map(String::as_str))));
    };
    if let Some(selector) = &source.field_ref {
        return field(pod, &selector.field_path, facts).map(Some);
    }
    if let Some(selector) = &source.resource_field_ref {
        return resource(pod, Some(container), selector, facts).map(Some);
    }
    let Some((reference, key, optional)) = key_of(source) else {
        return Err(Refusal::of_spec(format!(
            "the variable {:?} has a source of an unknown kind",
            variable.name
        )));
    };
    let Some(data) = objects.data(&reference) else {
        return if optional { Ok(None) } else { Err(Refusal::of_spec(reference.not_found())) };
    };
    match data.get(key) {
        Some(value) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
        None if optional => Ok(None),
        None => Err(Refusal::of_spec(format!("couldn't find key {key} in {reference:?}"))),
    }
}

fn key_of(source: &EnvVarSource) -> Option<(Reference, &str, bool)> {
    let map = source.config_map_key_ref.as_ref();
    let map = map.map(|of| (Reference::config_map(&of.name), of.key.as_str(), of.optional == Some(true)));
    let secret = source.secret_key_ref.as_ref();
    map.or(secret.map(|of| (Reference::secret(&of.name), of.key.as_str(), of.optional == Some(true))))
}

#[cfg(test)]
mod tests;
