//! The faults of the last minute, as a line.

use super::html::Html;

const WIDTH: f64 = 60.0;
const HEIGHT: f64 = 16.0;

/// Draws one value for each second, the oldest first, and says the largest one.
pub(super) fn write(html: &mut Html, values: &[f64]) {
    if values.is_empty() {
        html.markup("<span class=\"none\">not measured</span>");
        return;
    }
    let most = values.iter().copied().fold(0.0, f64::max);
    // A line of nothing is at the bottom.
    let scale = if most > 0.0 { most } else { 1.0 };
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let points = values.iter().enumerate().map(|(second, value)| {
        let (x, y) = (second as f64 * step, HEIGHT - 1.0 - value / scale * (HEIGHT - 2.0));
        format!("{},{}", round(x), round(y))
    });
    html.markup("<svg class=\"spark\" viewBox=\"0 0 60 16\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"at most ");
    html.text(round(most)).markup(" a second\"><polyline points=\"");
    html.text(points.collect::<Vec<_>>().join(" ")).markup("\"/></svg>");
}

/// With one decimal.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{Html, write};

    fn line(values: &[f64]) -> String {
        let mut html = Html::default();
        write(&mut html, values);
        html.into_string()
    }

    #[test]
    fn the_highest_value_is_at_the_top_and_nothing_at_the_bottom() {
        let drawn = line(&[0.0, 7.5, 15.0]);
        assert!(drawn.contains("at most 15 a second") && drawn.contains("\"0,15 30,8 60,1\""), "{drawn}");
        assert!(line(&[0.0, 0.0]).contains("\"0,15 60,15\""));
        assert!(line(&[2.0]).contains("\"0,1\""));
        assert!(line(&[]).contains("not measured"));
    }
}
