//! The policies in force: what is configured beside what is measured.

use super::{html::Html, sparkline, words};
use crate::{
    api::{
        first_generation::FaultType,
        measured::Measured,
        overview::{Overview, in_force::InForce},
    },
    figures,
};

pub(super) fn write(html: &mut Html, overview: &Overview) {
    html.markup("<section id=\"in-force\"><h2 id=\"in-force-title\">In force <span>");
    html.text(overview.in_force.total).markup("</span></h2>");
    if overview.in_force.is_empty() {
        html.markup("<p class=\"none\">No policy is in force.</p>");
    } else {
        table(html, overview);
    }
    if overview.summary.halted > 0 {
        html.markup("<p class=\"note\">Held by a document of kind Halt: ").text(overview.summary.halted);
        html.markup("</p>");
    }
    html.markup("</section>");
}

fn table(html: &mut Html, overview: &Overview) {
    html.markup("<div tabindex=\"0\" role=\"region\" aria-labelledby=\"in-force-title\"><table><thead><tr>");
    html.markup("<th scope=\"col\">Policy<th scope=\"col\">Targets<th scope=\"col\" class=\"n\">Configured");
    html.markup("<th scope=\"col\" class=\"n\">Measured<th scope=\"col\" class=\"n\">of requests");
    html.markup("<th scope=\"col\" class=\"n\">Faults/s<th scope=\"col\">Last 60 s<th scope=\"col\">Ends");
    html.markup("<th scope=\"col\">Committed by</thead><tbody>");
    for policy in &overview.in_force.items {
        row(html, policy, overview);
    }
    html.markup("</tbody></table></div>");
    words::more(html, overview.in_force.more());
}

fn row(html: &mut Html, policy: &InForce, overview: &Overview) {
    html.markup("<tr><th scope=\"row\">").quoted(&policy.name);
    let mut faults = FaultType::list(&policy.fault_types);
    if policy.shadow {
        faults += ", shadow: injects nothing";
    }
    html.markup(" <span class=\"more\">").text(faults).markup("</span><td>").quoted(&policy.targets);
    html.markup("<td class=\"n\">").text(figures::configured(policy.configured));
    measured(html, policy.measured.as_ref());
    html.markup("<td class=\"n now\">").text(figures::recent_share(policy.measured.as_ref())).markup(" ");
    sparkline::write(html, &policy.spark);
    html.markup("<td>");
    words::end(html, policy.ends_at, overview.at.0);
    html.markup("<td>");
    words::commit(html, policy.committed.as_ref());
}

/// The share, the requests that it is of, and the faults a second.
fn measured(html: &mut Html, measured: Option<&Measured>) {
    let Some(Measured { matched, partial, share, .. }) = measured else {
        html.markup("<td class=\"n none\" colspan=\"3\">not measured");
        return;
    };
    html.markup("<td class=\"n now\">").text(share.map_or("–".to_owned(), figures::measured));
    html.markup("<td class=\"n now\">")
        .text(if *partial { "at least " } else { "" })
        .text(words::count(*matched));
    html.markup("<td class=\"n now\">").text(figures::rate(measured));
}
