//! From the spec of a container, and the objects that it names as they are now, to what is started.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Container;

use super::setting::Setting;
use crate::process::Plan;
use crate::spec::command_line::command_line;
use crate::spec::environment::environment;
use crate::spec::hosts::hostname;
use crate::spec::mounts::mounts;
use crate::spec::objects::references;
use crate::spec::refusal::Refusal;
use crate::spec::user::{capabilities, is_confined, user};

const MESSAGE: &str = "termination-log";
/// As much of a message as Kubernetes keeps.
const LONGEST_MESSAGE: usize = 4096;

/// The plan of a start.
pub(super) async fn plan(setting: &Setting, container: &Container) -> Result<Plan, Refusal> {
    let pod = setting.pod();
    let image = container.image.as_deref().unwrap_or_default();
    let program = setting.images.program(image).ok_or_else(|| Refusal::of_image(image))?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let objects = setting.cluster.objects(namespace, &references(&pod)).await;
    let mut objects = objects.map_err(|error| Refusal::of_machine(&error.into()))?;
    objects.services = setting.services();
    let said = environment(&pod, container, &objects, &setting.facts)?;
    let command_line = command_line(container, &program, &said)?;
    let mounts = mounts(&pod, container, &said)?;
    let mut complete: BTreeMap<_, _> = program.environment.iter().cloned().collect();
    complete.insert("HOSTNAME".to_owned(), hostname(&pod));
    complete.extend(said);
    let context = container.security_context.as_ref();
    let scratch = setting.of_container(&container.name);
    let message = fresh_message(&scratch).map_err(|error| Refusal::of_machine(&error.into()))?;
    let message_path = container.termination_message_path.as_deref().unwrap_or("/dev/termination-log");
    let working_directory = container.working_dir.as_deref().filter(|path| !path.is_empty());
    Ok(Plan {
        network: setting.network.namespace(),
        hostname: hostname(&pod),
        command_line,
        environment: complete,
        user: user(&pod, container, &program)?,
        capabilities: capabilities(container),
        confined: is_confined(context),
        read_only_root: context.and_then(|context| context.read_only_root_filesystem) == Some(true),
        working_directory: working_directory.map_or_else(|| program.working_directory.clone(), PathBuf::from),
        volumes: setting.volumes(),
        mounts,
        files: vec![
            ("/etc/hosts".into(), setting.file("hosts")),
            ("/etc/resolv.conf".into(), setting.file("resolv.conf")),
        ],
        message: (message_path.into(), message),
        scratch: scratch.join("root"),
        log: setting.log(&container.name),
        program,
    })
}

/// What a container wrote about its end.
pub(super) fn message(setting: &Setting, container: &Container) -> Option<String> {
    let bytes = fs::read(setting.of_container(&container.name).join(MESSAGE)).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..LONGEST_MESSAGE).unwrap_or(&bytes)).into_owned();
    Some(text).filter(|text| !text.is_empty())
}

/// An empty file for such a message, which every user may write.
fn fresh_message(directory: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let file = directory.join(MESSAGE);
    fs::write(&file, "")?;
    fs::set_permissions(&file, Permissions::from_mode(0o666))?;
    Ok(file)
}
