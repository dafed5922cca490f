//! The attributes of a request, as the host gives them.

use policies::{Timestamp, language::Direction};

/// Attributes of a request, each a call into the host.
pub trait RequestSource {
    /// Time of day.
    fn now(&self) -> Timestamp;

    /// Value of a header field, or of a pseudo-header such as `:path`.
    fn header(&self, name: &str) -> Option<Vec<u8>>;

    /// All header fields and pseudo-headers as an encoded map. It costs the host as much as two fields.
    fn header_map(&self) -> Option<Vec<u8>>;

    /// Direction of the listener.
    fn direction(&self) -> Option<Direction>;

    /// Cluster that the route has chosen.
    fn cluster(&self) -> Option<Vec<u8>>;

    /// Takes the decision about the request; `false` if another plugin of this proxy has taken it.
    fn claim(&self) -> bool;

    /// URI in the certificate by which the peer opened this connection.
    fn certificate(&self) -> Option<Vec<u8>>;

    /// URI in the certificate by which the peer opened the tunnel that this connection came through, as the
    /// listener that ends the tunnel has recorded it.
    fn tunnel_principal(&self) -> Option<Vec<u8>>;
}
