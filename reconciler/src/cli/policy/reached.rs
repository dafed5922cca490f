//! The filters that a policy reaches.

use policies::{Scope, language::Selector};

use crate::api::filters::Filter;

/// True if the selector is for the workload of a filter.
pub(super) fn is_for(selector: &Selector, filter: &Filter) -> bool {
    let names =
        |names: &str| names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (namespaces, services) = (names(&filter.namespace), names(&filter.service));
    let scope = Scope::new(namespaces.iter().map(String::as_str), services.iter().map(String::as_str));
    scope.is_ok_and(|scope| scope.is_selected_by(selector))
}
