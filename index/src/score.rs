//! What a ranking is worth: the figures of the backtest, computed from predictions and what turned out.
//!
//! Knows nothing of memory. Ranks are counted within the first ten; a label never seen before and a missing prediction
//! are errors.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Bins of the expected calibration error (Guo et al. 2017), of equal width.
const BINS: usize = 15;
/// Ranks that count.
const RANKS: usize = 10;

/// Figures of causes or responders.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Ranking {
    pub n: usize,
    pub top1: f64,
    pub top3: f64,
    pub top5: f64,
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// Mean over the true labels of how often each was first.
    pub macro_recall: f64,
    /// Half width of the 95 % interval of `top1` (normal approximation).
    pub ci: f64,
    /// Expected calibration error of the first candidate; none if nothing had a probability.
    pub ece: Option<f64>,
    /// Share whose label had appeared before: what can be right at all.
    pub seen: f64,
    pub classes: usize,
}

/// Gathers outcomes of one target.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    n: usize,
    top: [usize; 3],
    reciprocal: f64,
    per_class: BTreeMap<String, (usize, usize)>,
    bins: [(usize, f64, usize); BINS],
    sure: usize,
    seen: usize,
}

impl Tally {
    /// One incident: what was right, the candidates best first, the probability of the first.
    pub fn add<'a>(
        &mut self,
        truth: &str,
        ranked: impl IntoIterator<Item = &'a str>,
        p: Option<f64>,
        seen_before: bool,
    ) {
        let rank = ranked.into_iter().take(RANKS).position(|value| value == truth);
        self.n += 1;
        self.seen += usize::from(seen_before);
        for (count, within) in self.top.iter_mut().zip([1, 3, 5]) {
            *count += usize::from(rank.is_some_and(|r| r < within));
        }
        self.reciprocal += rank.map_or(0.0, |r| 1.0 / (r + 1) as f64);
        let class = self.per_class.entry(truth.to_owned()).or_default();
        class.0 += 1;
        class.1 += usize::from(rank == Some(0));
        if let Some(p) = p {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; NaN becomes 0")]
            let bin = (p.clamp(0.0, 1.0) * BINS as f64) as usize;
            if let Some(bin) = self.bins.get_mut(bin.min(BINS - 1)) {
                bin.0 += 1;
                bin.1 += p;
                bin.2 += usize::from(rank == Some(0));
            }
            self.sure += 1;
        }
    }

    /// None if nothing was scored.
    #[must_use]
    pub fn ranking(&self) -> Option<Ranking> {
        let share = |count: usize| count as f64 / self.n as f64;
        let [top1, top3, top5] = self.top.map(share);
        let recalls = self.per_class.values().map(|(n, hits)| *hits as f64 / *n as f64);
        let gaps = self.bins.iter().map(|(_, p, hits)| (p - *hits as f64).abs());
        (self.n > 0).then(|| Ranking {
            n: self.n,
            top1,
            top3,
            top5,
            mrr: self.reciprocal / self.n as f64,
            macro_recall: recalls.sum::<f64>() / self.per_class.len() as f64,
            ci: 1.96 * (top1 * (1.0 - top1) / self.n as f64).sqrt(),
            ece: (self.sure > 0).then(|| gaps.sum::<f64>() / self.sure as f64),
            seen: share(self.seen),
            classes: self.per_class.len(),
        })
    }
}

/// Figures of similar incidents.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Similar {
    /// Incidents that had an earlier one of the same cluster.
    pub n: usize,
    /// Share of those with one of the cluster among the first 1, 5, 10.
    pub r1: Option<f64>,
    pub r5: Option<f64>,
    pub r10: Option<f64>,
    pub mrr: Option<f64>,
    /// As `r10`, linked incidents counting too.
    pub rel10: Option<f64>,
    pub rel_n: usize,
    /// Share of the first five with the same responder: a stand-in where no clusters are known.
    pub same_responder5: Option<f64>,
}

