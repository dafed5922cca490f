//! The health check of gRPC, as bytes: one string asked, one number answered.

/// The path of the method.
pub(super) const METHOD: &str = "/grpc.health.v1.Health/Check";

/// A message `HealthCheckRequest` in its frame.
pub(super) fn request(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        // Field 1, a string, with its length as a varint.
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend(service.as_bytes());
    }
    // Not compressed, then the length.
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap_or_default().to_be_bytes());
    frame.extend(message);
    frame
}

/// True if a frame holds a `HealthCheckResponse` that says SERVING: field 1 is 1.
pub(super) fn is_serving(frame: &[u8]) -> bool {
    frame == [0, 0, 0, 0, 2, 0x08, 1]
}

#[cfg(test)]
mod tests {
    use super::{is_serving, request};

    #[test]
    fn a_request_names_the_service() {
        assert_eq!(request(""), [0, 0, 0, 0, 0]);
        assert_eq!(request("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        assert_eq!(request(&"x".repeat(200))[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
    }

    #[test]
    fn only_serving_is_good() {
        assert!(is_serving(&[0, 0, 0, 0, 2, 8, 1]));
        for frame in [&[][..], &[0, 0, 0, 0, 0], &[0, 0, 0, 0, 2, 8, 2], &[0, 0, 0, 0, 2, 8, 1, 0]] {
            assert!(!is_serving(frame), "{frame:?}");
        }
    }
}
