//! A line with an SSH public key: the key alone, or a line of an `allowed_signers` file (ssh-keygen(1),
//! "ALLOWED SIGNERS").

use policies::Timestamp;

/// The namespace that Git signs in.
pub(super) const GIT: &str = "git";

/// The content of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'l> {
    pub(super) kind: &'l str,
    pub(super) base64: &'l str,
    pub(super) window: Window,
}

/// The time in which signatures of the key are valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Window {
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.after.is_none_or(|after| at >= after) && self.before.is_none_or(|before| at <= before)
    }
}

/// Reads `[principals [options]] kind base64 [comment]`. Principals are ignored: every key in the directory
/// is trusted.
pub(super) fn entry(line: &str) -> Result<Entry<'_>, String> {
    let (first, rest) = word(line);
    if is_kind(first) {
        return with_key(first, rest, Window::default());
    }
    let (second, rest) = word(rest);
    if is_kind(second) {
        // In this place it would be a principal, and is never meant as one.
        let options = if first.eq_ignore_ascii_case("cert-authority") { first } else { "" };
        return with_key(second, rest, window(options)?);
    }
    let (third, rest) = word(rest);
    if is_kind(third) {
        return with_key(third, rest, window(second)?);
    }
    Err("is not an SSH public key, such as `ssh-ed25519 AAAA…`".to_owned())
}

fn with_key<'l>(kind: &'l str, rest: &'l str, window: Window) -> Result<Entry<'l>, String> {
    if kind.contains("-cert-") {
        return Err("is a certificate, which is not supported; put the signer's own key".to_owned());
    }
    let (base64, _comment) = word(rest);
    Ok(Entry { kind, base64, window })
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|kind| word.starts_with(kind))
}

/// The first word and the rest. Blanks inside quotation marks do not separate words.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = outside_quotes(text, |c| c.is_ascii_whitespace()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The position of the first such character outside quotation marks.
fn outside_quotes(text: &str, is_such: impl Fn(char) -> bool) -> Option<usize> {
    let mut quoted = false;
    let found = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        !quoted && is_such(*c)
    });
    found.map(|(at, _)| at)
}

/// Reads the options. An unknown option is an error.
fn window(mut options: &str) -> Result<Window, String> {
    let mut window = Window::default();
    while !options.is_empty() {
        let end = outside_quotes(options, |c| c == ',').unwrap_or(options.len());
        let (option, rest) = options.split_at_checked(end).unwrap_or((options, ""));
        options = rest.trim_start_matches(',');
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" if value.split(',').any(|namespace| matches!(namespace, GIT | "*")) => {}
            "namespaces" => return Err(format!("is for the namespaces `{value}` and not for `{GIT}`")),
            "valid-after" => window.after = Some(instant(value)?),
            "valid-before" => window.before = Some(instant(value)?),
            "cert-authority" => {
                let why =
                    "is an authority for certificates, which is not supported; put the signers' own keys";
                return Err(why.to_owned());
            }
            _ => return Err(format!("has the option `{name}`, which is not known")),
        }
    }
    Ok(window)
}

/// Reads `YYYYMMDDZ`, or with `HHMM` or `HHMMSS` before the `Z`.
fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = || {
        // Without a Z it would be another instant on each machine with another time zone.
        format!("has `{text}` for a time; write it as YYYYMMDDZ or YYYYMMDDHHMMSSZ, in UTC")
    };
    let digits = text.strip_suffix(['Z', 'z']).ok_or_else(wrong)?;
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let padded = format!("{digits:0<14}");
    let part = |from: usize, to: usize| padded.get(from..to).unwrap_or_default();
    let (date, time) = ([part(0, 4), part(4, 6), part(6, 8)], [part(8, 10), part(10, 12), part(12, 14)]);
    Timestamp::parse(&format!("{}T{}Z", date.join("-"), time.join(":"))).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{Window, entry};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_key_stands_alone_or_behind_principals_and_options() {
        for line in [
            "ssh-ed25519 AAAA",
            "ssh-ed25519\tAAAA   alice@example on her laptop",
            "alice@example ssh-ed25519 AAAA",
            "\"alice smith\",*@example ssh-ed25519 AAAA comment",
            "alice@example namespaces=\"git\" ssh-ed25519 AAAA",
            "alice@example namespaces=\"file,git\",valid-after=20250101Z ssh-ed25519 AAAA",
            "alice@example NAMESPACES=\"*\" ssh-ed25519 AAAA",
        ] {
            let entry = entry(line).unwrap();
            assert_eq!((entry.kind, entry.base64), ("ssh-ed25519", "AAAA"), "{line}");
        }
    }

    #[test]
    fn a_key_is_believed_for_what_was_signed_within_its_window() {
        let entry =
            entry("* valid-after=\"20250102Z\",valid-before=\"20250103112233Z\" ssh-rsa AAAA").unwrap();
        assert!(entry.window.holds(at("2025-01-02T00:00:00Z")));
        assert!(entry.window.holds(at("2025-01-03T11:22:33Z")));
        assert!(!entry.window.holds(at("2025-01-01T23:59:59Z")));
        assert!(!entry.window.holds(at("2025-01-03T11:22:34Z")));
        assert!(Window::default().holds(at("1970-01-01T00:00:00Z")));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (line, reason) in [
            ("alice@example", "is not an SSH public key"),
            ("alice@example namespaces=\"git\" AAAA", "is not an SSH public key"),
            ("a namespaces=\"file\" ssh-ed25519 AAAA", "for the namespaces `file`"),
            ("a cert-authority ssh-ed25519 AAAA", "an authority for certificates"),
            ("cert-authority ssh-ed25519 AAAA", "an authority for certificates"),
            ("ssh-ed25519-cert-v01@openssh.com AAAA", "is a certificate"),
            ("a touch-required ssh-ed25519 AAAA", "`touch-required`, which is not known"),
            ("a valid-after=20250101 ssh-ed25519 AAAA", "in UTC"),
            ("a valid-before=20251301Z ssh-ed25519 AAAA", "`20251301Z` for a time"),
            ("a valid-before=2025010Z ssh-ed25519 AAAA", "for a time"),
        ] {
            let error = entry(line).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
