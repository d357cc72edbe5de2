//! What is written down at one look: series by metric, in the form of the prometheus crate.

use std::collections::BTreeMap;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric as Series, MetricFamily, MetricType};

use super::names::{Kind, Metric};

/// An empty sheet to begin with.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    families: BTreeMap<&'static str, MetricFamily>,
}

impl Sheet {
    /// Writes a series down; the labels' values in the order of the table.
    pub(super) fn add(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        let mut series = labelled(metric, labels);
        if metric.kind == Kind::Counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            series.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            series.set_gauge(gauge);
        }
        self.push(metric, series);
    }

    /// Writes a histogram down: how many observations fell into each bucket (the last beyond all bounds), and their sum.
    pub(super) fn histogram(
        &mut self,
        metric: &'static Metric,
        labels: &[&str],
        bounds: &[f64],
        counts: &[u64],
        sum: f64,
    ) {
        let mut series = labelled(metric, labels);
        let mut histogram = Histogram::default();
        let mut total = 0;
        let mut buckets = Vec::with_capacity(bounds.len());
        for (bound, count) in bounds.iter().zip(counts) {
            total += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(total);
            buckets.push(bucket);
        }
        histogram.set_bucket(buckets);
        histogram.set_sample_count(counts.iter().sum());
        histogram.set_sample_sum(sum);
        series.set_histogram(histogram);
        self.push(metric, series);
    }

    fn push(&mut self, metric: &'static Metric, series: Series) {
        let family = self.families.entry(metric.name).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(metric.name.to_owned());
            family.set_help(metric.help.to_owned());
            family.set_field_type(match metric.kind {
                Kind::Counter => MetricType::COUNTER,
                Kind::Gauge => MetricType::GAUGE,
                Kind::Histogram => MetricType::HISTOGRAM,
            });
            family
        });
        family.mut_metric().push(series);
    }

    /// Returns what was written.
    pub(super) fn into_families(self) -> Vec<MetricFamily> {
        self.families.into_values().collect()
    }

    /// Returns what was written as lines, without help and types.
    #[cfg(test)]
    pub(super) fn lines(self) -> Vec<String> {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.into_families()).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }
}

fn labelled(metric: &Metric, values: &[&str]) -> Series {
    debug_assert_eq!(metric.labels.len(), values.len(), "{} has other labels", metric.name);
    let pair = |(label, value): (&super::names::Label, &&str)| {
        let mut pair = LabelPair::default();
        pair.set_name(label.name.to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Series::from_label(metric.labels.iter().zip(values).map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;

    #[test]
    fn a_sheet_reads_as_prometheus_reads_it() {
        let mut sheet = Sheet::default();
        sheet.add(names::CHANNEL_INFO, &["cats", "Tom \"& Co\""], 1.0);
        sheet.add(names::PROCESS_CPU, &[], 1.25);
        sheet.histogram(names::HTTP_REQUEST_DURATION, &["/"], &[0.1, 1.0], &[3, 1, 2], 7.5);
        let text = prometheus::TextEncoder::new().encode_to_string(&sheet.into_families()).unwrap();
        for line in [
            "# TYPE nightcast_process_cpu_seconds_total counter",
            "nightcast_process_cpu_seconds_total 1.25",
            "nightcast_channel_info{channel=\"cats\",name=\"Tom \\\"& Co\\\"\"} 1",
            "nightcast_http_request_duration_seconds_bucket{route=\"/\",le=\"0.1\"} 3",
            "nightcast_http_request_duration_seconds_bucket{route=\"/\",le=\"1\"} 4",
            "nightcast_http_request_duration_seconds_bucket{route=\"/\",le=\"+Inf\"} 6",
            "nightcast_http_request_duration_seconds_sum{route=\"/\"} 7.5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
