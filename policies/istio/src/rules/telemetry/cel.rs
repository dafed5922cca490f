//! Expressions of CEL, as far as rules look at them.

/// A piece of an expression, as far as these rules look.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// Names with dots between them: `response.code`.
    Path(&'a str),
    Other(char),
}

/// The pieces without texts and blanks; nothing if a text does not end.
pub(super) fn pieces(expression: &str) -> Option<Vec<Piece<'_>>> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let in_path = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
        let length = match first {
            '"' | '\'' => {
                let inside = rest.get(1..)?;
                let mut escaped = false;
                let end = inside.find(|letter| {
                    let ends = letter == first && !escaped;
                    escaped = letter == '\\' && !escaped;
                    ends
                })?;
                found.push(Piece::Other('"'));
                end + 2
            }
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                let end = rest.find(|letter| !in_path(letter)).unwrap_or(rest.len());
                found.push(Piece::Path(rest.get(..end)?));
                end
            }
            letter if letter.is_ascii_digit() => {
                found.push(Piece::Other('0'));
                rest.find(|letter| !in_path(letter)).unwrap_or(rest.len())
            }
            letter => {
                if !letter.is_whitespace() {
                    found.push(Piece::Other(letter));
                }
                letter.len_utf8()
            }
        };
        rest = rest.get(length..)?;
    }
    Some(found)
}

/// True if brackets are closed in their order, and no operator stands at an end.
pub(super) fn is_well_formed(expression: &str) -> bool {
    let Some(pieces) = pieces(expression) else { return false };
    let mut open = Vec::new();
    for piece in &pieces {
        let &Piece::Other(letter) = piece else { continue };
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(letter) => return false,
            _ => {}
        }
    }
    let operator = |piece: Option<&Piece>, signs: &str| matches!(piece, Some(Piece::Other(sign)) if signs.contains(*sign));
    open.is_empty()
        && !pieces.is_empty()
        && !operator(pieces.first(), "&|=<>*/%?:,")
        && !operator(pieces.last(), "&|=<>!+-*/%?:,.")
}
