//! Does a figure grow? A slope that outliers do not move, with an interval that knows of autocorrelation. Pure.

/// A slope and the interval it lies in with a probability of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    pub slope: f64,
    pub low: f64,
    pub high: f64,
}

/// How the slope is judged, in a sentence for the report.
pub const RULE: &str = "Medians of three hours each, from the last two thirds of the time. Theil-Sen slope; 95 % interval \
    by Sen's ranks, its variance widened for autocorrelation by (1+r)/(1-r), r being the residuals' lag-1 \
    autocorrelation. No growth: the interval holds zero, or lies below what would matter, which is told.";

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.96;

impl Trend {
    /// Returns the Theil-Sen slope of points in order of time; none for fewer than ten.
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 10 {
            return None;
        }
        let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
        for (n, (x, y)) in points.iter().enumerate() {
            slopes.extend(points[n + 1..].iter().filter(|(later, _)| later > x).map(|(x2, y2)| (y2 - y) / (x2 - x)));
        }
        slopes.sort_by(f64::total_cmp);
        let slope = median_sorted(&slopes);
        let n = count(points.len());
        let variance = n * (n - 1.0) * (2.0 * n + 5.0) / 18.0 * widening(points, slope);
        let reach = Z * variance.sqrt();
        let pairs = count(slopes.len());
        let at = |place: f64| slopes[index(place.clamp(0.0, pairs - 1.0))];
        Some(Self { slope, low: at((pairs - reach) / 2.0 - 1.0), high: at(f64::midpoint(pairs, reach)) })
    }

    /// Whether zero lies in the interval.
    pub fn is_flat(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

/// How much wider the interval must be because each point resembles the one before.
fn widening(points: &[(f64, f64)], slope: f64) -> f64 {
    let residuals: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    let mean = residuals.iter().sum::<f64>() / count(residuals.len());
    let square: f64 = residuals.iter().map(|one| (one - mean).powi(2)).sum();
    let lagged: f64 = residuals.windows(2).map(|two| (two[0] - mean) * (two[1] - mean)).sum();
    let r = if square > 0.0 { (lagged / square).clamp(0.0, 0.95) } else { 0.0 };
    (1.0 + r) / (1.0 - r)
}

/// Returns the medians of the points in bins of a width, at the bins' middles.
pub fn binned(points: &[(f64, f64)], width: f64) -> Vec<(f64, f64)> {
    let mut bins: Vec<(f64, Vec<f64>)> = Vec::new();
    for (x, y) in points {
        let bin = (x / width).floor();
        match bins.last_mut().filter(|(last, _)| (*last - bin).abs() < 0.5) {
            Some((_, values)) => values.push(*y),
            None => bins.push((bin, vec![*y])),
        }
    }
    bins.into_iter().map(|(bin, values)| ((bin + 0.5) * width, quantile(values, 0.5))).collect()
}

/// Returns a quantile of values in any order; 0 for none.
pub fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        len => values[index((count(len - 1) * part).round())],
    }
}

fn median_sorted(values: &[f64]) -> f64 {
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn count(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped by the caller")]
fn index(place: f64) -> usize {
    place.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise that is the same every time: -1 to 1.
    fn noise(n: u32) -> f64 {
        f64::from(n.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 23) - 1.0
    }

    type Points = Vec<(f64, f64)>;

    fn points(value: impl Fn(u32) -> f64) -> Points {
        (0..160).map(|n| (f64::from(n) / 8.0, value(n))).collect()
    }

    #[test]
    fn growth_is_told_from_noise() {
        let cases: [(&str, bool, Points); 6] = [
            ("noise alone", true, points(|n| 20.0 + noise(n))),
            ("nothing moves", true, points(|_| 20.0)),
            ("one jump of one point", true, points(|n| if n == 80 { 900.0 } else { 20.0 + noise(n) })),
            ("slow growth under noise", false, points(|n| 20.0 + noise(n) + f64::from(n) * 0.02)),
            ("shrinking", false, points(|n| 20.0 + noise(n) - f64::from(n) * 0.02)),
            ("steps upwards", false, points(|n| 20.0 + f64::from(n / 16))),
        ];
        for (sentence, flat, points) in cases {
            let trend = Trend::of(&points).unwrap();
            assert_eq!(trend.is_flat(), flat, "{sentence}: {trend:?}");
            assert!(trend.low <= trend.slope && trend.slope <= trend.high, "{sentence}: {trend:?}");
        }
    }

    #[test]
    fn the_slope_is_what_it_is() {
        let trend = Trend::of(&points(|n| 5.0 + f64::from(n) / 8.0 * 3.0)).unwrap();
        assert!((trend.slope - 3.0).abs() < 1e-9, "{trend:?}");
        assert_eq!(Trend::of(&points(f64::from)[..9]), None, "too few to judge");
    }

    #[test]
    fn a_wandering_figure_gets_a_wider_interval() {
        let wandering = points(|n| 20.0 + (f64::from(n) / 12.0).sin());
        let width = |points: &[(f64, f64)]| Trend::of(points).map(|trend| trend.high - trend.low).unwrap();
        let mut shuffled: Vec<f64> = wandering.iter().map(|point| point.1).collect();
        let halves = |value: &f64| (value.to_bits() & u64::from(u32::MAX)).try_into().unwrap_or(0);
        shuffled.sort_by_key(|value| noise(0x4d ^ halves(value)).to_bits());
        let shuffled: Vec<_> = wandering.iter().zip(shuffled).map(|(point, y)| (point.0, y)).collect();
        assert!(width(&wandering) > 2.0 * width(&shuffled), "{} {}", width(&wandering), width(&shuffled));
    }

    #[test]
    fn bins_hold_medians() {
        let points = [(0.1, 5.0), (0.2, 100.0), (0.9, 6.0), (2.5, 7.0)];
        assert_eq!(binned(&points, 1.0), [(0.5, 6.0), (2.5, 7.0)]);
        assert!((quantile(vec![3.0, 1.0, 2.0], 1.0) - 3.0).abs() < 1e-9);
    }
}
