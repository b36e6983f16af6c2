//! Metrics as text: OpenMetrics 1.0 for who asks for it, else the older text format of Prometheus (0.0.4).

use http::HeaderValue;
use prometheus_client::registry::Registry;

/// OpenMetrics.
const OPEN: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
/// Prometheus.
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Everything in a registry as text, in the format that the `Accept` field asks for, and its media type.
///
/// # Errors
/// When a collector fails.
pub(crate) fn text(
    registry: &Registry,
    accept: Option<&HeaderValue>,
) -> Result<(String, HeaderValue), std::fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    let open = accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("application/openmetrics-text"));
    Ok(if open { (text, OPEN) } else { (plain(&text), PLAIN) })
}

/// OpenMetrics as the older format. They differ in what a counter's family is called (the older one names the samples,
/// which end in `_total`) and in comments that the older one does not have.
fn plain(open: &str) -> String {
    let mut plain = String::with_capacity(open.len());
    let mut help: Option<(&str, &str)> = None;
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, words)) = help.take().filter(|(of, _)| *of == name) {
                plain.push_str(&format!("# HELP {name}{suffix} {words}\n"));
            }
            plain.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            plain.push_str(line);
            plain.push('\n');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;

    use super::*;

    #[test]
    fn each_reader_gets_the_format_that_it_asks_for() {
        let mut registry = Registry::default();
        let calls: Counter = Counter::default();
        calls.inc_by(3);
        registry.register("souk_calls", "Calls served", calls);
        let open: Gauge = Gauge::default();
        open.set(7);
        registry.register("souk_streams", "Streams that are open", open);
        let (plain, media) = text(&registry, None).expect("encodes");
        assert_eq!(media, PLAIN);
        assert_eq!(
            plain,
            "# HELP souk_calls_total Calls served.\n# TYPE souk_calls_total counter\nsouk_calls_total 3\n\
             # HELP souk_streams Streams that are open.\n# TYPE souk_streams gauge\nsouk_streams 7\n"
        );
        let accept = HeaderValue::from_static("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        let (open, media) = text(&registry, Some(&accept)).expect("encodes");
        assert_eq!(media, OPEN);
        assert!(open.contains("# TYPE souk_calls counter") && open.ends_with("# EOF\n"));
    }
}
