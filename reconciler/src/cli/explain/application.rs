//! `hfi explain --app`: where each field of the resources of an application comes from.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use istio_config::{Origin, RenderedApplication, Written, origins};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::{
        applications::{Applications, Rendering, Selection},
        console::{DONE, NOT_RIGHT, error, next, print, print_styled, wrong_use},
        output::Output,
        policy_files::PolicyFiles,
        render::tell,
        table::{Cell, Table},
        terminal::{Colour, Terminal},
    },
    printable::printable,
};

/// A resource, and the origin of each of its fields.
#[derive(Debug, Serialize)]
struct Explained {
    kind: &'static str,
    namespace: String,
    name: String,
    /// The entry that it comes from.
    entry: At,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    field: String,
    value: Value,
    written: Vec<At>,
    opinion: Option<&'static str>,
}

/// A written field.
#[derive(Debug, Serialize)]
struct At {
    file: Arc<str>,
    line: u32,
    column: u32,
    field: String,
}

/// Explains the selected applications of a directory.
pub(super) fn run(path: PathBuf, selection: &Selection, rendering: &Rendering, output: Output) -> ExitCode {
    let files = match PolicyFiles::read(&[path]) {
        Ok(files) => files,
        Err(failure) => return wrong_use(failure),
    };
    let applications = Applications::of(&files, rendering);
    if let Err(reason) = applications.selected(selection) {
        error(reason);
        return ExitCode::from(NOT_RIGHT);
    }
    let is_selected = |application: &&RenderedApplication| {
        let application = &application.application;
        selection.has(application.namespace.as_str(), application.name.as_str())
    };
    let selected: Vec<_> = applications.all().iter().filter(is_selected).collect();
    if selected.iter().any(|application| !application.is_valid) || applications.are_refused(selection) {
        tell(&files, &applications);
        next("correct these; what is not valid is not rendered");
        return ExitCode::from(NOT_RIGHT);
    }
    let explained: Vec<_> = selected.iter().flat_map(|application| explained(application, &files)).collect();
    let text = output.render(&json!({"resources": explained}), || table(&explained, Terminal::of_stdout()));
    match output {
        // Its cells are printable.
        Output::Table => print_styled(&text),
        Output::Json | Output::Yaml | Output::Github => print(&text),
    }
    ExitCode::from(DONE)
}

fn explained(application: &RenderedApplication, files: &PolicyFiles) -> Vec<Explained> {
    let file = files.shown(&application.file);
    let at = |Written { place, field }: Written| At {
        file: Arc::clone(&file),
        line: place.line,
        column: place.column,
        field,
    };
    let text = files.text(&application.file).unwrap_or_default();
    let origins = origins(application, &text);
    let resource = |(rendered, origins): (&istio_config::Rendered, Vec<Origin>)| {
        let field = |Origin { field, value, written, opinion }| Field {
            field,
            value,
            written: written.into_iter().map(at).collect(),
            opinion,
        };
        let istio_config::Resource { kind, namespace, name, .. } = &rendered.resource;
        Explained {
            kind: kind.name(),
            namespace: namespace.clone(),
            name: name.clone(),
            entry: at(Written { place: rendered.entry, field: rendered.field.clone() }),
            fields: origins.into_iter().map(field).collect(),
        }
    };
    application.resources.iter().zip(origins).map(resource).collect()
}

/// A heading and a table for each resource.
fn table(resources: &[Explained], terminal: Terminal) -> String {
    let one = |Explained { kind, namespace, name, entry, fields }: &Explained| {
        let heading = format!("{kind} {namespace}/{name}, by {}", shown(entry));
        let row = |Field { field, value, written, opinion }: &Field| {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let places = written.iter().map(shown).collect::<Vec<_>>().join(", ");
            let from = match opinion {
                Some(reason) => Cell::painted(format!("hfi, for {places}: {reason}"), Colour::Faint),
                None => Cell::new(places),
            };
            vec![Cell::new(field), Cell::new(value), from]
        };
        let table = Table { headings: &["FIELD", "VALUE", "FROM"], rows: fields.iter().map(row).collect() };
        format!("{}\n{}", printable(&heading), table.render(terminal))
    };
    resources.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn shown(At { file, line, field, .. }: &At) -> String {
    format!("{file}:{line} {field}")
}
