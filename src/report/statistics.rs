//! The few statistics reports use.

/// The 97.5 % quantile of the normal distribution: intervals are at 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The Wilson score interval at 95 % for `part` of `whole`; `None` when `whole` is 0. Source: Wilson 1927, JASA 22:209.
///
/// ```
/// let (low, high) = zhijian::report::statistics::wilson(1, 10).unwrap();
/// assert!((low - 0.0179).abs() < 1e-4 && (high - 0.4042).abs() < 1e-4);
/// ```
pub fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    if whole == 0 {
        return None;
    }
    let n = whole as f64;
    // More parts than the whole are no share; the interval is then that of all.
    let p = (part as f64 / n).min(1.0);
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Some((((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)))
}

/// Cohen's kappa of two reviewers from their pairs of judgements; `None` when there is no pair or when chance alone makes
/// them agree always. Source: Cohen 1960, Educational and Psychological Measurement 20:37.
///
/// ```
/// let mut pairs = vec![(1, 1); 20];
/// pairs.extend(vec![(0, 0); 15]);
/// pairs.extend(vec![(1, 0); 5]);
/// pairs.extend(vec![(0, 1); 10]);
/// assert!((zhijian::report::statistics::kappa(&pairs).unwrap() - 0.4).abs() < 1e-9);
/// ```
pub fn kappa<T: Ord + Copy>(pairs: &[(T, T)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let mut kinds: Vec<T> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    kinds.sort();
    kinds.dedup();
    let share = |count: usize| count as f64 / n;
    let agreed = share(pairs.iter().filter(|(a, b)| a == b).count());
    let by_chance: f64 = kinds
        .iter()
        .map(|kind| {
            share(pairs.iter().filter(|(a, _)| a == kind).count())
                * share(pairs.iter().filter(|(_, b)| b == kind).count())
        })
        .sum();
    (!pairs.is_empty() && by_chance < 1.0).then(|| (agreed - by_chance) / (1.0 - by_chance))
}
