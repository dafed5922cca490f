//! What a client says is read however it comes in parts, and nonsense is refused.

use proptest::prelude::*;

use super::header_block::Compressor;
use super::{CONTROL, Frame, Headers, OPEN, PING, Session, VERSION, frame};

fn control(kind: u16, payload: &[u8]) -> Vec<u8> {
    let ([a, b], [c, d]) = ((CONTROL | VERSION).to_be_bytes(), kind.to_be_bytes());
    frame([a, b, c, d], 0, payload)
}

fn open(compressor: &mut Compressor, stream: u32, headers: &Headers) -> Vec<u8> {
    let mut payload = stream.to_be_bytes().to_vec();
    payload.extend([0; 6]);
    payload.extend(compressor.compress(headers).unwrap());
    control(OPEN, &payload)
}

fn headers(port: &str) -> Headers {
    [("streamtype", "data"), ("port", port)].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[test]
fn the_dictionary_is_the_one_of_the_specification() {
    let dictionary = super::dictionary::dictionary();
    assert_eq!(dictionary.len(), 1423);
    // The number by which zlib names it.
    let (a, b) = dictionary.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    assert_eq!(b << 16 | a, 0xe3c6_a7c2);
}

#[test]
fn frames_are_read_however_they_come() {
    let mut compressor = Compressor::new().unwrap();
    let ping = control(PING, &7_u32.to_be_bytes());
    let mut bytes = open(&mut compressor, 1, &headers("80"));
    bytes.extend(open(&mut compressor, 3, &headers("8080")));
    bytes.extend(Session::data(3, b"GET", true));
    bytes.extend(&ping);
    let expected = [
        Frame::Open { stream: 1, headers: headers("80") },
        Frame::Open { stream: 3, headers: headers("8080") },
        Frame::Data { stream: 3, bytes: b"GET".to_vec(), is_last: true },
        Frame::Ping { bytes: ping },
    ];
    for size in [1, 7, bytes.len()] {
        let mut session = Session::new().unwrap();
        let frames = bytes.chunks(size).flat_map(|part| session.read(part).unwrap());
        assert_eq!(frames.collect::<Vec<_>>(), expected, "{size}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8)) {
        let mut session = Session::new().unwrap();
        for part in parts {
            let _ = session.read(&part);
        }
    }

    #[test]
    fn no_payload_makes_it_panic(kind in 0_u16..12, payload in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Session::new().unwrap().read(&control(kind, &payload));
    }
}
