//! The page at `/`: the overview as HTML, which says everything without a script.
//!
//! - `html`: markup is written by this program alone; text of others is escaped.
//! - `banners`, `in_force`, `coming`, `trouble`, `recent`: the parts, in their order. `sparkline`, `words`: figures.
//! - `stop`: the form that stops everything.
//! - `page.css`, `page.js`, `icon.svg`: served as they are. The script brings the page up to date, and opens the form.

mod banners;
mod coming;
mod html;
mod in_force;
mod recent;
mod sparkline;
mod stop;
mod trouble;
mod words;

use self::html::Html;
pub(crate) use self::stop::{Stop, stop};
use crate::{
    api::overview::Overview,
    moment::{clock, short_revision},
};

pub(crate) const STYLE: &str = include_str!("page/page.css");
pub(crate) const SCRIPT: &str = include_str!("page/page.js");
pub(crate) const ICON: &str = include_str!("page/icon.svg");

/// The page of an overview.
pub(crate) fn page(overview: &Overview, stop: Stop<'_>) -> String {
    let mut html = Html::default();
    let title = overview.banners.first().map(|banner| banner.sentence.as_str()).unwrap_or_default();
    head(&mut html, title);
    html.markup("<script src=\"/page.js\" defer></script></head><body><header><h1>hfi</h1>");
    html.markup("<p id=\"live\">as of <time>").text(clock(overview.at.0)).markup("</time></p>");
    html.markup("<a id=\"stop\" href=\"/halt\">Stop everything</a></header>");
    html.markup("<p id=\"lost\" role=\"alert\" hidden></p>");
    html.markup("<noscript><p class=\"note\">This page is not live, because scripts are off. Reload it to see what is so now.</p></noscript>");
    html.markup("<main id=\"main\">");
    banners::write(&mut html, &overview.banners);
    facts(&mut html, overview);
    in_force::write(&mut html, overview);
    coming::write(&mut html, overview);
    trouble::write(&mut html, overview);
    recent::write(&mut html, overview);
    html.markup("</main><dialog id=\"halt\" aria-labelledby=\"halt-title\"><h2 id=\"halt-title\">Stop everything</h2>");
    stop::form(&mut html, stop);
    html.markup("<form method=\"dialog\"><button>Cancel</button></form></dialog></body></html>\n");
    html.into_string()
}

/// The beginning of a document, up to what only one page has in its head.
fn head(html: &mut Html, title: &str) {
    html.markup("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.markup("<meta name=\"color-scheme\" content=\"light dark\"><title>")
        .text(title)
        .markup(" · hfi</title>");
    html.markup("<link rel=\"icon\" href=\"/page.svg\"><link rel=\"stylesheet\" href=\"/page.css\">");
}

/// What all of this is made of.
fn facts(html: &mut Html, overview: &Overview) {
    html.markup("<p class=\"facts\">");
    if let Some(revision) = &overview.revision {
        html.markup("<span>").quoted(short_revision(revision)).markup("</span> ");
    }
    if let Some(read) = overview.source_read {
        html.markup("<span>read ");
        words::past(html, read, overview.at.0);
        html.markup("</span> ");
    }
    if let Some(replicas) = &overview.replicas {
        html.markup("<span>replicas: ").text(replicas).markup("</span> ");
    }
    html.markup("<span>filters: ").text(overview.filters.in_words()).markup("</span></p>");
    for missing in &overview.missing {
        html.markup("<p class=\"note\">Replica ").quoted(&missing.name).markup(" does not answer: ");
        html.quoted(&missing.error).markup("</p>");
    }
}

#[cfg(test)]
mod tests;
