//! The form that stops everything.

use super::{head, html::Html};

/// What is known of the form before it is filled in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stop<'a> {
    /// The reason why nothing was stopped, after an attempt.
    pub(crate) refused: Option<&'a str>,
    /// The reason that was given in it.
    pub(crate) reason: &'a str,
}

/// The page of the form alone: without a script, and after an attempt that was refused.
pub(crate) fn stop(stop: Stop<'_>) -> String {
    let mut html = Html::default();
    let title = if stop.refused.is_some() { "Not stopped" } else { "Stop everything" };
    head(&mut html, title);
    html.markup("</head><body><main id=\"main\"><h1>").text(title).markup("</h1>");
    if let Some(refused) = stop.refused {
        html.markup("<p id=\"refused\" role=\"alert\">Nothing was stopped: ").quoted(refused).markup(".</p>");
    }
    form(&mut html, stop);
    html.markup("<p><a id=\"back\" href=\"/\">Back, and stop nothing</a></p></main></body></html>\n");
    html.into_string()
}

/// The form itself. A password manager may fill in the token.
pub(super) fn form(html: &mut Html, Stop { reason, .. }: Stop<'_>) {
    html.markup("<form method=\"post\" action=\"/halt\"><p>No policy is handed out any more until somebody resumes: at once here, and with <code>--peers</code> at all that answer. Needs a token of ");
    html.markup("<code>--halt-token-file</code> or <code>--write-token-file</code>.</p>");
    html.markup(
        "<p><label for=\"token\">Token</label><input id=\"token\" name=\"token\" type=\"password\" required ",
    );
    html.markup("autofocus autocomplete=\"current-password\" spellcheck=\"false\"></p>");
    html.markup("<p><label for=\"reason\">Reason, for all who look</label>");
    html.markup(
        "<input id=\"reason\" name=\"reason\" required maxlength=\"200\" autocomplete=\"off\" value=\"",
    );
    html.text(reason).markup("\"></p><button>Stop everything</button></form>");
}
