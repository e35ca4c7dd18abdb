//! Charts drawn on the server as inline SVG: a line, bars, a stacked bar, a gauge, a progress bar.
//!
//! Each has a sentence for those who do not see it (`title`), takes its colours
//! from classes (`series-1` … `series-6`, safe for common colour visions) and
//! scales with its box. Values that are not finite count as 0.

use std::fmt::Write as _;

use super::{Html, escape};

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// Markup is never longer than the numbers need.
fn n(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A small line over equal steps, oldest first, with its newest point marked. Fewer than two values give a flat line.
pub fn sparkline(values: &[f64], title: &str) -> Html {
    const WIDTH: f64 = 120.0;
    const HEIGHT: f64 = 32.0;
    let values: Vec<f64> =
        if values.len() < 2 { vec![values.first().copied().unwrap_or(0.0); 2] } else { values.to_vec() };
    let values: Vec<f64> = values.into_iter().map(finite).collect();
    let most = values.iter().copied().fold(f64::MIN, f64::max);
    let least = values.iter().copied().fold(f64::MAX, f64::min).min(0.0);
    let span = if most > least { most - least } else { 1.0 };
    let step = WIDTH / (values.len() - 1) as f64;
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(at, value)| (at as f64 * step, HEIGHT - 3.0 - (value - least) / span * (HEIGHT - 6.0)))
        .collect();
    let line = points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect::<Vec<_>>().join(" ");
    let (x, y) = points[points.len() - 1];
    Html::raw(format!(
        "<svg class=\"chart sparkline\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\">\
         <title>{title}</title><polygon class=\"area\" points=\"0,{HEIGHT} {line} {WIDTH},{HEIGHT}\"/>\
         <polyline class=\"line\" points=\"{line}\"/><circle class=\"now\" cx=\"{}\" cy=\"{}\" r=\"2\"/></svg>",
        n(x.min(WIDTH - 2.0)),
        n(y),
        title = escape(title),
    ))
}

/// One bar of [`bars`].
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What stands at its left.
    pub label: String,
    /// Its length, 0 or more.
    pub value: f64,
    /// What stands at its end.
    pub shown: String,
}

/// About how wide a text is at the charts' 12 px: a letter of a Latin script is half as wide as one of Japanese.
fn width_of(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 6.4 } else { 12.5 }).sum()
}

