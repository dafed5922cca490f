//! The files of a volume.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, KeyToPath, Pod, Volume, VolumeProjection};

use super::facts::Facts;
use super::field::field;
use super::objects::{Objects, Reference};
use super::refusal::Refusal;
use super::resource::resource;
use super::tokens::{Tokens, WantedToken};

/// Files by their paths below the volume.
pub(crate) type Files = BTreeMap<String, File>;

/// The bytes of a file and its permissions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) mode: u32,
}

const DEFAULT_MODE: i32 = 0o644;

/// What the files of a volume come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sources<'s> {
    pub(crate) pod: &'s Pod,
    pub(crate) objects: &'s Objects,
    pub(crate) tokens: &'s Tokens,
    pub(crate) facts: &'s Facts,
}

impl Sources<'_> {
    /// The files of a volume now. None for an `emptyDir`, whose files are the containers'.
    pub(crate) fn files(&self, volume: &Volume) -> Result<Option<Files>, Refusal> {
        let mut files = Files::new();
        if let Some(of) = &volume.config_map {
            let mode = of.default_mode.unwrap_or(DEFAULT_MODE);
            let optional = of.optional == Some(true);
            self.object(&mut files, &Reference::config_map(&of.name), of.items.as_deref(), optional, mode)?;
        } else if let Some(of) = &volume.secret {
            let mode = of.default_mode.unwrap_or(DEFAULT_MODE);
            let name = of.secret_name.as_deref().unwrap_or_default();
            let optional = of.optional == Some(true);
            self.object(&mut files, &Reference::secret(name), of.items.as_deref(), optional, mode)?;
        } else if let Some(of) = &volume.downward_api {
            let mode = of.default_mode.unwrap_or(DEFAULT_MODE);
            self.downward(&mut files, of.items.as_deref(), mode)?;
        } else if let Some(of) = &volume.projected {
            let mode = of.default_mode.unwrap_or(DEFAULT_MODE);
            for source in of.sources.iter().flatten() {
                self.projected(&mut files, source, mode)?;
            }
        } else {
            return Ok(None);
        }
        Ok(Some(files))
    }

    fn projected(&self, files: &mut Files, source: &VolumeProjection, mode: i32) -> Result<(), Refusal> {
        if let Some(of) = &source.config_map {
            let optional = of.optional == Some(true);
            self.object(files, &Reference::config_map(&of.name), of.items.as_deref(), optional, mode)?;
        }
        if let Some(of) = &source.secret {
            let optional = of.optional == Some(true);
            self.object(files, &Reference::secret(&of.name), of.items.as_deref(), optional, mode)?;
        }
        if let Some(of) = &source.downward_api {
            self.downward(files, of.items.as_deref(), mode)?;
        }
        if let Some(of) = &source.service_account_token {
            let token = self.tokens.get(&WantedToken::of(of));
            let token = token.ok_or_else(|| Refusal::of_spec("a token is missing"))?;
            add(files, &of.path, token.clone().into_bytes(), None, mode)?;
        }
        Ok(())
    }

    /// The values of a ConfigMap or a Secret: all of them, or the items.
    fn object(
        &self,
        files: &mut Files,
        reference: &Reference,
        items: Option<&[KeyToPath]>,
        optional: bool,
        mode: i32,
    ) -> Result<(), Refusal> {
        let Some(data) = self.objects.data(reference) else {
            return if optional { Ok(()) } else { Err(Refusal::of_spec(reference.not_found())) };
        };
        let Some(items) = items.filter(|items| !items.is_empty()) else {
            return data.into_iter().try_for_each(|(key, value)| add(files, &key, value, None, mode));
        };
        for item in items {
            match data.get(&item.key) {
                Some(value) => add(files, &item.path, value.clone(), item.mode, mode)?,
                None if optional => {}
                None => {
                    let message = format!("{reference:?} has no key {:?}", item.key);
                    return Err(Refusal::of_spec(message));
                }
            }
        }
        Ok(())
    }

    fn downward(
        &self,
        files: &mut Files,
        items: Option<&[DownwardAPIVolumeFile]>,
        mode: i32,
    ) -> Result<(), Refusal> {
        for item in items.into_iter().flatten() {
            let value = match (&item.field_ref, &item.resource_field_ref) {
                (Some(selector), _) => field(self.pod, &selector.field_path, self.facts)?,
                (None, Some(selector)) => resource(self.pod, None, selector, self.facts)?,
                (None, None) => String::new(),
            };
            add(files, &item.path, value.into_bytes(), item.mode, mode)?;
        }
        Ok(())
    }
}

fn add(files: &mut Files, path: &str, content: Vec<u8>, own: Option<i32>, mode: i32) -> Result<(), Refusal> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !path.split('/').all(is_plain) || path.starts_with("..") {
        return Err(Refusal::of_spec(format!("{path:?} is not a path below a volume")));
    }
    files.insert(path.to_owned(), File { content, mode: own.unwrap_or(mode).cast_unsigned() & 0o777 });
    Ok(())
}

#[cfg(test)]
mod tests;
