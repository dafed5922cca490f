//! The members of a key in `jwks`.

/// The members of a key that are secret (RFC 7518).
pub const SECRET_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];
