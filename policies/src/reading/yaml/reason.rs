//! The reason why a text is no YAML, in our own words.

use serde_yaml::{Error, ExternalMessageSource, granit_parser::ErrorKind};

/// The beginning of the one message that our own reading of YAML reports through the library.
pub(super) const KEY: &str = "a key must be a string, not ";

/// The reason why a document cannot be read.
pub(super) enum Reason {
    /// It is deeper or larger than its bounds.
    Bounds,
    /// It is no YAML, and this sentence says what to correct.
    Syntax(String),
}

impl Reason {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => Self::of(error),
            Error::ExternalMessage { source, .. } => match &**source {
                ExternalMessageSource::Parser(error) => Self::of_parser(error.kind()),
                _ => said(UNKNOWN),
            },
            Error::Budget { .. }
            | Error::AliasReplayCounterOverflow { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. } => Self::Bounds,
            Error::Message { msg, .. } if msg.starts_with(KEY) => Self::Syntax(msg.clone()),
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                Self::Syntax(format!("the key `{key}` occurs twice in one map; keep one"))
            }
            Error::DuplicateMappingKey { key: None, .. } => said("a key occurs twice in one map; keep one"),
            Error::UnknownAnchor { .. } => said(ALIAS),
            Error::MergeValueNotMapOrSeqOfMaps { .. } => said("`<<` takes a map or a list of maps"),
            Error::FoldedBlockScalarMustIndentContent { .. } => {
                said("the lines below `>` or `|` must be indented further than its key")
            }
            Error::Eof { .. } => said("the document ends too early"),
            Error::ContainerEndMismatch { .. } => said(BRACKET),
            Error::UnsupportedTag { .. }
            | Error::TaggedScalarCannotDeserializeIntoString { .. }
            | Error::InvalidBinaryBase64 { .. }
            | Error::BinaryNotUtf8 { .. }
            | Error::InvalidScalar { .. } => said(TAG),
            _ => said(UNKNOWN),
        }
    }

    fn of_parser(kind: &ErrorKind) -> Self {
        use ErrorKind as Kind;
        said(match kind {
            Kind::RecursionLimitExceeded | Kind::AnchorCountOverflow => return Self::Bounds,
            Kind::UnclosedFlowCollection { open } => {
                return Self::Syntax(format!("`{}` is never closed", open.escape_default()));
            }
            Kind::MismatchedFlowCollectionEnd { open, close } => {
                return Self::Syntax(format!(
                    "`{}` is closed by `{}`",
                    open.escape_default(),
                    close.escape_default()
                ));
            }
            Kind::UnexpectedCharacter { character } => {
                return Self::Syntax(format!(
                    "no value can begin with `{}`; put a text that does in quotes",
                    character.escape_default()
                ));
            }
            Kind::UnexpectedEofFlowSequence => "`[` is never closed",
            Kind::UnexpectedEofFlowMapping | Kind::UnexpectedEofImplicitFlowMapping => "`{` is never closed",
            Kind::MisplacedFlowCollectionEnd => BRACKET,
            Kind::ExpectedFlowMappingSeparator => "in `{…}`, a `,` is missing before this, or the `}`",
            Kind::ExpectedFlowSequenceSeparator => "in `[…]`, a `,` is missing before this, or the `]`",
            Kind::UnclosedQuotedScalar => "a quote is never closed",
            Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => {
                "something follows the closing quote; put all of the value in quotes"
            }
            Kind::UnknownQuotedScalarEscape
            | Kind::InvalidQuotedScalarHexEscape
            | Kind::InvalidLowSurrogateHexEscape
            | Kind::InvalidLowSurrogate
            | Kind::MissingLowSurrogate
            | Kind::UnpairedLowSurrogate
            | Kind::InvalidUnicodeEscape => {
                "in double quotes a backslash begins an escape, and YAML has none like this; use single quotes"
            }
            Kind::TabNotAllowed
            | Kind::TabInBlockIndentation
            | Kind::TabInIndentation
            | Kind::TabAtBlockScalarStart
            | Kind::TabInPlainScalar => "there is a tab where YAML takes only spaces",
            Kind::InvalidIndentation
            | Kind::InvalidBlockScalarIndent
            | Kind::InvalidQuotedScalarIndent
            | Kind::InvalidFlowScalarIndent
            | Kind::ExpectedBlockMappingKey
            | Kind::ExpectedBlockSequenceEntry
            | Kind::UnexpectedEofBlockSequence
            | Kind::UnexpectedEofBlockMapping => {
                "the indentation does not fit the lines above, or the line is neither `key: value` nor `- item`"
            }
            Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => {
                "a `:` is missing after a key, or the key is on more than one line"
            }
            Kind::MappingValueNotAllowed
            | Kind::MappingKeyNotAllowed
            | Kind::InvalidColonPlacement
            | Kind::InvalidMappingValueWhitespace
            | Kind::FlowMappingValueAdjacentCollection => {
                "there is a `:` where no key can be; put a text that contains one in quotes, or correct the indentation"
            }
            Kind::BlockSequenceEntryNotAllowed
            | Kind::BlockEntryInFlowCollection
            | Kind::InvalidBlockEntryWhitespace
            | Kind::PlainScalarStartsWithDashFlowIndicator => {
                "there is a `-` where no list item can be; put a text that begins with one in quotes"
            }
            Kind::CommentInterceptedScalar => "there is a comment within a text of more than one line",
            Kind::CommentNotSeparated => "a `#` needs a space before it to begin a comment",
            Kind::UnknownAnchor | Kind::MissingAnchorOrAliasName => ALIAS,
            Kind::UndeclaredTagHandle
            | Kind::ExpectedTagBang
            | Kind::InvalidGlobalTagCharacter
            | Kind::InvalidTagTerminator
            | Kind::MissingTagUri
            | Kind::UnclosedVerbatimTag
            | Kind::InvalidTagEscape => TAG,
            Kind::ZeroBlockScalarIndent | Kind::InvalidBlockScalarHeader => {
                "only an indentation, `+` or `-` and a comment can follow `|` or `>` on its line"
            }
            Kind::MissingDocumentEndBeforeDirective
            | Kind::ExpectedDocumentStart
            | Kind::InvalidDirectiveName
            | Kind::MissingDirectiveName
            | Kind::InvalidDirectiveTerminator => {
                "a line that begins with `%`, or follows `...`, is not part of a document; put a text that begins with `%` in quotes"
            }
            Kind::BomInsideDocument => "there is a byte-order mark (U+FEFF) within the document; remove it",
            Kind::UnexpectedEof => "the document ends too early",
            _ => UNKNOWN,
        })
    }
}

const ALIAS: &str = "`*name` stands for what `&name` marks in the same document; put a text that begins with `*` or `&` in quotes";
const BRACKET: &str = "a bracket is closed that was not opened";
const TAG: &str = "a tag does not fit its value; leave it out, or put a text that begins with `!` in quotes";
/// The sentence for all other errors.
const UNKNOWN: &str = "it cannot be read from here on; look at the indentation, the quotes and the brackets";

fn said(sentence: &str) -> Reason {
    Reason::Syntax(sentence.to_owned())
}
