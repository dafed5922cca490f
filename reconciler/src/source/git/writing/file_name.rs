//! The names of files that every client of Git can check out.

/// The longest name, in bytes: that of most filesystems.
const LONGEST: usize = 255;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 1_024;
/// The names of devices that Windows reserves, with any extension. Some clients refuse a repository that has one.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// The names along a path; the error completes a sentence whose subject is the path.
pub(super) fn names(path: &str) -> Result<Vec<&str>, String> {
    if path.len() > LONGEST_PATH {
        return Err(format!("is longer than {LONGEST_PATH} bytes"));
    }
    let names: Vec<_> = path.split('/').collect();
    for name in &names {
        if name.is_empty() || *name == "." || *name == ".." {
            return Err("is not a path in a repository".to_owned());
        }
        if name.len() > LONGEST {
            return Err(format!("has a name that is longer than {LONGEST} bytes"));
        }
        if name.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c)) {
            return Err("has a character that some filesystems do not take".to_owned());
        }
        if is_of_git(name) {
            return Err("has a name that Git keeps for itself".to_owned());
        }
        if is_of_windows(name) {
            return Err(format!("has the name `{name}`, which Windows does not take"));
        }
    }
    Ok(names)
}

/// True for what a filesystem might take for `.git`.
fn is_of_git(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !crate::printable::is_unprintable(*c)).collect();
    let name = name.trim_end_matches(['.', ' ']).to_lowercase();
    name == ".git" || name.starts_with(".gitmodules") || name.starts_with("git~")
}

fn is_of_windows(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_numbered = |device: &&str| {
        stem.strip_prefix(*device)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    name.ends_with(['.', ' ']) || DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(is_numbered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::names;

    #[test]
    fn a_path_that_leads_elsewhere_or_breaks_a_client_is_refused() {
        assert_eq!(names("team/checkout-errors.yaml").unwrap(), ["team", "checkout-errors.yaml"]);
        for good in ["a", "console.yaml", "com.yaml", "com10/x.yaml", "straße/ein é.yaml", ".hidden/a.yaml"]
        {
            assert!(names(good).is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "./a",
            "a\\b",
            "a:b",
            "a\0b",
            "a\nb",
            ".git/config",
            ".GIT/x",
            ".git./x",
            ".gi\u{200c}t/x",
            "git~1/x",
            ".gitmodules",
            "con.yaml",
            "NUL",
            "aux.a.yaml",
            "com1.yaml",
            "lpt9",
            "a.",
            "a ",
            "a /b",
            &long,
        ] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_path_stays_below_the_root(path in "[a-z./\\\\ ]{0,12}") {
            if let Ok(names) = names(&path) {
                prop_assert_eq!(&names.join("/"), &path);
                prop_assert!(!names.iter().any(|name| ["", ".", ".."].contains(name)));
            }
        }
    }
}
