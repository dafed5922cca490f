//! A router whose routes are described: no route is added without its part of the OpenAPI document.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::{Map, Value, json};

use super::{
    closed_reads::may_be_closed,
    operation::{Operation, schemes},
    routes::openapi,
    state::Served,
};

/// Routes, and the document that describes them.
#[derive(Debug)]
pub(crate) struct Described {
    router: Router<Served>,
    /// The path items of the document.
    paths: Map<String, Value>,
    schemas: SchemaGenerator,
}

impl Described {
    pub(crate) fn new() -> Self {
        let settings =
            SchemaSettings::draft2020_12().for_serialize().with_transform(plain).with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            });
        Self { router: Router::new(), paths: Map::new(), schemas: settings.into_generator() }
    }

    pub(crate) fn get<T: 'static>(
        self,
        path: &str,
        handler: impl Handler<T, Served>,
        operation: Operation,
    ) -> Self {
        let operation = if may_be_closed(path) { operation.closable() } else { operation };
        self.route(path, "get", on(MethodFilter::GET, handler), operation)
    }

    pub(crate) fn post<T: 'static>(
        self,
        path: &str,
        handler: impl Handler<T, Served>,
        operation: Operation,
    ) -> Self {
        self.route(path, "post", on(MethodFilter::POST, handler), operation)
    }

    pub(crate) fn put<T: 'static>(
        self,
        path: &str,
        handler: impl Handler<T, Served>,
        operation: Operation,
    ) -> Self {
        self.route(path, "put", on(MethodFilter::PUT, handler), operation)
    }

    pub(crate) fn delete<T: 'static>(
        self,
        path: &str,
        handler: impl Handler<T, Served>,
        operation: Operation,
    ) -> Self {
        self.route(path, "delete", on(MethodFilter::DELETE, handler), operation)
    }

    fn route(
        mut self,
        path: &str,
        method: &str,
        handler: MethodRouter<Served>,
        operation: Operation,
    ) -> Self {
        let operation = operation.render(&mut self.schemas);
        if let Some(item) = self.paths.entry(path).or_insert_with(|| Map::new().into()).as_object_mut() {
            item.insert(method.to_owned(), operation);
        }
        Self { router: self.router.route(&pattern(path), handler), ..self }
    }

    /// Adds the route of the document itself, which describes all routes added before.
    pub(crate) fn with_document(self, path: &str) -> (Router<Served>, Value) {
        let mut described = self;
        let operation = openapi::described().closable().render(&mut described.schemas);
        described.paths.insert(path.to_owned(), json!({"get": operation}));
        let Self { router, paths, mut schemas } = described;
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "hfi",
                "version": "1",
                "description": "Policies for the filters of a mesh, and their status.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {
                "schemas": schemas.take_definitions(true),
                "securitySchemes": schemes(),
            },
        });
        (router.route(path, openapi::get(&document)), document)
    }
}

/// The pattern of the router for a path. There, a parameter is a whole segment: for `/filter/{sha256}.wasm`
/// the handler itself checks the end of the segment.
fn pattern(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.split_once('}') {
        Some((parameter, _)) => format!("{parameter}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Removes what only Rust has: the width of integers, and the defaults of readers. A description is one line.
fn plain(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.remove("format");
    }
    schema.remove("default");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    transform_subschemas(&mut plain, schema);
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_parameter_is_a_whole_segment() {
        assert_eq!(pattern("/v1/policies/{name}"), "/v1/policies/{name}");
        assert_eq!(pattern("/filter/{sha256}.wasm"), "/filter/{sha256}");
        assert_eq!(pattern("/filter.wasm"), "/filter.wasm");
    }
}
