//! The command line of a container.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::expand::expand;
use super::refusal::Refusal;
use crate::image::Program;

/// Command and arguments. A `command` replaces the image's entry point and its arguments, `args` its arguments.
pub(crate) fn command_line(
    container: &Container,
    program: &Program,
    environment: &BTreeMap<String, String>,
) -> Result<Vec<String>, Refusal> {
    let expanded = |words: &[String]| -> Vec<String> {
        words.iter().map(|word| expand(word, |name| environment.get(name).map(String::as_str))).collect()
    };
    let command = container.command.as_deref().filter(|words| !words.is_empty());
    let arguments = container.args.as_deref().filter(|words| !words.is_empty());
    let mut line = command.map_or_else(|| program.entrypoint.clone(), expanded);
    match (command, arguments) {
        (_, Some(arguments)) => line.extend(expanded(arguments)),
        (Some(_), None) => {}
        (None, None) => line.extend(program.arguments.clone()),
    }
    if line.is_empty() { Err(Refusal::of_spec("no command is specified")) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::command_line;
    use crate::image::Program;

    fn of(container: Value) -> String {
        let program = Program::at("/entry", "/x").leading("first").argument("usual");
        let environment = [("A".to_owned(), "1".to_owned())].into();
        command_line(&from_value(container).unwrap(), &program, &environment).unwrap().join(" ")
    }

    #[test]
    fn command_and_args_replace_what_the_image_says() {
        assert_eq!(of(json!({"name": "c"})), "/entry first usual");
        assert_eq!(of(json!({"name": "c", "args": ["a", "$(A)"]})), "/entry first a 1");
        assert_eq!(of(json!({"name": "c", "command": ["/own", "$(B)"]})), "/own $(B)");
        assert_eq!(of(json!({"name": "c", "command": ["/own"], "args": ["x"]})), "/own x");
        assert_eq!(of(json!({"name": "c", "command": [], "args": []})), "/entry first usual");
    }
}
