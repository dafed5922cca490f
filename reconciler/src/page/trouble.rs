//! What is not right, and where.

use policies::Timestamp;

use super::{html::Html, words};
use crate::api::{
    finding::Finding,
    overview::{
        Listed, Overview,
        trouble::{FilterInTrouble, PolicyInTrouble, Rejected},
    },
};

pub(super) fn write(html: &mut Html, overview: &Overview) {
    let (trouble, now) = (&overview.trouble, overview.at.0);
    html.markup("<section id=\"trouble\"><h2>Trouble</h2>");
    if trouble.is_empty() {
        html.markup("<p class=\"none\">Nothing is wrong with policies and filters.</p>");
    }
    group(html, "Files with errors, not served", &trouble.rejected, rejected);
    group(html, "Policies in force that no filter has", &trouble.no_filter, policy);
    group(html, "Policies whose namespace is missing", &trouble.inactive, policy);
    let filter = |html: &mut Html, filter: &FilterInTrouble| self::filter(html, filter, now);
    group(html, "Filters that lag: they do not run the newest policies yet", &trouble.lagging, filter);
    group(html, "Filters that are gone: their poll is overdue", &trouble.gone, filter);
    html.markup("</section>");
}

/// A heading with the number of all, and a list of the first ones.
fn group<T>(html: &mut Html, title: &'static str, listed: &Listed<T>, mut write: impl FnMut(&mut Html, &T)) {
    if listed.is_empty() {
        return;
    }
    html.markup("<h3>").markup(title).markup(" <span>").text(listed.total).markup("</span></h3><ul>");
    for item in &listed.items {
        html.markup("<li>");
        write(html, item);
    }
    html.markup("</ul>");
    words::more(html, listed.more());
}

fn rejected(html: &mut Html, Rejected { errors, file }: &Rejected) {
    html.markup("<code>").quoted(file).markup("</code><ul>");
    for Finding { column, field, line, message, .. } in &errors.items {
        html.markup("<li><code>").text(line).text(":").text(column).markup("</code> ");
        if !field.is_empty() {
            html.markup("<code>").quoted(field).markup("</code> ");
        }
        html.quoted(message);
    }
    html.markup("</ul>");
    words::more(html, errors.more());
}

fn policy(html: &mut Html, PolicyInTrouble { file, line, name, reason }: &PolicyInTrouble) {
    html.markup("<b>").quoted(name).markup("</b> ").quoted(reason);
    html.markup(" <code class=\"more\">").quoted(file).text(":").text(line).markup("</code>");
}

fn filter(html: &mut Html, filter: &FilterInTrouble, now: Timestamp) {
    let FilterInTrouble { last_contact, namespace, node, service } = filter;
    html.markup("<b>").quoted(format_args!("{service}.{namespace}")).markup("</b> heard of ");
    words::past(html, *last_contact, now);
    html.markup(" <code class=\"more\">").quoted(node).markup("</code>");
}
