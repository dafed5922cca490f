//! The text that Prometheus scrapes, in the format of OpenMetrics.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::text,
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

/// The content type of [`Exposition::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of one scrape. Every name gets the prefix `hfi_`.
#[derive(Debug)]
pub struct Exposition {
    pub(super) registry: Registry,
}

impl Default for Exposition {
    fn default() -> Self {
        Self { registry: Registry::with_prefix("hfi") }
    }
}

impl Exposition {
    /// Adds texts, as the labels of `hfi_NAME_info`.
    pub fn info<const N: usize>(&mut self, name: &str, help: &str, labels: [(&'static str, String); N]) {
        self.registry.register(name, help, Info::new(labels));
    }

    /// Adds one value.
    pub fn gauge(&mut self, name: &str, help: &str, value: usize) {
        let gauge = Gauge::<i64>::default();
        gauge.set(value as i64);
        self.registry.register(name, help, gauge);
    }

    /// Adds a value for each value of a label.
    pub fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'static str, usize)>,
    ) {
        let family = Family::<[(&str, &str); 1], Gauge>::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of)]).set(value as i64);
        }
        self.registry.register(name, help, family);
    }

    /// Adds a duration, as `hfi_NAME_seconds`.
    pub fn seconds(&mut self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        self.registry.register_with_unit(name, help, Unit::Seconds, gauge);
    }

    /// Adds a value for each set of labels.
    pub fn values<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([(&'static str, String); N], f64)>,
    ) {
        self.registry.register(name, help, family(values));
    }

    /// Adds a time or a duration for each set of labels, as `hfi_NAME_seconds`.
    pub fn seconds_of<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([(&'static str, String); N], f64)>,
    ) {
        self.registry.register_with_unit(name, help, Unit::Seconds, family(values));
    }

    /// The text of all metrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

fn family<const N: usize>(
    values: impl IntoIterator<Item = ([(&'static str, String); N], f64)>,
) -> Family<[(&'static str, String); N], Gauge<f64, AtomicU64>> {
    let family = Family::<[(&'static str, String); N], Gauge<f64, AtomicU64>>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    family
}
