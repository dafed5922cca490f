//! The words of a forge about a push.

use crate::{printable::printable, source::location::Repository};

/// The longest text of a forge that is kept, in bytes.
const LONGEST: usize = 1 << 10;
/// The text that is received before it is made printable, in bytes.
const LONGEST_RAW: usize = 16 << 10;
/// The longest link, in bytes.
const LONGEST_LINK: usize = 500;

/// The text that arrives beside the result of a push; git prints it after `remote:`.
#[derive(Debug, Default)]
pub(super) struct ForgeWords(Vec<u8>);

impl ForgeWords {
    /// Adds what has arrived.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = LONGEST_RAW.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
    }

    /// The lines as a terminal would show them, and the reason of the refusal in the end.
    pub(super) fn with_reason(&self, reason: &str) -> String {
        let mut reason = printable(reason.trim()).into_owned();
        cut(&mut reason, LONGEST);
        let text = String::from_utf8_lossy(&self.0);
        // A line that is written over is not shown.
        let lines =
            text.lines().map(|line| line.trim_end().rsplit('\r').next().unwrap_or_default().trim_end());
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).map(printable).collect();
        let mut words = lines.join("\n");
        cut(&mut words, LONGEST.saturating_sub(reason.len() + 1));
        match (words.is_empty(), reason.is_empty()) {
            (true, _) => reason,
            (false, true) => words,
            (false, false) => words + "\n" + &reason,
        }
    }

    /// The first link to the repository's own host, such as that to a new merge request.
    pub(super) fn link(&self, repository: &str) -> Option<String> {
        let host = host(repository)?;
        let text = String::from_utf8_lossy(&self.0);
        let is_own = |link: &&str| {
            let is_plain = link.len() <= LONGEST_LINK && link.bytes().all(|byte| byte.is_ascii_graphic());
            let authority = link.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
            let is_host = |authority: &str| {
                let (name, port) = authority.split_once(':').unwrap_or((authority, "443"));
                name.eq_ignore_ascii_case(&host) && port.bytes().all(|byte| byte.is_ascii_digit())
            };
            is_plain && authority.is_some_and(is_host)
        };
        text.split_whitespace().find(is_own).map(str::to_owned)
    }
}

/// Cuts a text to so many bytes, at the end of a character.
fn cut(text: &mut String, longest: usize) {
    if text.len() > longest {
        let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= longest);
        text.truncate(end.last().unwrap_or(0));
    }
}

/// The name of the host of a repository on a server.
fn host(url: &str) -> Option<String> {
    let Ok(Repository::Remote { .. }) = url.parse() else { return None };
    let authority = match url.split_once("://") {
        Some((_, rest)) => rest.split('/').next()?,
        None => url,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split(':').next().filter(|host| !host.is_empty() && !host.starts_with('[')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ForgeWords, LONGEST};
    use crate::printable::is_unprintable;

    fn words(text: &str) -> ForgeWords {
        let mut words = ForgeWords::default();
        text.as_bytes().chunks(7).for_each(|bytes| words.add(bytes));
        words
    }

    #[test]
    fn the_lines_are_shown_as_a_terminal_would_and_cannot_control_one() {
        let said = "Resolving: 1%\rResolving: 100%\r\nmain is protected\x1b[2J\n\n  by alice  \n";
        assert_eq!(
            words(said).with_reason("pre-receive hook declined"),
            "Resolving: 100%\nmain is protected\\u001b[2J\n  by alice\npre-receive hook declined"
        );
        assert_eq!(words("").with_reason(" no\n"), "no");
        assert_eq!(words("why\n").with_reason(""), "why");
    }

    #[test]
    fn only_a_link_to_the_own_host_is_taken() {
        let said = "Create a merge request:\n  https://evil.example/x https://git.example/a/-/mr/new?b=1  \n";
        let link = Some("https://git.example/a/-/mr/new?b=1".to_owned());
        for repository in [
            "https://git.example/a.git",
            "https://git.example:8443/a.git",
            "ssh://git@git.example:22/a.git",
            "git@GIT.example:a.git",
            "http://git.example/a.git",
        ] {
            assert_eq!(words(said).link(repository), link, "{repository}");
        }
        assert_eq!(words("http://git.example/x javascript:alert(1)").link("https://git.example/a"), None);
        assert_eq!(words("https://git.example@evil.example/").link("https://git.example/a"), None);
        assert_eq!(words("https://git.example/\u{202e}").link("https://git.example/a"), None);
        assert_eq!(words(said).link("/srv/git.example"), None);
    }

    proptest! {
        #[test]
        fn whatever_a_forge_says_is_short_and_printable(said: Vec<u8>, reason: String) {
            let mut words = ForgeWords::default();
            words.add(&said);
            let shown = words.with_reason(&reason);
            prop_assert!(shown.len() <= LONGEST);
            prop_assert!(!shown.chars().any(|c| c != '\n' && is_unprintable(c)));
            words.link("https://git.example/a");
        }
    }
}
