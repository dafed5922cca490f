//! The file of tokens, which may change at any time.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use tracing::{error, info, warn};

use super::{
    entry::{Credential, Entry},
    rights::Rights,
};
use crate::io_reason::io_reason;

/// The largest file of tokens, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The file of tokens. It is read for each request, so that a token that is removed is good for nothing at once.
pub struct TokenFile {
    path: PathBuf,
    option: &'static str,
    takes_rights: bool,
    /// What was read last.
    last: Mutex<Option<Read>>,
}

/// A content of the file, by its digest, and what it grants, or why it grants nothing.
struct Read {
    digest: Result<[u8; 32], String>,
    grants: Result<Arc<Grants>, String>,
}

/// The rights that the file grants.
#[derive(Default)]
pub struct Grants {
    /// The first token, for the one who sends it.
    first: Option<String>,
    tokens: Vec<([u8; 32], Arc<Rights>)>,
    accounts: Vec<(String, Arc<Rights>)>,
}

/// The reasons why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    #[error("the file of {option} cannot be read: {}", io_reason(.error))]
    Unreadable { option: &'static str, error: io::Error },
    #[error("the file of {option} {reason}")]
    Wrong { option: &'static str, reason: String },
}

impl TokenFile {
    /// Reads the file for the first time. Each line must be right.
    pub fn open(path: PathBuf, option: &'static str) -> Result<Self, TokenFileError> {
        Self::open_with(path, option, true)
    }

    /// The same of a file whose lines have no rights beside the one that the file itself gives.
    pub fn open_without_rights(path: PathBuf, option: &'static str) -> Result<Self, TokenFileError> {
        Self::open_with(path, option, false)
    }

    fn open_with(path: PathBuf, option: &'static str, takes_rights: bool) -> Result<Self, TokenFileError> {
        let bytes = fs::read(&path).map_err(|error| TokenFileError::Unreadable { option, error })?;
        let wrong = |reason| TokenFileError::Wrong { option, reason };
        let (grants, errors) = Grants::read(&bytes, takes_rights).map_err(wrong)?;
        if !errors.is_empty() {
            return Err(wrong(errors.join("; ")));
        }
        if grants.is_empty() {
            let rights = if takes_rights { " [RIGHT…]" } else { "" };
            return Err(wrong(format!("holds no token; a line is: NAME TOKEN{rights}")));
        }
        grants.warn(option);
        let read = Read { digest: Ok(Sha256::digest(&bytes).into()), grants: Ok(Arc::new(grants)) };
        Ok(Self { path, option, takes_rights, last: Mutex::new(Some(read)) })
    }

    /// The option that names the file.
    pub fn option(&self) -> &'static str {
        self.option
    }

    /// True if a line may have rights.
    pub fn takes_rights(&self) -> bool {
        self.takes_rights
    }

    /// The first token that is good, as the file is now: the one to send.
    pub fn first(&self) -> Result<String, String> {
        let first = self.read().and_then(|grants| grants.first.clone().ok_or("holds no token".to_owned()));
        first.map_err(|reason| format!("the file of {} {reason}", self.option))
    }

    /// The grants of the file as it is now. A line that is wrong grants nothing; a file that cannot be used neither.
    pub fn grants(&self) -> Arc<Grants> {
        self.read().unwrap_or_default()
    }

    /// The same, or the reason why the file cannot be used.
    fn read(&self) -> Result<Arc<Grants>, String> {
        let bytes = fs::read(&self.path).map_err(|error| format!("cannot be read: {}", io_reason(&error)));
        let digest = bytes.as_ref().map(|bytes| Sha256::digest(bytes).into()).map_err(String::clone);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = last.as_ref().filter(|read| read.digest == digest) {
            return read.grants.clone();
        }
        let (path, option) = (self.path.display(), self.option);
        let grants = match bytes.and_then(|bytes| Grants::read(&bytes, self.takes_rights)) {
            Ok((grants, errors)) => {
                errors
                    .iter()
                    .for_each(|error| error!(%path, option, "a line of the tokens grants nothing: {error}"));
                let (tokens, accounts) = (grants.tokens.len(), grants.accounts.len());
                info!(%path, option, tokens, accounts, "read the tokens");
                grants.warn(option);
                Ok(Arc::new(grants))
            }
            Err(reason) => {
                error!(%path, option, reason, "the file of tokens cannot be used: no token is good");
                Err(reason)
            }
        };
        *last = Some(Read { digest, grants: grants.clone() });
        grants
    }
}

/// The lines that say something, each with its number.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

