//! How a document is written: its nodes, and the bytes that each stands in.

use std::ops::Range;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};

use super::{
    cannot_edit::CannotEdit,
    text::{comment_column, is_blank, line_end, next_line, skip_trivia},
};

/// A node, as it is written.
#[derive(Debug)]
pub(super) struct Syntax {
    /// Its bytes, without its anchor and its tag. Those of a block scalar begin with the header; they and those of
    /// a block collection end before a line break.
    pub(super) range: Range<usize>,
    pub(super) form: Form,
    /// True if it has an anchor or a tag, or is an alias: a change of it is a change elsewhere too.
    pub(super) is_marked: bool,
}

#[derive(Debug)]
pub(super) enum Form {
    /// Nothing is written, which means `null`.
    Empty,
    Scalar(Quote),
    /// `|` or `>`: the end of the header, and the start of the content.
    BlockScalar {
        header_end: usize,
        content: usize,
    },
    Alias,
    Collection(Collection),
}

/// The quotes of a scalar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quote {
    #[default]
    None,
    Single,
    Double,
}

/// A map or a list.
#[derive(Debug)]
pub(super) struct Collection {
    /// True for `{…}` and `[…]`.
    pub(super) is_flow: bool,
    pub(super) is_map: bool,
    pub(super) members: Vec<Member>,
}

/// An entry of a map or an item of a list.
#[derive(Debug)]
pub(super) struct Member {
    /// The start of the key, or of the `-`; of an item of `[…]`, of its value.
    pub(super) start: usize,
    pub(super) key: Option<Key>,
    /// The end of the `:` or of the `-`.
    pub(super) head: usize,
    pub(super) value: Syntax,
    /// The place of the comma behind it.
    pub(super) comma: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) quote: Quote,
}

impl Member {
    pub(super) fn end(&self) -> usize {
        self.value.range.end.max(self.head)
    }

    /// True for `<<`, which takes the entries of another map.
    pub(super) fn is_merge(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.text == "<<" && key.quote == Quote::None)
    }
}

impl Syntax {
    /// Reads the one document of a text that the reader accepts.
    pub(super) fn of(text: &str) -> Result<Self, CannotEdit> {
        let mut reader = Reader { text, at: 0, events: events(text)?.into_iter() };
        reader.node()
    }

    /// The first place, here or below, that has an anchor, an alias, a tag or a merge key.
    pub(super) fn first_mark(&self) -> Option<usize> {
        if self.is_marked {
            return Some(self.range.start);
        }
        let Form::Collection(collection) = &self.form else { return None };
        collection.members.iter().find_map(|member| match member.is_merge() {
            true => Some(member.start),
            false => member.value.first_mark(),
        })
    }
}

type Spanned<'t> = (Event<'t>, Range<usize>);

/// The place of a directive, before the `---`.
pub(super) fn directive(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = text.get(at..line_end(text, at))?.trim_start_matches('\u{feff}');
        if line.starts_with('%') {
            return Some(at);
        }
        if at >= text.len() || !is_blank(line) && comment_column(line, 0).is_none() {
            return None;
        }
        at = next_line(text, at);
    }
}

/// The events of the document's nodes, and of its `---`.
fn events(text: &str) -> Result<Vec<Spanned<'_>>, CannotEdit> {
    let mut events = Vec::new();
    let options = options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|_| CannotEdit::at(text, 0, "it is not valid YAML"))?;
        let range = span.byte_range().ok_or_else(|| CannotEdit::at(text, 0, "it is not valid YAML"))?;
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            // Where the `---` ends, if there is one.
            Event::DocumentStart(..) if text.get(range.clone()) != Some("---") => {}
            event => events.push((event, range)),
        }
    }
    Ok(events)
}

/// Goes through a text along its events, so that what stands between them is known too.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    events: std::vec::IntoIter<Spanned<'t>>,
}

