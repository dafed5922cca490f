//! The artifact of a namespace: the archive of its objects, and its digest.

use std::io;

use base64::{DecodeError, Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use istio_config::{Kind, Resource, output};
use policies::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    archive::{pack, unpack, visit},
    objects::Objects,
};

/// The file of an archive that lists the others.
const KUSTOMIZATION: &str = "kustomization.yaml";
/// The most bytes of an archive: a ConfigMap holds 1 MiB, in base64 on its way. Tests have shorter ones.
pub const LONGEST: usize = if cfg!(test) { 32 } else { 900 } * 1024;

/// The archive of the objects of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Artifact {
    pub bytes: Bytes,
    pub digest: Digest,
}

/// The reason why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error(
        "the objects of the namespace take {0} bytes as a tar.gz, and at most {LONGEST} fit into a ConfigMap; \
         distribute the applications over several namespaces"
    )]
    TooLong(usize),
    #[error("the archive is damaged: {0}")]
    Damaged(#[from] io::Error),
    #[error("{0} in the archive is no object of hfi")]
    Foreign(String),
    #[error("the objects of the namespace do not come back from their archive as they are")]
    Changed,
}

impl Artifact {
    /// Packs the objects of a namespace. Without any, Flux removes all that it applied.
    pub fn of(objects: &Objects) -> Result<Self, ArtifactError> {
        let bytes = pack(&output::directory(&objects.sorted()))?;
        if bytes.len() > LONGEST {
            return Err(ArtifactError::TooLong(bytes.len()));
        }
        let artifact = Self::of_bytes(bytes.into());
        // What is in force is read from it later on, by this release or another one.
        if artifact.objects()?.are_written_as(objects) { Ok(artifact) } else { Err(ArtifactError::Changed) }
    }

    /// An archive that was packed before.
    pub fn of_bytes(bytes: Bytes) -> Self {
        Self { digest: Digest::of(&bytes), bytes }
    }

    /// The objects in it.
    pub fn objects(&self) -> Result<Objects, ArtifactError> {
        let files = unpack(&self.bytes)?;
        let objects = files.iter().filter(|(path, _)| *path != KUSTOMIZATION);
        objects.map(|(path, text)| read(text).ok_or_else(|| ArtifactError::Foreign(path.clone()))).collect()
    }

    /// The number of its objects, once each can be read. No two are in memory at once.
    pub fn count(&self) -> Result<usize, ArtifactError> {
        let mut count = 0;
        visit(&self.bytes, |path, text| -> Result<(), ArtifactError> {
            if path != KUSTOMIZATION {
                read(&text).ok_or(ArtifactError::Foreign(path))?;
                count += 1;
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// The file name of an archive, below that of its namespace.
    pub fn file(digest: &Digest) -> String {
        format!("{}.tar.gz", hex(digest))
    }
}

/// The archive as base64, for another process.
impl From<Artifact> for String {
    fn from(artifact: Artifact) -> Self {
        STANDARD.encode(artifact.bytes)
    }
}

impl TryFrom<String> for Artifact {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        Ok(Self::of_bytes(STANDARD.decode(text)?.into()))
    }
}

/// The digits of a digest.
fn hex(digest: &Digest) -> String {
    let text = digest.to_string();
    text.strip_prefix("sha256:").unwrap_or(&text).to_owned()
}

/// An object as this release of hfi writes it, or another one; `None` if it is none.
fn read(text: &str) -> Option<Resource> {
    let mut object: Value = serde_yaml::from_str(text).ok()?;
    let of_metadata = |key: &str| object.get("metadata").and_then(|metadata| metadata.get(key));
    let name = |key| of_metadata(key).and_then(Value::as_str).map(str::to_owned);
    let map = |key| {
        let entries = of_metadata(key).and_then(Value::as_object).into_iter().flatten();
        entries.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect::<Option<_>>()
    };
    Some(Resource {
        kind: Kind::of_rendered(object.get("kind")?.as_str()?)?,
        namespace: name("namespace")?,
        name: name("name")?,
        labels: map("labels")?,
        annotations: map("annotations")?,
        spec: object.get_mut("spec")?.take(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use istio_config::{Kind, Resource};
    use serde_json::json;

    use super::{Artifact, ArtifactError};
    use crate::istio::{
        archive::{pack, unpack},
        objects::Objects,
    };

    fn gateway(name: &str, spec: serde_json::Value) -> Resource {
        Resource {
            kind: Kind::Gateway,
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            labels: BTreeMap::from([("app.kubernetes.io/name".to_owned(), "reviews".to_owned())]),
            annotations: BTreeMap::new(),
            spec,
        }
    }

    #[test]
    fn an_artifact_is_the_same_in_whatever_order_objects_come_and_gives_them_back() {
        let spec = || json!({"a": "on", "b": [1, 2.5, null, "1", {}], "c": {"d": "x: y\nz\n", "e": ""}});
        let objects = |names: [&str; 2]| names.map(|name| gateway(name, spec())).into_iter().collect();
        let artifact = Artifact::of(&objects(["a", "b"])).unwrap();
        assert_eq!(artifact, Artifact::of(&objects(["b", "a"])).unwrap());
        assert_eq!(artifact.objects().unwrap(), objects(["a", "b"]));
        assert_eq!(artifact.objects().unwrap().of("reviews").len(), 2);
        assert_eq!(artifact.count().unwrap(), 2);
    }

    #[test]
    fn what_another_release_has_written_is_read() {
        let written = "metadata:\n  name: 'a'\n  namespace: shop\n  labels: {app.kubernetes.io/name: reviews}\nspec: {x: \"y\"}\nkind: Gateway\n";
        let files = [("shop/Gateway-a.yaml".to_owned(), written.to_owned())];
        let artifact = Artifact::of_bytes(pack(&files.into_iter().collect()).unwrap().into());
        let objects: Objects = [gateway("a", json!({"x": "y"}))].into_iter().collect();
        assert_eq!(artifact.objects().unwrap(), objects);
    }

    #[test]
    fn an_artifact_without_objects_says_so_to_flux() {
        let files = unpack(&Artifact::of(&Objects::default()).unwrap().bytes).unwrap();
        assert_eq!(files.len(), 1);
        assert!(files["kustomization.yaml"].ends_with("resources: []\n"), "{files:?}");
    }

    #[test]
    fn what_does_not_fit_into_a_configmap_is_an_error() {
        // What can hardly be compressed.
        let (mut seed, mut text) = (1_u64, String::new());
        while text.len() < 1_300_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:x}", seed >> 20));
        }
        let many: Objects =
            (0..3).map(|number| gateway(&format!("a{number}"), json!({"text": text[number..]}))).collect();
        let one: Objects = [gateway("a", json!({"text": text[..50_000]}))].into_iter().collect();
        Artifact::of(&one).unwrap();
        let Err(ArtifactError::TooLong(length)) = Artifact::of(&many) else { panic!("it fits") };
        assert!(length > super::LONGEST, "{length}");
    }
}
