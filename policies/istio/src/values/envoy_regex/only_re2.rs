//! The syntax that RE2 has of that of Rust.

use regex_syntax::ast::{self, Ast, ClassSetItem, Flag, HexLiteralKind, LiteralKind, Visitor};

use super::EnvoyRegexError;
use crate::values::unicode_class::is_category;

/// The most often that RE2 repeats something.
const MAX_REPEATS: u32 = 1000;

/// Refuses what RE2 does not know.
#[derive(Debug, Default)]
pub(super) struct OnlyRe2 {
    /// The products of the counts that are around what is visited.
    counts: Vec<u32>,
}

impl Visitor for OnlyRe2 {
    type Output = ();
    type Err = EnvoyRegexError;

    fn finish(self) -> Result<(), EnvoyRegexError> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), EnvoyRegexError> {
        match ast {
            Ast::Flags(set) => flags(&set.flags),
            Ast::Group(group) => self::group(group),
            Ast::Literal(literal) => self::literal(literal),
            Ast::ClassUnicode(class) => unicode(class),
            Ast::Assertion(assertion) => match assertion.kind {
                ast::AssertionKind::StartLine
                | ast::AssertionKind::EndLine
                | ast::AssertionKind::StartText
                | ast::AssertionKind::EndText
                | ast::AssertionKind::WordBoundary
                | ast::AssertionKind::NotWordBoundary => Ok(()),
                _ => Err(EnvoyRegexError::Unknown("a boundary of one side of a word")),
            },
            Ast::Repetition(repetition) => self.repetition(repetition),
            _ => Ok(()),
        }
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), EnvoyRegexError> {
        if matches!(ast, Ast::Repetition(_)) {
            self.counts.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), EnvoyRegexError> {
        match item {
            ClassSetItem::Bracketed(_) => Err(EnvoyRegexError::Unknown("a class in a class")),
            ClassSetItem::Literal(literal) => self::literal(literal),
            ClassSetItem::Range(range) => literal(&range.start).and_then(|()| literal(&range.end)),
            ClassSetItem::Unicode(class) => unicode(class),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), EnvoyRegexError> {
        Err(EnvoyRegexError::Unknown("`&&`, `--` or `~~` in a class"))
    }
}

impl OnlyRe2 {
    fn repetition(&mut self, repetition: &ast::Repetition) -> Result<(), EnvoyRegexError> {
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return Err(EnvoyRegexError::Unknown("a repetition of a repetition; write a group between them"));
        }
        let count = match repetition.op.kind {
            ast::RepetitionKind::Range(
                ast::RepetitionRange::Exactly(most)
                | ast::RepetitionRange::AtLeast(most)
                | ast::RepetitionRange::Bounded(_, most),
            ) => most,
            _ => 1,
        };
        // What is never repeated counts for itself.
        let around = self.counts.last().copied().unwrap_or(1).max(1).saturating_mul(count);
        self.counts.push(around);
        if around > MAX_REPEATS {
            return Err(EnvoyRegexError::Unknown("counts over 1000, multiplied where one is in another"));
        }
        Ok(())
    }
}

fn group(group: &ast::Group) -> Result<(), EnvoyRegexError> {
    match &group.kind {
        ast::GroupKind::NonCapturing(set) => flags(set),
        ast::GroupKind::CaptureName { name, .. }
            if !name.name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) =>
        {
            Err(EnvoyRegexError::Unknown("a group whose name is not of letters, digits and `_`"))
        }
        _ => Ok(()),
    }
}

fn flags(flags: &ast::Flags) -> Result<(), EnvoyRegexError> {
    let is_known = |item: &ast::FlagsItem| match item.kind {
        ast::FlagsItemKind::Negation => true,
        ast::FlagsItemKind::Flag(flag) => matches!(
            flag,
            Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed
        ),
    };
    if flags.items.iter().all(is_known) {
        Ok(())
    } else {
        Err(EnvoyRegexError::Unknown("a flag but i, m, s and U"))
    }
}

fn literal(literal: &ast::Literal) -> Result<(), EnvoyRegexError> {
    match literal.kind {
        LiteralKind::HexFixed(HexLiteralKind::X) | LiteralKind::HexBrace(HexLiteralKind::X) => Ok(()),
        LiteralKind::HexFixed(_) | LiteralKind::HexBrace(_) => {
            Err(EnvoyRegexError::Unknown("`\\u` or `\\U`; write `\\x{…}`"))
        }
        _ => Ok(()),
    }
}

fn unicode(class: &ast::ClassUnicode) -> Result<(), EnvoyRegexError> {
    let is_known = match &class.kind {
        ast::ClassUnicodeKind::OneLetter(letter) => "LMNPSZC".contains(*letter),
        // Rust knows more names of scripts than RE2.
        ast::ClassUnicodeKind::Named(name) => is_category(name),
        ast::ClassUnicodeKind::NamedValue { .. } => false,
    };
    if is_known {
        Ok(())
    } else {
        Err(EnvoyRegexError::Unknown("a class of Unicode that is not a category such as `\\p{Lu}`"))
    }
}
