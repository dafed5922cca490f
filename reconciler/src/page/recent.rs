//! What came and went.

use super::{html::Html, words};
use crate::api::overview::{
    Overview,
    recent::{Recent, What},
};

pub(super) fn write(html: &mut Html, overview: &Overview) {
    html.markup("<section id=\"recent\"><h2>Recent</h2>");
    if overview.recent.is_empty() {
        html.markup("<p class=\"none\">Nothing came or went since this replica started.</p></section>");
        return;
    }
    html.markup("<ul>");
    for event in &overview.recent {
        html.markup("<li>");
        words::past(html, event.at, overview.at.0);
        html.markup(" <b>").text(what(event.what)).markup("</b> ");
        row(html, event);
    }
    html.markup("</ul></section>");
}

fn what(what: What) -> &'static str {
    match what {
        What::Came => "into force:",
        What::Changed => "changed:",
        What::Went => "out of force:",
        What::Unknown => "something else:",
    }
}

fn row(html: &mut Html, Recent { because, commit, policies, why, .. }: &Recent) {
    for (number, name) in policies.items.iter().enumerate() {
        html.text(if number == 0 { "" } else { ", " }).quoted(name);
    }
    if policies.more() > 0 {
        html.text(format_args!(" and {} more", policies.more()));
    }
    html.markup(" <span class=\"more\">· ").text(why.as_str());
    if commit.is_some() {
        html.text(": ");
        words::commit(html, commit.as_ref());
    }
    if let Some(because) = because {
        html.text(": ").quoted(because);
    }
    html.markup("</span>");
}
