//! The negotiation of a fetch, in one request.
//!
//! libgit2 sends the newest twenty commits that it has, and more of them until the server knows one; then it asks for the
//! pack in another request. Here the first request asks for the pack at once: one process of the server and one round trip
//! less. The answer is given to libgit2 in two parts, as the server would have sent it: the acknowledgements, and the pack
//! with what stands before it, once libgit2 asks for that.
//!
//! The pack is the one that libgit2 gets otherwise, unless the server has none of these twenty commits, as one that was
//! made anew, or that has pruned what a push by force replaced. It sends all commits then, as to a new clone, and libgit2
//! would have offered more. A server that still has a commit knows it, whether a branch leads there or not.

use std::io::{self, Cursor};

use crate::{
    answer::{Content, chained},
    failure::Failure,
    first_packet::FirstPacket,
};

const FLUSH: &[u8] = b"0000";
const DONE: &[u8] = b"0009done\n";
/// The end of acknowledgements.
const NAK: &[u8] = b"0008NAK\n";
/// The most acknowledgements that are read: libgit2 offers no more commits.
const MOST: usize = 256;

/// The rest of an answer whose pack libgit2 has not asked for yet.
#[derive(Default)]
pub(crate) struct Negotiation(Option<Content>);

impl Negotiation {
    /// The answer to a request of libgit2. `send` gets it from the server.
    pub(crate) fn answer(
        &mut self,
        request: &[u8],
        send: impl FnOnce(&[u8]) -> Result<Content, Failure>,
    ) -> Result<Content, Failure> {
        match (self.0.take(), request.ends_with(DONE)) {
            (Some(rest), true) => return Ok(rest),
            // The server knows none of the commits before, and need not know of these: the pack is here.
            (Some(rest), false) => {
                self.0 = Some(rest);
                return Ok(Box::new(NAK));
            }
            (None, _) => {}
        }
        let Some(hurried) = hurried(request) else { return send(request) };
        let (acknowledged, rest) = split(send(&hurried)?).map_err(|_| Failure::Broken)?;
        self.0 = Some(rest);
        Ok(Box::new(Cursor::new(acknowledged)))
    }
}

/// The same request with the wish for the pack, if it has nothing but wants and commits that the client has.
fn hurried(request: &[u8]) -> Option<Vec<u8>> {
    let mut rest = request.strip_suffix(FLUSH)?;
    let first = packet(&mut rest)?;
    // Servers without it acknowledge one commit alone, and end in another way.
    let is_detailed =
        |want: &[u8]| want.split(|byte| *byte == b' ').any(|word| word == b"multi_ack_detailed");
    if !first.starts_with(b"want ") || !is_detailed(&first) {
        return None;
    }
    let mut has_ended = false;
    while !rest.is_empty() {
        let packet = packet(&mut rest)?;
        match packet.as_slice() {
            [] if !has_ended => has_ended = true,
            [b'w', b'a', b'n', b't', b' ', ..] if !has_ended => {}
            [b'h', b'a', b'v', b'e', b' ', ..] if has_ended => {}
            _ => return None,
        }
    }
    has_ended.then(|| [request.strip_suffix(FLUSH).unwrap_or_default(), DONE].concat())
}

fn packet(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    FirstPacket::read(bytes).ok()?.content().map(<[u8]>::to_vec)
}

/// The acknowledgements that an answer begins with, and all that follows.
fn split(mut answer: Content) -> io::Result<(Vec<u8>, Content)> {
    let mut acknowledged = Vec::new();
    for _ in 0..MOST {
        let packet = FirstPacket::read(&mut answer)?;
        if !packet.content().is_some_and(is_one_of_several) {
            answer = chained(packet, answer);
            break;
        }
        acknowledged.extend_from_slice(&packet.bytes);
    }
    acknowledged.extend_from_slice(NAK);
    Ok((acknowledged, answer))
}

