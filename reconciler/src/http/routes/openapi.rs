//! `GET /openapi.json`: all of this for machines.

use axum::{http::header, response::IntoResponse};

/// Kept by hand beside the handlers; a test holds it against what they answer.
const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn get() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn every_route_is_in_the_document() {
        let document: Value = serde_json::from_str(super::DOCUMENT).unwrap();
        let routes = include_str!("../router.rs").split(".route(\"").skip(1);
        let routes: Vec<_> = routes.map(|rest| rest.split_once('"').unwrap().0).collect();
        assert!(routes.len() > 10, "{routes:?}");
        for route in routes {
            // A pattern of the router is a whole segment.
            let path = route.replace("/filter/{file}", "/filter/{sha256}.wasm");
            assert!(document["paths"][&path].is_object(), "{route} is not in openapi.json");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(super::DOCUMENT).unwrap();
        let references = super::DOCUMENT.split("\"$ref\": \"#").skip(1);
        for reference in references.map(|rest| rest.split_once('"').unwrap().0) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
