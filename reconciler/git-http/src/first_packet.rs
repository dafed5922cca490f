//! The first packet of an answer (gitprotocol-common: pkt-line).

use std::io::{self, Read};

/// The first packet, and all bytes that were read for it.
pub(crate) struct FirstPacket {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_packet: bool,
}

const PREFIX: usize = 4;
/// The largest packet, with its prefix.
const LARGEST: usize = 65_520;

impl FirstPacket {
    /// Reads it. An answer that is shorter than it says, or holds no packets, is no error here.
    pub(crate) fn read(answer: &mut impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        answer.take(PREFIX as u64).read_to_end(&mut bytes)?;
        let length =
            str::from_utf8(&bytes).ok().filter(|prefix| prefix.len() == PREFIX).and_then(hexadecimal);
        // 0 to 2 are packets without content.
        let is_packet = length.is_some_and(|length| length < 3 || (PREFIX..=LARGEST).contains(&length));
        let rest = length.filter(|_| is_packet).map_or(0, |length| length.saturating_sub(PREFIX));
        answer.take(rest as u64).read_to_end(&mut bytes)?;
        Ok(Self { is_packet: is_packet && bytes.len() == PREFIX + rest, bytes })
    }

    /// The content, if it is a whole packet.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        self.bytes.get(PREFIX..).filter(|_| self.is_packet)
    }
}

fn hexadecimal(text: &str) -> Option<usize> {
    // `from_str_radix` would take a sign.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    usize::from_str_radix(text, 16).ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::{collection::vec, prelude::*};

    use super::FirstPacket;

    proptest! {
        #[test]
        fn a_packet_is_read_and_no_byte_of_the_answer_is_lost(content in vec(any::<u8>(), 0..3000), rest: Vec<u8>) {
            let answer = [format!("{:04x}", content.len() + 4).as_bytes(), &content, &rest].concat();
            let mut reader = answer.as_slice();
            let first = FirstPacket::read(&mut reader).unwrap();
            prop_assert_eq!(first.content(), Some(content.as_slice()));
            let mut all = first.bytes;
            reader.read_to_end(&mut all).unwrap();
            prop_assert_eq!(all, answer);
        }

        #[test]
        fn any_bytes_are_read_without_loss(answer: Vec<u8>) {
            let mut reader = answer.as_slice();
            let mut all = FirstPacket::read(&mut reader).unwrap().bytes;
            reader.read_to_end(&mut all).unwrap();
            prop_assert_eq!(all, answer);
        }
    }

    #[test]
    fn what_breaks_off_or_has_no_length_is_no_packet() {
        for answer in ["", "00", "0009abc", "+008abcd", "<htm", "0003", "fff5"] {
            let first = FirstPacket::read(&mut answer.as_bytes()).unwrap();
            assert_eq!(first.content(), None, "{answer}");
        }
        assert_eq!(FirstPacket::read(&mut "0000".as_bytes()).unwrap().content(), Some(&b""[..]));
    }
}
