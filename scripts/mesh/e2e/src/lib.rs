//! The end-to-end tests, one file per behaviour:
//! - `tests/behaviour`: what hfi promises, shown on git, the `hfi` binary, the filter module and Envoy;
//! - `tests/deploy`: the manifests, the image and the scripts around them, held against what they
//!   configure.
//!
//! `scripts/test e2e` and `scripts/test deploy` run them. The library itself is empty.
