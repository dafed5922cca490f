//! The methods of `allowMethods`.

/// The methods that Istio takes for CORS.
pub const CORS_METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"];
