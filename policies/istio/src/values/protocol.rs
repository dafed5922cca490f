//! Protocols of ports.

/// The protocols that Istio knows.
const KNOWN: [&str; 12] = [
    "HTTP",
    "HTTPS",
    "TLS",
    "TCP",
    "GRPC",
    "GRPC-WEB",
    "HTTP2",
    "HTTP_PROXY",
    "MONGO",
    "MYSQL",
    "REDIS",
    "UDP",
];

/// A protocol of a port, in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Protocol(&'static str);

/// The error of a text that names none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a protocol: {known}", known = KNOWN.join(", "))]
pub struct ProtocolError(String);

impl Protocol {
    pub const HTTP: Self = Self("HTTP");

    /// The protocol that a port is known for.
    pub fn of_port(number: u32) -> Self {
        match number {
            80 => Self("HTTP"),
            443 => Self("TLS"),
            _ => Self("TCP"),
        }
    }

    pub fn name(self) -> &'static str {
        self.0
    }

    /// True if its requests say which host they are for.
    pub fn names_host(self) -> bool {
        matches!(self.0, "HTTP" | "HTTPS" | "TLS" | "GRPC" | "GRPC-WEB" | "HTTP2" | "HTTP_PROXY")
    }

    /// Its name as part of the name of a port.
    pub fn in_port_name(self) -> String {
        self.0.to_ascii_lowercase().replace('_', "-")
    }
}

impl TryFrom<&str> for Protocol {
    type Error = ProtocolError;

    fn try_from(text: &str) -> Result<Self, ProtocolError> {
        let found = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(text));
        found.map(Self).ok_or_else(|| ProtocolError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn protocols_are_known_in_any_case() {
        assert_eq!(Protocol::try_from("grpc-web").map(Protocol::name), Ok("GRPC-WEB"));
        assert!(Protocol::try_from("AMQP").is_err_and(|error| error.to_string().contains("HTTP, HTTPS")));
    }
}