impl Reader<'_> {
    fn odd(&self, reason: &str) -> CannotEdit {
        CannotEdit::at(self.text, self.at, reason)
    }

    fn next_is(&self, wanted: &Event<'_>) -> bool {
        self.events.as_slice().first().is_some_and(|(event, _)| event == wanted)
    }

    /// Passes blanks and comments, then this character if it is there.
    fn pass(&mut self, character: char) -> Option<usize> {
        let at = skip_trivia(self.text, self.at);
        let found = self.text.get(at..).is_some_and(|rest| rest.starts_with(character));
        found.then(|| {
            self.at = at + character.len_utf8();
            at
        })
    }

    fn expect(&mut self, character: char) -> Result<usize, CannotEdit> {
        let found = self.pass(character);
        found.ok_or_else(|| {
            self.odd("it has a form of YAML that is seldom written, such as a `?` before a key")
        })
    }

    /// Passes an anchor and a tag.
    fn pass_properties(&mut self) {
        while self.pass('&').is_some() || self.pass('!').is_some() {
            let rest = self.text.get(self.at..).unwrap_or_default();
            self.at += rest.find([' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        }
    }

    fn node(&mut self) -> Result<Syntax, CannotEdit> {
        let (event, range) = self.events.next().ok_or_else(|| self.odd("it is empty"))?;
        let (anchor, is_tagged) = match &event {
            Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
            Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag) => {
                (*anchor, tag.is_some())
            }
            _ => (0, false),
        };
        let is_marked = anchor > 0 || is_tagged || matches!(event, Event::Alias(_));
        if is_marked {
            self.pass_properties();
        }
        match event {
            Event::DocumentStart(..) => {
                self.at = range.end;
                self.node()
            }
            Event::Alias(_) => Ok(self.token(range, Form::Alias, is_marked)),
            Event::Scalar(_, ScalarStyle::Plain, ..) if range.is_empty() => {
                Ok(Syntax { range: self.at..self.at, form: Form::Empty, is_marked })
            }
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                self.block_scalar(&range, is_marked)
            }
            Event::Scalar(_, style, ..) => Ok(self.token(range, Form::Scalar(quote(style)), is_marked)),
            Event::SequenceStart(style, ..) => {
                self.collection(range, style == StructureStyle::Flow, false, is_marked)
            }
            Event::MappingStart(style, ..) => {
                self.collection(range, style == StructureStyle::Flow, true, is_marked)
            }
            _ => Err(self.odd("it ends too early")),
        }
    }

    fn token(&mut self, range: Range<usize>, form: Form, is_marked: bool) -> Syntax {
        self.at = range.end;
        Syntax { range, form, is_marked }
    }

    fn block_scalar(&mut self, range: &Range<usize>, is_marked: bool) -> Result<Syntax, CannotEdit> {
        let start = skip_trivia(self.text, self.at);
        let line = self.text.get(start..line_end(self.text, start)).unwrap_or_default();
        if !line.starts_with(['|', '>']) {
            return Err(self.odd("its block scalars are not where they are looked for"));
        }
        let header = line.split([' ', '\t']).next().unwrap_or_default();
        let content = next_line(self.text, start);
        self.at = range.end.max(content);
        let written = self.text.get(content..self.at).unwrap_or_default();
        // Empty lines at the end are content only where the header says so.
        let trimmed = if header.contains('+') {
            written.strip_suffix('\n').map_or(written, |rest| rest.strip_suffix('\r').unwrap_or(rest))
        } else {
            written.trim_end_matches([' ', '\t', '\n', '\r'])
        };
        let end = if trimmed.is_empty() { line_end(self.text, start) } else { content + trimmed.len() };
        let form = Form::BlockScalar { header_end: start + header.len(), content };
        Ok(Syntax { range: start..end, form, is_marked })
    }

    fn collection(
        &mut self,
        range: Range<usize>,
        is_flow: bool,
        is_map: bool,
        is_marked: bool,
    ) -> Result<Syntax, CannotEdit> {
        let open = if is_map { '{' } else { '[' };
        if is_flow {
            self.expect(open)?;
        }
        let end = if is_map { Event::MappingEnd } else { Event::SequenceEnd };
        let mut members = Vec::new();
        while !self.next_is(&end) {
            members.push(self.member(is_flow, is_map)?);
        }
        let closing = self.events.next().map_or(0..0, |(_, range)| range);
        let form = Form::Collection(Collection { is_flow, is_map, members });
        let Form::Collection(Collection { members, .. }) = &form else { return Err(self.odd("it is empty")) };
        let whole = if is_flow {
            self.at = closing.end;
            range.start..closing.end
        } else {
            // The parser's own end is that of the blanks and comments below.
            let (first, last) = (members.first(), members.last());
            first.map_or(self.at, |member| member.start)..last.map_or(self.at, Member::end)
        };
        Ok(Syntax { range: whole, form, is_marked })
    }

    fn member(&mut self, is_flow: bool, is_map: bool) -> Result<Member, CannotEdit> {
        let (mut start, mut key) = (skip_trivia(self.text, self.at), None);
        self.at = start;
        if is_map {
            let Some((Event::Scalar(text, style, 0, None), range)) = self.events.next() else {
                return Err(self.odd("it has a key that is no plain text"));
            };
            if range.start != start {
                return Err(self.odd("it has a key that begins with `?`"));
            }
            self.at = range.end;
            key = Some(Key { text: text.into_owned(), quote: quote(style) });
            self.expect(':')?;
        } else if !is_flow {
            start = self.expect('-')?;
        }
        let head = self.at;
        let value = self.node()?;
        let comma = if is_flow { self.pass(',') } else { None };
        Ok(Member { start, key, head, value, comma })
    }
}

fn quote(style: ScalarStyle) -> Quote {
    match style {
        ScalarStyle::SingleQuoted => Quote::Single,
        ScalarStyle::DoubleQuoted => Quote::Double,
        _ => Quote::None,
    }
}