/// Gathers what similar incidents were worth. Incidents come in time order.
#[derive(Clone, Debug, Default)]
pub struct SimilarTally {
    clusters: HashMap<String, HashSet<String>>,
    earlier: HashMap<String, Option<String>>,
    n: usize,
    hits: [usize; 3],
    reciprocal: f64,
    related: (usize, usize),
    same: (usize, f64),
}

impl SimilarTally {
    /// One scored incident. Then [`SimilarTally::pass`] it.
    pub fn add(&mut self, similar: &[String], cluster: Option<&str>, related: &[String], responder: Option<&str>) {
        let known = similar.iter().take(RANKS).filter(|id| self.earlier.contains_key(*id));
        let known: Vec<&String> = known.collect();
        let gold = cluster.and_then(|c| self.clusters.get(c)).filter(|ids| !ids.is_empty());
        if let Some(gold) = gold {
            let rank = known.iter().position(|id| gold.contains(*id));
            self.n += 1;
            for (count, within) in self.hits.iter_mut().zip([1, 5, 10]) {
                *count += usize::from(rank.is_some_and(|r| r < within));
            }
            self.reciprocal += rank.map_or(0.0, |r| 1.0 / (r + 1) as f64);
        }
        let linked: HashSet<&String> = related.iter().filter(|id| self.earlier.contains_key(*id)).collect();
        if gold.is_some() || !linked.is_empty() {
            let hit = known.iter().any(|id| linked.contains(id) || gold.is_some_and(|g| g.contains(*id)));
            self.related.0 += 1;
            self.related.1 += usize::from(hit);
        }
        let first: Vec<&&String> = known.iter().take(5).collect();
        if let Some(responder) = responder
            && !first.is_empty()
        {
            let same = first
                .iter()
                .filter(|id| self.earlier.get(id.as_str()).is_some_and(|r| r.as_deref() == Some(responder)));
            self.same.0 += 1;
            self.same.1 += same.count() as f64 / first.len() as f64;
        }
    }

    /// The incident is past: later ones may refer to it.
    pub fn pass(&mut self, id: &str, cluster: Option<&str>, responder: Option<&str>) {
        if let Some(cluster) = cluster {
            self.clusters.entry(cluster.to_owned()).or_default().insert(id.to_owned());
        }
        self.earlier.insert(id.to_owned(), responder.map(str::to_owned));
    }

    #[must_use]
    pub fn figures(&self) -> Similar {
        let share = |count: f64, of: usize| (of > 0).then(|| count / of as f64);
        let [r1, r5, r10] = self.hits.map(|h| share(h as f64, self.n));
        Similar {
            n: self.n,
            r1,
            r5,
            r10,
            mrr: share(self.reciprocal, self.n),
            rel10: share(self.related.1 as f64, self.related.0),
            rel_n: self.related.0,
            same_responder5: share(self.same.1, self.same.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        let mut tally = Tally::default();
        tally.add("a", ["a", "b"], Some(0.9), true);
        tally.add("a", ["b", "c", "a"], Some(0.9), true);
        tally.add("b", [], None, false);
        let r = tally.ranking().unwrap();
        assert_eq!((r.n, r.classes), (3, 2));
        assert!((r.top1 - 1.0 / 3.0).abs() < 1e-12 && (r.top3 - 2.0 / 3.0).abs() < 1e-12);
        assert!((r.mrr - (1.0 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
        assert!((r.macro_recall - 0.25).abs() < 1e-12);
        assert!((r.ece.unwrap() - 0.4).abs() < 1e-12, "{:?}", r.ece);
        assert_eq!(Tally::default().ranking(), None);
    }

    #[test]
    fn similar_counts_earlier_incidents_only() {
        let mut tally = SimilarTally::default();
        tally.add(&["later".into()], Some("c"), &[], Some("ana"));
        tally.pass("one", Some("c"), Some("ana"));
        tally.add(&["later".into(), "one".into()], Some("c"), &[], Some("ana"));
        let s = tally.figures();
        assert_eq!((s.n, s.r1, s.rel_n, s.same_responder5), (1, Some(1.0), 1, Some(1.0)));
    }
}