/// True for `ACK COMMIT common` and its like. What stands before the pack has no third word.
fn is_one_of_several(packet: &[u8]) -> bool {
    packet.starts_with(b"ACK ") && packet.split(|byte| *byte == b' ').count() == 3
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::{collection::vec, prelude::*};

    use super::{Content, Negotiation};
    use crate::failure::Failure;

    fn packets(contents: &[&str]) -> Vec<u8> {
        let packet = |content: &&str| match *content {
            "" => "0000".to_owned(),
            content => format!("{:04x}{content}", content.len() + 4),
        };
        contents.iter().map(packet).collect::<String>().into_bytes()
    }

    const WANT: &str = "want 1 multi_ack_detailed ofs-delta\n";

    /// The answers to these requests, and what the server was sent, which answers all with the same.
    fn negotiated(requests: &[Vec<u8>], answer: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let (mut negotiation, mut sent) = (Negotiation::default(), Vec::new());
        let answers = requests.iter().map(|request| {
            let mut content = negotiation
                .answer(request, |request| {
                    sent.push(request.to_vec());
                    Ok::<Content, Failure>(Box::new(std::io::Cursor::new(answer.to_vec())))
                })
                .unwrap();
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            bytes
        });
        (answers.collect(), sent)
    }

    #[test]
    fn the_pack_is_asked_for_at_once_and_handed_out_when_libgit2_asks() {
        let first = packets(&[WANT, "want 2\n", "", "have 3\n", "have 4\n", ""]);
        let second = packets(&[WANT, "want 2\n", "", "have 3\n", "done\n"]);
        let acknowledged = ["ACK 3 common\n", "ACK 3 ready\n"];
        let pack = [&packets(&["ACK 3\n"])[..], b"0009\x01PACK"].concat();
        let (answers, sent) = negotiated(&[first, second], &[packets(&acknowledged), pack.clone()].concat());
        assert_eq!(sent, [packets(&[WANT, "want 2\n", "", "have 3\n", "have 4\n", "done\n"])]);
        assert_eq!(answers, [[packets(&acknowledged), packets(&["NAK\n"])].concat(), pack]);
    }

    #[test]
    fn a_server_that_knows_no_commit_is_asked_once() {
        let more = packets(&[WANT, "", "have 4\n", ""]);
        let requests = [packets(&[WANT, "", "have 3\n", ""]), more, packets(&[WANT, "", "done\n"])];
        let pack = [&packets(&["NAK\n"])[..], b"0009\x01PACK"].concat();
        let (answers, sent) = negotiated(&requests, &pack);
        assert_eq!(sent, [packets(&[WANT, "", "have 3\n", "done\n"])]);
        assert_eq!(answers, [packets(&["NAK\n"]), packets(&["NAK\n"]), pack]);
    }

    #[test]
    fn any_other_request_is_sent_as_it_is() {
        for request in [
            packets(&[WANT, "", "done\n"]),
            packets(&[WANT, "", "have 3\n", "done\n"]),
            packets(&["want 1 multi_ack ofs-delta\n", "", "have 3\n", ""]),
            packets(&[WANT, "deepen 1\n", "", "have 3\n", ""]),
            packets(&[WANT, "shallow 1\n", "", "have 3\n", ""]),
            packets(&[WANT, "have 3\n", ""]),
            packets(&[WANT, ""]),
            packets(&["have 3\n", ""]),
            packets(&[""]),
            Vec::new(),
        ] {
            let answer = packets(&["ACK 3 common\n", "NAK\n"]);
            let requests = [request];
            assert_eq!(negotiated(&requests, &answer), (vec![answer], requests.to_vec()));
        }
    }

    proptest! {
        /// Whatever the server sends: what libgit2 gets is that, with the end of acknowledgements between.
        #[test]
        fn no_byte_of_an_answer_is_lost(
            packets_before in vec("ACK [0-9a-f]{4}( (common|ready|x y))?\n|NAK\n|[ -~]{1,9}", 0..9),
            rest in vec(any::<u8>(), 0..99),
        ) {
            let before: Vec<_> = packets_before.iter().map(String::as_str).collect();
            let answer = [packets(&before), rest].concat();
            let requests = [packets(&[WANT, "", "have 3\n", ""]), packets(&[WANT, "", "done\n"])];
            let (answers, sent) = negotiated(&requests, &answer);
            prop_assert_eq!(sent.len(), 1);
            let acknowledged = answers[0].strip_suffix(b"0008NAK\n").unwrap();
            prop_assert_eq!([acknowledged, &answers[1]].concat(), answer);
        }
    }
}
