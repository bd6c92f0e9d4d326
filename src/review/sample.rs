//! Which conversations of a report people should look at.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::review::AT_RANDOM;

/// A conversation of a report, as far as drawing needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// 会话ID
    pub conversation: String,
    /// 来源文件
    pub path: String,
    /// 坐席
    pub agent: String,
    /// 命中数
    pub findings: u64,
    /// 得分
    pub score: f64,
    /// 结论 红线
    pub fatal: bool,
}

/// How much to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The share of flagged conversations that are not fatal.
    pub risk: f64,
    /// The share of conversations without findings.
    pub random: f64,
    /// At least so many conversations of each agent.
    pub per_agent: usize,
    /// The same seed draws the same sample.
    pub seed: u64,
    /// Points of a conversation without findings.
    pub full: f64,
}

/// A conversation that was drawn: its place among the candidates, why, and how many the reason could have drawn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Index of the candidate.
    pub at: usize,
    /// Why.
    pub reason: &'static str,
    /// How many there were to draw from.
    pub stratum: u64,
}

/// Draws: all fatal conversations; of the other flagged ones a share, each the more likely the more points it lost; of those
/// without findings a random share; and of each agent as many more as the quota lacks. In the order of the candidates. The
/// draw of a conversation depends on the seed, its file and its id, not on its place.
pub fn draw(candidates: &[Candidate], plan: &Plan) -> Vec<Drawn> {
    let chance: Vec<f64> = candidates.iter().map(|candidate| uniform(candidate, plan.seed)).collect();
    let of = |keep: &dyn Fn(&Candidate) -> bool| -> Vec<usize> {
        (0..candidates.len()).filter(|at| keep(&candidates[*at])).collect()
    };
    let mut drawn: BTreeMap<usize, (&'static str, u64)> = BTreeMap::new();
    let fatal = of(&|candidate| candidate.fatal);
    let stratum = fatal.len() as u64;
    drawn.extend(fatal.into_iter().map(|at| (at, ("红线", stratum))));
    let mut flagged = of(&|candidate| candidate.findings > 0 && !candidate.fatal);
    // Weighted sampling without replacement: Efraimidis and Spirakis 2006, Information Processing Letters 97:181.
    let key = |at: usize| chance[at].powf(1.0 / (plan.full - candidates[at].score).max(0.5));
    flagged.sort_by(|a, b| key(*b).total_cmp(&key(*a)));
    let mut clean = of(&|candidate| candidate.findings == 0);
    clean.sort_by(|a, b| chance[*a].total_cmp(&chance[*b]));
    for (pool, share, reason) in [(flagged, plan.risk, "按风险"), (clean, plan.random, AT_RANDOM)] {
        let stratum = pool.len() as u64;
        let count = (share * pool.len() as f64).ceil() as usize;
        drawn.extend(pool.into_iter().take(count).map(|at| (at, (reason, stratum))));
    }
    let mut agents: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        agents.entry(&candidate.agent).or_default().push(at);
    }
    for mut own in agents.into_values() {
        let stratum = own.len() as u64;
        let has = own.iter().filter(|at| drawn.contains_key(at)).count();
        own.retain(|at| !drawn.contains_key(at));
        own.sort_by(|a, b| chance[*a].total_cmp(&chance[*b]));
        let lacking = plan.per_agent.saturating_sub(has);
        drawn.extend(own.into_iter().take(lacking).map(|at| (at, ("坐席配额", stratum))));
    }
    drawn.into_iter().map(|(at, (reason, stratum))| Drawn { at, reason, stratum }).collect()
}

/// A number above 0 and below 1 that seems drawn at random.
fn uniform(candidate: &Candidate, seed: u64) -> f64 {
    let file = candidate.path.rsplit(['/', '\\']).next().unwrap_or_default();
    let hash = Sha256::digest(format!("{seed}\0{file}\0{}", candidate.conversation).as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    ((u64::from_le_bytes(bytes) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_holds_what_was_asked_for_and_is_drawn_alike_every_time() {
        let candidates: Vec<Candidate> = (0..1000)
            .map(|at| Candidate {
                conversation: format!("c{at}"),
                path: "day.csv".to_owned(),
                agent: format!("a{}", at % 7),
                findings: u64::from(at % 5 == 0),
                score: if at % 5 > 0 {
                    100.0
                } else if at % 10 == 0 {
                    20.0
                } else {
                    95.0
                },
                fatal: at % 100 == 0,
            })
            .collect();
        let plan = Plan { risk: 0.25, random: 0.1, per_agent: 30, seed: 1, full: 100.0 };
        let drawn = draw(&candidates, &plan);
        assert_eq!(drawn, draw(&candidates, &plan));
        assert_ne!(drawn, draw(&candidates, &Plan { seed: 2, ..plan }));
        let count = |reason: &str| drawn.iter().filter(|drawn| drawn.reason == reason).count();
        assert_eq!((count("红线"), count("按风险"), count(AT_RANDOM)), (10, 48, 80));
        for agent in 0..7 {
            let name = format!("a{agent}");
            assert!(drawn.iter().filter(|drawn| candidates[drawn.at].agent == name).count() >= 30);
        }
        // Those that lost 80 points are drawn far more often than those that lost 5.
        let low = drawn.iter().filter(|drawn| drawn.reason == "按风险" && candidates[drawn.at].score < 50.0).count();
        assert!(low > 36, "{low} of 48");
    }
}