/// A text cut to fit into `room`, with an ellipsis where something was cut.
fn fitted(text: &str, room: f64) -> String {
    if width_of(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if width_of(&kept) + 25.0 > room {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

/// Lying bars, one a row, in the order given, all to the scale of the longest. A label that is too long is cut; the
/// whole of it is in the row's title.
pub fn bars(rows: &[Bar], title: &str) -> Html {
    const ROW: f64 = 26.0;
    const WIDTH: f64 = 520.0;
    const WIDEST_LABEL: f64 = 200.0;
    let widest = |text: fn(&Bar) -> &str| rows.iter().map(|row| width_of(text(row))).fold(0.0, f64::max);
    let left = widest(|row| &row.label).clamp(40.0, WIDEST_LABEL) + 10.0;
    let full = (WIDTH - left - 8.0 - widest(|row| &row.shown)).max(100.0);
    let most = rows.iter().map(|row| finite(row.value)).fold(0.0, f64::max);
    let mut svg = format!(
        "<svg class=\"chart bars\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\"><title>{}</title>",
        n((rows.len().max(1)) as f64 * ROW),
        escape(title)
    );
    for (at, row) in rows.iter().enumerate() {
        let y = at as f64 * ROW;
        let width = if most > 0.0 { (finite(row.value).max(0.0) / most * full).max(1.0) } else { 1.0 };
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<g><title>{}</title><text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar series-1\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"14\" rx=\"3\"/>\
             <text class=\"value\" x=\"{}\" y=\"{}\">{}</text></g>",
            escape(&row.label),
            n(left - 10.0),
            n(y + 17.0),
            escape(&fitted(&row.label, WIDEST_LABEL)),
            n(left),
            n(y + 6.0),
            n(width),
            n(left + width + 8.0),
            n(y + 17.0),
            escape(&row.shown),
        );
    }
    svg.push_str("</svg>");
    Html::raw(svg)
}

/// Standing bars over equal steps (hours, days), oldest first; `labels` stand below, empty ones are left out.
pub fn columns(values: &[f64], labels: &[String], title: &str) -> Html {
    const WIDTH: f64 = 520.0;
    const HEIGHT: f64 = 140.0;
    const FOOT: f64 = 20.0;
    let most = values.iter().copied().map(finite).fold(0.0, f64::max);
    let step = WIDTH / values.len().max(1) as f64;
    let mut svg = format!(
        "<svg class=\"chart columns\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\"><title>{}</title>\
         <line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>",
        escape(title),
        y = HEIGHT - FOOT,
    );
    for (at, value) in values.iter().enumerate() {
        let height = if most > 0.0 { finite(*value).max(0.0) / most * (HEIGHT - FOOT - 8.0) } else { 0.0 };
        let x = at as f64 * step;
        let _ = write!(
            svg,
            "<rect class=\"bar series-1\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\"/>",
            n(x + step * 0.14),
            n(HEIGHT - FOOT - height),
            n(step * 0.72),
            n(height),
        );
        if let Some(label) = labels.get(at).filter(|label| !label.is_empty()) {
            let _ = write!(
                svg,
                "<text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                n(x + step / 2.0),
                n(HEIGHT - 5.0),
                escape(label),
            );
        }
    }
    svg.push_str("</svg>");
    Html::raw(svg)
}

/// One lying bar made of parts, to the scale of `capacity`; a mark stands at the capacity. Part k has the class `series-k`.
pub fn stacked(parts: &[f64], capacity: f64, title: &str) -> Html {
    const WIDTH: f64 = 300.0;
    let parts: Vec<f64> = parts.iter().map(|part| finite(*part).max(0.0)).collect();
    let total: f64 = parts.iter().sum();
    let scale = finite(capacity).max(total).max(1e-9);
    let mut svg = format!(
        "<svg class=\"chart stacked\" viewBox=\"0 0 {WIDTH} 14\" preserveAspectRatio=\"none\" role=\"img\"><title>{}</title>\
         <rect class=\"track\" width=\"{WIDTH}\" height=\"14\" rx=\"3\"/>",
        escape(title)
    );
    let mut x = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let width = part / scale * WIDTH;
        let _ = write!(
            svg,
            "<rect class=\"bar series-{}\" x=\"{}\" width=\"{}\" height=\"14\"/>",
            at % 6 + 1,
            n(x),
            n(width)
        );
        x += width;
    }
    if total > capacity {
        let mark = finite(capacity).max(0.0) / scale * WIDTH;
        let _ = write!(svg, "<rect class=\"mark\" x=\"{}\" width=\"2\" height=\"14\"/>", n(mark));
    }
    svg.push_str("</svg>");
    Html::raw(svg)
}

/// A half ring filled to `share` (0..1; beyond 1 it is full), with `limit` (0..1) marked and `shown` in the middle.
pub fn gauge(share: f64, limit: f64, shown: &str, title: &str) -> Html {
    let share = finite(share).clamp(0.0, 1.0);
    let limit = finite(limit).clamp(0.0, 1.0);
    let point = |at: f64, radius: f64| {
        let angle = std::f64::consts::PI * (1.0 - at);
        (60.0 + radius * angle.cos(), 60.0 - radius * angle.sin())
    };
    let (x, y) = point(share, 48.0);
    let (inner, outer) = (point(limit, 40.0), point(limit, 56.0));
    let class = if share >= limit { "fill reached" } else { "fill" };
    Html::raw(format!(
        "<svg class=\"chart gauge\" viewBox=\"0 0 120 70\" role=\"img\"><title>{}</title>\
         <path class=\"track\" d=\"M12 60A48 48 0 0 1 108 60\"/><path class=\"{class}\" d=\"M12 60A48 48 0 0 1 {} {}\"/>\
         <line class=\"mark\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\
         <text class=\"number\" x=\"60\" y=\"58\" text-anchor=\"middle\">{}</text></svg>",
        escape(title),
        n(x),
        n(y),
        n(inner.0),
        n(inner.1),
        n(outer.0),
        n(outer.1),
        escape(shown),
    ))
}

/// A progress bar: `done` of `total`, with its sentence.
pub fn progress(done: u64, total: u64, title: &str) -> Html {
    Html::raw(format!(
        "<progress value=\"{done}\" max=\"{}\" aria-label=\"{}\">{done} / {total}</progress>",
        total.max(1),
        escape(title)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chart_needs_an_inline_style_and_none_breaks_on_odd_values() {
        let bar = Bar { label: "A<B".into(), value: f64::NAN, shown: "—".into() };
        let charts = [
            sparkline(&[], "x"),
            sparkline(&[1.0, f64::INFINITY, 3.0], "x"),
            bars(&[bar], "x"),
            columns(&[0.0, 2.0], &[String::new(), "12".into()], "x"),
            stacked(&[50.0, 60.0], 90.0, "x"),
            gauge(1.4, 0.8, "140 %", "x"),
            progress(1, 0, "x"),
        ];
        for chart in charts {
            let text = chart.as_str();
            assert!(!text.contains("style=") && !text.contains("NaN") && !text.contains("inf"), "{text}");
            assert!(!text.contains("A<B"));
        }
    }

    #[test]
    fn a_long_label_is_cut_and_still_there_to_be_asked_for() {
        let long = "架空市立 みなと総合病院附属 長い名前の診療所（デモ）";
        let chart = bars(&[Bar { label: long.into(), value: 1.0, shown: "¥1".into() }], "x");
        let text = chart.as_str();
        assert!(text.contains(&format!("<title>{long}</title>")) && text.contains("…</text>"), "{text}");
        assert_eq!(fitted("CT", 200.0), "CT");
    }

    #[test]
    fn a_stacked_bar_beyond_its_capacity_shows_the_mark() {
        assert!(stacked(&[50.0, 60.0], 90.0, "x").as_str().contains("class=\"mark\""));
        assert!(!stacked(&[50.0, 20.0], 90.0, "x").as_str().contains("class=\"mark\""));
    }

    #[test]
    fn a_gauge_says_when_its_limit_is_reached() {
        assert!(gauge(0.8, 0.8, "80 %", "x").as_str().contains("fill reached"));
        assert!(!gauge(0.79, 0.8, "79 %", "x").as_str().contains("fill reached"));
    }
}
