//! What holds now, in words, with a shape and a colour by urgency.

use super::html::Html;
use crate::api::overview::banner::{Banner, State};

const TRIANGLE: &str = "<path d=\"M8 1 16 15H0z\"/>";
const OCTAGON: &str = "<path d=\"M5 0h6l5 5v6l-5 5H5l-5-5V5z\"/>";
const DIAMOND: &str = "<path d=\"M8 0l8 8-8 8-8-8z\"/>";
const RING: &str =
    "<circle cx=\"8\" cy=\"8\" r=\"6.5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"3\"/>";
const DOTS: &str = "<circle cx=\"2\" cy=\"8\" r=\"2\"/><circle cx=\"8\" cy=\"8\" r=\"2\"/><circle cx=\"14\" cy=\"8\" r=\"2\"/>";

/// The class of a state, by its urgency, and the shape that is drawn in the colour of its text.
fn look(state: &State) -> (&'static str, &'static str) {
    match state {
        State::NotSure { .. } | State::Stale { .. } | State::MayStillInject { .. } | State::Unknown => {
            ("doubt", TRIANGLE)
        }
        State::Halted { .. } | State::Withdrawn { .. } => ("held", OCTAGON),
        State::Injecting { .. } => ("active", DIAMOND),
        State::Listening { .. } => ("calm", DOTS),
        State::NothingIsInjected => ("calm", RING),
    }
}

pub(super) fn write(html: &mut Html, banners: &[Banner]) {
    html.markup("<ul id=\"banners\" aria-label=\"State\">");
    for Banner { sentence, state } in banners {
        let (class, shape) = look(state);
        html.markup("<li class=\"")
            .markup(class)
            .markup("\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\">");
        html.markup(shape).markup("</svg>").quoted(sentence);
        if let Some(note) = state.note() {
            html.markup(" <small>").quoted(note).markup("</small>");
        }
        html.markup("</li>");
    }
    html.markup("</ul><p id=\"said\" role=\"status\">");
    for banner in banners {
        html.text(said(banner)).markup(". ");
    }
    html.markup("</p>");
}

/// What a screen reader says of a change: no figure that changes all the time.
fn said(Banner { sentence, state }: &Banner) -> &str {
    match state {
        State::Stale { .. } | State::Injecting { .. } | State::Listening { .. } => {
            sentence.split(": ").next().unwrap_or_default()
        }
        _ => sentence,
    }
}