impl Grants {
    /// Reads the lines of a file, and the errors of those that are wrong, each with its number.
    fn read(bytes: &[u8], takes_rights: bool) -> Result<(Self, Vec<String>), String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("is longer than {MAX_BYTES} bytes"));
        }
        let text = str::from_utf8(bytes).map_err(|_| "is not UTF-8; save it in that encoding".to_owned())?;
        let (mut grants, mut errors) = (Self::default(), Vec::new());
        for (number, line) in lines(text) {
            let read = Entry::read(line).and_then(|entry| entry.check(takes_rights));
            let added = read.and_then(|entry| grants.add(entry));
            errors.extend(added.err().map(|error| format!("line {number} {error}")));
        }
        Ok((grants, errors))
    }

    fn add(&mut self, Entry { credential, rights }: Entry<'_>) -> Result<(), String> {
        let rights = Arc::new(rights);
        match credential {
            Credential::Token(token) => {
                let digest = Sha256::digest(token).into();
                if self.tokens.iter().any(|(known, _)| *known == digest) {
                    return Err("has the token of another line; each token has one owner".to_owned());
                }
                self.first.get_or_insert_with(|| token.to_owned());
                self.tokens.push((digest, rights));
            }
            Credential::ServiceAccount { namespace, name } => {
                let account = format!("system:serviceaccount:{namespace}:{name}");
                if self.accounts.iter().any(|(known, _)| *known == account) {
                    return Err("has the ServiceAccount of another line; each has one name".to_owned());
                }
                self.accounts.push((account, rights));
            }
        }
        Ok(())
    }

    /// Warns of ServiceAccounts that are one user, with one author and one rate.
    fn warn(&self, option: &'static str) {
        for user in self.shared_names() {
            warn!(option, user, "several ServiceAccounts have this name; give each a name of its own");
        }
    }

    /// The names that several ServiceAccounts have.
    fn shared_names(&self) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let names = self.accounts.iter().map(|(_, rights)| rights.user.as_str());
        names.filter(|name| !seen.insert(*name)).collect()
    }

    /// True if nobody is granted anything.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.accounts.is_empty()
    }

    /// True if there are ServiceAccounts, whose tokens only the cluster can review.
    pub fn has_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// The rights of the owner of a token. Takes the same time for every token, whichever line it is of.
    pub fn of_token(&self, token: &[u8]) -> Option<Arc<Rights>> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (digest, rights) in &self.tokens {
            let is_same: Choice = digest.ct_eq(&given);
            if bool::from(is_same) {
                found = Some(Arc::clone(rights));
            }
        }
        found
    }

    /// The rights of a user of the cluster, such as `system:serviceaccount:NAMESPACE:NAME`.
    pub fn of_account(&self, user: &str) -> Option<Arc<Rights>> {
        self.accounts.iter().find(|(account, _)| account == user).map(|(_, rights)| Arc::clone(rights))
    }
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, option, .. } = self;
        f.debug_struct("TokenFile").field("path", path).field("option", option).finish_non_exhaustive()
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tokens, accounts) = (self.tokens.len(), self.accounts.len());
        f.debug_struct("Grants").field("tokens", &tokens).field("accounts", &accounts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::TokenFile;

    const OPTION: &str = "--write-token-file";

    fn file(content: &[u8]) -> (tempfile::TempDir, Result<TokenFile, String>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        fs::write(&path, content).unwrap();
        (directory, TokenFile::open(path, OPTION).map_err(|error| error.to_string()))
    }

    #[test]
    fn a_file_of_any_editor_is_read() {
        for content in [
            "me 0123456789abcdef\n",
            "me 0123456789abcdef",
            "\u{feff}me 0123456789abcdef\r\n",
            "# of the team\n\n  me  0123456789abcdef  \r\n",
        ] {
            let (_directory, file) = file(content.as_bytes());
            let grants = file.unwrap().grants();
            assert_eq!(grants.of_token(b"0123456789abcdef").unwrap().user.as_str(), "me", "{content:?}");
            for other in [&b""[..], b"0123456789abcde", b"0123456789abcdeF", b"0123456789abcdef "] {
                assert!(grants.of_token(other).is_none(), "{other:?}");
            }
        }
    }

    #[test]
    fn at_the_start_each_line_must_be_right() {
        for (content, reason) in [
            (&b""[..], "holds no token"),
            (b"\xef\xbb\xbf", "holds no token"),
            (b"# nothing\n", "holds no token"),
            (b"me 0123456789abcdef\nyou short\n", "line 2 has a token"),
            (b"me 0123456789abcdef\nyou 0123456789abcdef\n", "line 2 has the token of another line"),
            (b"m\0e\0", "line 1 must begin with a name"),
            (b"me \xff\xff", "is not UTF-8"),
        ] {
            let error = file(content).1.unwrap_err();
            assert!(error.contains(reason) && error.contains(OPTION), "{error}");
        }
        let error = TokenFile::open("/nowhere/at/all".into(), OPTION).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn later_a_line_that_is_wrong_grants_nothing_and_the_others_stay() {
        let (directory, file) = file(b"me 0123456789abcdef\n");
        let (file, path) = (file.unwrap(), directory.path().join("tokens"));
        let good = |token: &str| file.grants().of_token(token.as_bytes()).is_some();
        assert!(good("0123456789abcdef"));
        fs::write(&path, "me 0123456789abcdef nonsense\nyou fedcba9876543210\n").unwrap();
        assert!(!good("0123456789abcdef") && good("fedcba9876543210"));
        fs::remove_file(&path).unwrap();
        assert!(!good("fedcba9876543210"), "no file, no token");
        fs::write(&path, "me 0123456789abcdef\n").unwrap();
        assert!(good("0123456789abcdef"));
    }

    #[test]
    fn the_first_token_of_the_file_is_the_one_to_send() {
        let (directory, file) = file(b"# the present one\nnew 0123456789abcdef\nold fedcba9876543210\n");
        let file = file.unwrap();
        assert_eq!(file.first().unwrap(), "0123456789abcdef");
        fs::write(directory.path().join("tokens"), "new short\nold fedcba9876543210\n").unwrap();
        assert_eq!(file.first().unwrap(), "fedcba9876543210", "a line that is wrong is passed over");
        fs::write(directory.path().join("tokens"), "new serviceaccount:a/b\n").unwrap();
        assert_eq!(file.first().unwrap_err(), "the file of --write-token-file holds no token");
        fs::remove_file(directory.path().join("tokens")).unwrap();
        assert!(file.first().unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_token_that_the_file_does_not_grant_is_not_sent() {
        let (directory, path) = (tempfile::tempdir().unwrap(), "tokens");
        let path = directory.path().join(path);
        fs::write(&path, "me 0123456789abcdef\n").unwrap();
        let file = TokenFile::open_without_rights(path.clone(), OPTION).unwrap();
        for (content, sent) in [
            (&b"alice aaaaaaaaaaaaaaaa resume\nme 0123456789abcdef\n"[..], Ok("0123456789abcdef")),
            (b"a serviceaccount:a/b\nme 0123456789abcdef\n", Ok("0123456789abcdef")),
            (b"me 0123456789abcdef\nyou 0123456789abcdef\n", Ok("0123456789abcdef")),
            (b"alice aaaaaaaaaaaaaaaa resume\n", Err("holds no token")),
            (b"me 0123456789abcdef\n\xff\n", Err("is not UTF-8")),
            (&[b'#'; (1 << 20) + 1], Err("is longer than 1048576 bytes")),
        ] {
            fs::write(&path, content).unwrap();
            match (file.first(), sent) {
                (Ok(token), Ok(expected)) => {
                    assert_eq!(token, expected);
                    assert!(file.grants().of_token(token.as_bytes()).is_some(), "others would refuse it");
                }
                (Err(error), Err(reason)) => assert!(error.contains(reason), "{error}"),
                (token, _) => panic!("{token:?} instead of {sent:?}"),
            }
        }
    }

    #[test]
    fn no_token_is_shown_where_somebody_prints_the_file() {
        let (_directory, file) = file(b"me 0123456789abcdef\n");
        let file = file.unwrap();
        let shown = format!("{file:?} {:?}", file.grants());
        assert!(shown.contains(OPTION) && shown.contains("tokens: 1"), "{shown}");
        // Neither the token nor its digest.
        assert!(!shown.contains("0123456789abcdef") && !shown.contains('['), "{shown}");
    }

    #[test]
    fn a_name_of_several_service_accounts_is_found() {
        let lines = b"a serviceaccount:x/a\na serviceaccount:y/a\nb serviceaccount:x/b\nb 0123456789abcdef\n";
        let (_directory, file) = file(lines);
        assert_eq!(file.unwrap().grants().shared_names().into_iter().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn two_tokens_may_be_of_one_user_so_that_one_can_follow_the_other() {
        let (_directory, file) = file(b"me 0123456789abcdef\nme fedcba9876543210\n");
        let grants = file.unwrap().grants();
        for token in [&b"0123456789abcdef"[..], b"fedcba9876543210"] {
            assert_eq!(grants.of_token(token).unwrap().user.as_str(), "me");
        }
    }
}
