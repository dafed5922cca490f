//! The policies that come into force within 24 hours.

use super::{html::Html, words};
use crate::api::{first_generation::FaultType, overview::Overview};

pub(super) fn write(html: &mut Html, overview: &Overview) {
    let (coming, now) = (&overview.coming, overview.at.0);
    html.markup("<section id=\"coming\"><h2 id=\"coming-title\">Coming in 24 h <span>");
    html.text(coming.total).markup("</span></h2>");
    if coming.is_empty() {
        html.markup("<p class=\"none\">No policy comes into force.</p></section>");
        return;
    }
    html.markup("<div tabindex=\"0\" role=\"region\" aria-labelledby=\"coming-title\"><table><thead><tr>");
    html.markup(
        "<th scope=\"col\">Policy<th scope=\"col\">Targets<th scope=\"col\">Starts<th scope=\"col\">Ends",
    );
    html.markup("<th scope=\"col\">Committed by</thead><tbody>");
    for policy in &coming.items {
        html.markup("<tr><th scope=\"row\">").quoted(&policy.name).markup(" <span class=\"more\">");
        html.text(FaultType::list(&policy.fault_types))
            .text(if policy.held { ", held now" } else { "" })
            .markup("</span><td>")
            .quoted(&policy.targets)
            .markup("<td>");
        words::moment(html, policy.starts_at, now);
        html.markup("<td>");
        words::end(html, policy.ends_at, now);
        html.markup("<td>");
        words::commit(html, policy.committed.as_ref());
    }
    html.markup("</tbody></table></div>");
    words::more(html, coming.more());
    html.markup("</section>");
}
