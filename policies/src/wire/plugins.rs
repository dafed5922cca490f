//! The plugins of hfi that run in a proxy, as a poll names them.

use super::short_set;

/// The most plugins that a poll names.
const MOST: usize = 16;
/// The longest value of the header, in bytes.
const MAX_BYTES: usize = 512;

/// The name of a `WasmPlugin`, as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginName(Box<str>);

impl PluginName {
    /// Reads `namespace/name`; `None` if Kubernetes would allow no such names.
    pub fn parse(value: &str) -> Option<Self> {
        let (namespace, name) = value.split_once('/')?;
        let is_name_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = (1..=63).contains(&namespace.len())
            && namespace.bytes().all(is_name_byte)
            && (1..=253).contains(&name.len())
            && name.bytes().all(|byte| is_name_byte(byte) || byte == b'.');
        is_name.then(|| Self(value.into()))
    }

    /// The name of a plugin as Istio gives it to Envoy: `NAMESPACE.NAME`, after `~` a mark if Istio has made
    /// the object of another one, and in some places after a kind and `/`.
    pub fn from_envoy(name: &str) -> Option<Self> {
        let name = name.rsplit('/').next()?.split('~').next()?;
        let (namespace, name) = name.split_once('.')?;
        Self::parse(&format!("{namespace}/{name}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The plugins of one proxy, as the header [`PLUGINS`](super::poll::PLUGINS) carries them: 1 to 16 names,
/// sorted, with commas between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginNames(Box<str>);

impl PluginNames {
    /// `None` if there are none, or more than the header carries: a part of them would say that the others
    /// do not run.
    pub fn new(names: impl IntoIterator<Item = PluginName>) -> Option<Self> {
        let names = names.into_iter().fold(Vec::new(), |mut known, name| {
            short_set::insert(&mut known, name);
            known
        });
        let joined = names.iter().map(PluginName::as_str).collect::<Vec<_>>().join(",");
        let fits = (1..=MOST).contains(&names.len()) && joined.len() <= MAX_BYTES;
        fits.then(|| Self(joined.into()))
    }

    /// Reads the value of the header; `None` if it is not such a list, in any order.
    pub fn parse(value: &str) -> Option<Self> {
        // Before anything of it is kept.
        if value.len() > MAX_BYTES {
            return None;
        }
        let names = value.split(',').map(|name| PluginName::parse(name.trim_matches([' ', '\t'])));
        Self::new(names.collect::<Option<Vec<_>>>()?)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each name, as `namespace/name`.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(',')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PluginName, PluginNames};

    #[test]
    fn a_plugin_is_known_by_what_istio_calls_it() {
        for (envoy, name) in [
            ("demo.hfi-inbound", Some("demo/hfi-inbound")),
            ("demo.hfi.out~istio-translated-wasmplugin", Some("demo/hfi.out")),
            ("extensions.istio.io/wasmplugin/demo.hfi", Some("demo/hfi")),
            ("hfi", None),
            ("", None),
            (".hfi", None),
            ("demo.", None),
            ("demo.hfi,demo", None),
            ("demo.h\r\nx: y", None),
            ("Demo.hfi", None),
        ] {
            let read = PluginName::from_envoy(envoy);
            assert_eq!(read.as_ref().map(PluginName::as_str), name, "{envoy}");
        }
    }

    #[test]
    fn a_list_is_the_same_in_any_order() {
        let names = PluginNames::parse("demo/out, demo/in,demo/out").unwrap();
        assert_eq!(names.as_str(), "demo/in,demo/out");
        assert_eq!(names.iter().collect::<Vec<_>>(), ["demo/in", "demo/out"]);
    }

    #[test]
    fn what_is_no_list_of_names_is_nothing() {
        let many: Vec<_> = (0..17).map(|number| format!("demo/p{number}")).collect();
        let long = |number: usize| format!("{}/{number}", "n".repeat(63));
        let long: Vec<_> = (0..16).map(long).collect();
        for bad in [
            "",
            ",",
            "hfi",
            "demo/",
            "/hfi",
            "demo/hfi,",
            "demo/hfi/x",
            "demo/hfi;x",
            "demo/<b>",
            "demo/é",
            &many.join(","),
            &long.join(","),
            &format!("{}/a", "n".repeat(64)),
            &format!("demo/{}", "n".repeat(254)),
        ] {
            assert_eq!(PluginNames::parse(bad), None, "{bad}");
        }
        assert!(PluginNames::parse(&many[..16].join(",")).is_some());
        let names =
            |list: &[String]| list.iter().filter_map(|name| PluginName::parse(name)).collect::<Vec<_>>();
        assert_eq!(
            (names(&many).len(), PluginNames::new(names(&many))),
            (17, None),
            "no part of them is told"
        );
        assert_eq!(PluginNames::new([]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_read_is_a_value_of_the_header(value in "[a-c/.,~ -]{0,40}|\\PC{0,200}") {
            if let Some(names) = PluginNames::parse(&value) {
                prop_assert_eq!(PluginNames::parse(names.as_str()), Some(names.clone()));
                prop_assert!(names.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            }
            if let Some(name) = PluginName::from_envoy(&value) {
                prop_assert_eq!(PluginName::parse(name.as_str()), Some(name));
            }
        }
    }
}
