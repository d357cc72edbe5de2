//! The public listener.

use super::names;
use super::number;
use super::sheet::Sheet;
use crate::http::Tally;
use crate::http::tally::{DURATION_BUCKETS, Refusal};

/// Writes down what the listener has done. Of requests only those routes, methods and codes that came.
pub(super) fn listener(sheet: &mut Sheet, tally: &Tally, connections_max: usize) {
    for (route, method, code, count) in tally.requests() {
        sheet.add(names::HTTP_REQUESTS, &[route, method, code], number(count));
    }
    for (route, times) in tally.times() {
        let metric = names::HTTP_REQUEST_DURATION;
        sheet.histogram(metric, &[route], &DURATION_BUCKETS, &times.counts, times.seconds);
    }
    let (accepted, open) = tally.connections();
    sheet.add(names::HTTP_CONNECTIONS, &[], number(open));
    sheet.add(names::HTTP_CONNECTIONS_MAX, &[], number(connections_max as u64));
    sheet.add(names::HTTP_CONNECTIONS_TOTAL, &[], number(accepted));
    for (refusal, count) in Refusal::ALL.into_iter().zip(tally.refusals()) {
        sheet.add(names::HTTP_REFUSALS, &[refusal.label()], number(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_nobody_has_asked_tells_noughts_and_no_requests() {
        let mut sheet = Sheet::default();
        listener(&mut sheet, &Tally::default(), 2000);
        let lines = sheet.lines();
        assert!(!lines.iter().any(|line| line.starts_with("nightcast_http_requests_total")), "{lines:#?}");
        for line in [
            "nightcast_http_connections_max 2000",
            "nightcast_http_refusals_total{reason=\"too_slow\"} 0",
            "nightcast_http_request_duration_seconds_count{route=\"/readyz\"} 0",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}\n{lines:#?}");
        }
    }
}
