//! Server-sent events, read.

/// The longest event that is kept, in bytes. A longer one is left out.
const LONGEST: usize = 1024 * 1024;

/// An event with its name and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSent {
    pub name: String,
    pub data: String,
}

/// A reader of `text/event-stream`, which gets the bytes as they arrive.
#[derive(Debug, Default)]
pub struct EventReader {
    /// A line that is not whole yet.
    line: Vec<u8>,
    name: String,
    data: String,
    size: usize,
}

impl EventReader {
    /// Takes bytes; returns the events that are whole with them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<ServerSent> {
        let mut events = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                self.size += 1;
                if self.size <= LONGEST {
                    self.line.push(byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            events.extend(self.take(line.strip_suffix('\r').unwrap_or(&line)));
        }
        events
    }

    /// Takes a line; an empty one ends an event.
    fn take(&mut self, line: &str) -> Option<ServerSent> {
        if line.is_empty() {
            let is_whole = std::mem::take(&mut self.size) <= LONGEST;
            let event =
                ServerSent { name: std::mem::take(&mut self.name), data: std::mem::take(&mut self.data) };
            return (is_whole && !event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" if self.data.is_empty() => value.clone_into(&mut self.data),
            "data" => self.data += &format!("\n{value}"),
            // A comment, or a field that says nothing here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EventReader, LONGEST, ServerSent};

    fn event(name: &str, data: &str) -> ServerSent {
        ServerSent { name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_are_read_between_comments_and_foreign_fields() {
        let stream =
            b":\n\nevent: snapshot\ndata: {\"a\":1}\n\n:\n\nid: 7\r\ndata:x\r\ndata: y\r\n\r\nevent: e\n\n";
        let events = EventReader::default().push(stream);
        assert_eq!(events, [event("snapshot", "{\"a\":1}"), event("", "x\ny")]);
    }

    #[test]
    fn an_event_that_is_too_long_is_left_out_and_the_next_one_read() {
        let mut reader = EventReader::default();
        let long = [b"data: ", &vec![b'x'; LONGEST][..], b"\n\n"].concat();
        assert_eq!(reader.push(&long), []);
        assert_eq!(reader.push(b"data: y\n\n"), [event("", "y")]);
        assert_eq!(reader.push(&vec![b'x'; 2 * LONGEST]), []);
        assert!(reader.line.len() <= LONGEST, "it keeps no more than that");
    }

    proptest! {
        #[test]
        fn the_pieces_in_which_bytes_arrive_change_nothing(
            stream in "((event|data|id)?:? ?[a-z:]{0,5}(\n|\r\n)){0,12}", at in 0..80_usize,
        ) {
            let whole = EventReader::default().push(stream.as_bytes());
            let (first, second) = stream.as_bytes().split_at(at.min(stream.len()));
            let mut reader = EventReader::default();
            prop_assert_eq!([reader.push(first), reader.push(second)].concat(), whole);
        }

        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            EventReader::default().push(&bytes);
        }
    }
}
