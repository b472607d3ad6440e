//! Which earlier incidents are like this one, and why.
//!
//! Three things are compared: the words of title, summary and end (BM25 with k1 = 1.2 and
//! b = 0.75, divided by what the text would score against itself), what alerts and services they
//! share (cosine of vectors weighted by how rare each is), and the labels they share. What is long
//! ago counts less; what has a known end counts a little more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Handle;
use crate::incident::{IncidentNumber, ResolutionCode};
use crate::labels::Labels;

/// The most traits that are kept of one incident.
pub const MAX_TRAITS: usize = 64;

/// How many similar incidents are named.
const MAX_SIMILAR: usize = 5;

/// Below this they are not alike.
const MIN_SCORE: f64 = 0.35;

/// What each part counts. Without a topology of services its share goes to text and traits.
const TEXT: f64 = 0.48;
const TRAITS: f64 = 0.40;
const LABELS: f64 = 0.12;

/// BM25, as its authors recommend.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// In how many days what is long ago loses most of what its age can take.
const AGE_DAYS: f64 = 30.0;

/// What a known end adds.
const RESOLUTION_BONUS: f64 = 0.05;

/// The most words of a text that are looked at.
const MAX_TOKENS: usize = 400;

/// What is compared of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Which.
    pub number: IncidentNumber,
    /// When it was detected.
    pub detected_at: Timestamp,
    /// What it is about, in words.
    pub text: String,
    /// What it has in common with others: `alert:…`, `service:…`, `category:…`, `label:…=…`.
    pub traits: BTreeSet<String>,
    /// How many incidents have each of the traits.
    pub frequencies: BTreeMap<String, u64>,
    /// How many incidents there are.
    pub total: u64,
}

/// An earlier incident that may be similar.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which.
    pub number: IncidentNumber,
    /// What it was about.
    pub title: String,
    /// When it was detected.
    pub detected_at: Timestamp,
    /// What it was about, in words, and how it ended.
    pub text: String,
    /// What it has in common with others.
    pub traits: BTreeSet<String>,
    /// Labels by which it may be seen.
    pub labels: Labels,
    /// How it ended.
    pub resolution: Option<ResolutionCode>,
    /// What was said at its end; may be empty.
    pub note: String,
    /// Who had it.
    pub owner: Option<Handle>,
    /// From the first detection to the last end, in seconds.
    pub mttr: Option<i64>,
    /// Where it was written what to do.
    pub runbook: Option<String>,
}

/// An earlier incident that is similar, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    /// Which.
    pub candidate: Candidate,
    /// From 0 to 1; more is more alike.
    pub score: f64,
    /// Why, in short phrases.
    pub reasons: Vec<String>,
}

/// How often something like this happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Novelty {
    /// Nothing like it in 30 days.
    New,
    /// At most one of twenty incidents.
    Rare,
    /// Between rare and frequent.
    Occasional,
    /// At least one of five.
    Frequent,
}

impl Novelty {
    /// Returns the word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Rare => "rare",
            Self::Occasional => "occasional",
            Self::Frequent => "frequent",
        }
    }
}

/// Returns how often something like this happened among the incidents of the last 30 days.
pub fn novelty(alike: u64, all: u64) -> Novelty {
    match (alike, all) {
        (0, _) | (_, 0) => Novelty::New,
        (alike, all) if alike * 5 >= all => Novelty::Frequent,
        (alike, all) if alike * 20 <= all => Novelty::Rare,
        _ => Novelty::Occasional,
    }
}

/// Returns the words of a text in lower case, in their order.
pub fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    words.take(MAX_TOKENS).map(str::to_lowercase).collect()
}

/// Returns the earlier incidents that are most like this one, the most alike first.
pub fn similar(probe: &Probe, candidates: Vec<Candidate>) -> Vec<Similar> {
    let texts: Vec<Vec<String>> = candidates.iter().map(|it| tokens(&it.text)).collect();
    let words: BTreeSet<String> = tokens(&probe.text).into_iter().collect();
    let bm25 = Bm25::new(&texts);
    let best = bm25.score(&words, &words.iter().cloned().collect::<Vec<_>>());
    let mut found: Vec<Similar> = candidates
        .into_iter()
        .zip(&texts)
        .filter(|(candidate, _)| candidate.number != probe.number)
        .map(|(candidate, text)| {
            let text = if best > 0.0 { (bm25.score(&words, text) / best).min(1.0) } else { 0.0 };
            rate(probe, candidate, text)
        })
        .filter(|it| it.score >= MIN_SCORE)
        .collect();
    // The newer one first where two are equally alike.
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| b.candidate.number.cmp(&a.candidate.number))
    });
    found.truncate(MAX_SIMILAR);
    found
}

fn rate(probe: &Probe, candidate: Candidate, text: f64) -> Similar {
    let is_label = |it: &&String| it.starts_with("label:");
    let weight = |it: &String| rarity(probe, it);
    let of =
        |set: &BTreeSet<String>| set.iter().filter(|it| !is_label(it)).map(weight).sum::<f64>();
    let shared: Vec<&String> = probe.traits.intersection(&candidate.traits).collect();
    let common: f64 = shared.iter().filter(|it| !is_label(it)).map(|it| weight(it)).sum();
    let norm = (of(&probe.traits) * of(&candidate.traits)).sqrt();
    let cosine = if norm > 0.0 { common / norm } else { 0.0 };
    let labels = |set: &BTreeSet<String>| set.iter().filter(is_label).count();
    let most = labels(&probe.traits).max(labels(&candidate.traits));
    let shared_labels = shared.iter().filter(|it| is_label(it)).count();
    let overlap = if most > 0 { ratio(shared_labels, most) } else { cosine };
    let seconds = probe.detected_at.duration_since(candidate.detected_at).as_secs().max(0);
    #[expect(clippy::cast_precision_loss, reason = "an age need not be exact")]
    let days = seconds as f64 / 86_400.0;
    let age = 0.6 + 0.4 * (-days / AGE_DAYS).exp();
    let alike = TEXT * text + TRAITS * cosine + LABELS * overlap;
    let bonus = if candidate.resolution.is_some() && alike > 0.0 { RESOLUTION_BONUS } else { 0.0 };
    let score = (alike * age + bonus).min(1.0);
    let reasons = reasons(probe, &candidate, &shared, text);
    Similar { candidate, score, reasons }
}

fn reasons(probe: &Probe, candidate: &Candidate, shared: &[&String], text: f64) -> Vec<String> {
    let mut reasons = Vec::new();
    let with = |head: &str| shared.iter().filter(|it| it.starts_with(head)).count();
    let all = probe.traits.iter().filter(|it| it.starts_with("alert:")).count();
    match (with("alert:"), all) {
        (0, _) => {}
        (1, 1) => reasons.push("the same alert".to_owned()),
        (same, all) => reasons.push(format!("{same} of {all} alerts the same")),
    }
    if let Some(service) = shared.iter().find_map(|it| it.strip_prefix("service:")) {
        reasons.push(format!("same service {service}"));
    }
    if let Some(category) = shared.iter().find_map(|it| it.strip_prefix("category:")) {
        reasons.push(format!("same category {category}"));
    }
    let labels: Vec<&str> =
        shared.iter().filter_map(|it| it.strip_prefix("label:")).take(3).collect();
    if !labels.is_empty() {
        reasons.push(format!("same labels {}", labels.join(", ")));
    }
    if text >= 0.5 {
        reasons.push("much the same words".to_owned());
    }
    if let Some(code) = candidate.resolution {
        let said =
            if candidate.note.is_empty() { String::new() } else { format!(": {}", candidate.note) };
        reasons.push(format!("ended as {code}{said}"));
    }
    reasons
}

/// Returns how much a trait says: the fewer incidents have it, the more.
#[expect(clippy::cast_precision_loss, reason = "counts of incidents are far below 2^52")]
fn rarity(probe: &Probe, name: &str) -> f64 {
    let with = probe.frequencies.get(name).copied().unwrap_or(0) as f64;
    let all = probe.total.max(1) as f64;
    (1.0 + (all - with + 0.5).max(0.5) / (with + 0.5)).ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts of labels are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Word statistics of the candidates.
struct Bm25 {
    documents: f64,
    mean_length: f64,
    frequencies: BTreeMap<String, f64>,
}

impl Bm25 {
    fn new(texts: &[Vec<String>]) -> Self {
        let mut frequencies: BTreeMap<String, f64> = BTreeMap::new();
        for text in texts {
            for word in text.iter().collect::<BTreeSet<_>>() {
                *frequencies.entry(word.clone()).or_default() += 1.0;
            }
        }
        let length: usize = texts.iter().map(Vec::len).sum();
        let mean_length = ratio(length, texts.len().max(1)).max(1.0);
        Self { documents: ratio(texts.len(), 1), mean_length, frequencies }
    }

    fn score(&self, words: &BTreeSet<String>, text: &[String]) -> f64 {
        let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
        for word in text {
            *counts.entry(word).or_default() += 1.0;
        }
        let length = ratio(text.len(), 1) / self.mean_length;
        words
            .iter()
            .filter_map(|word| Some((word, counts.get(word.as_str())?)))
            .map(|(word, count)| {
                let with = self.frequencies.get(word).copied().unwrap_or(0.0);
                let rare = (1.0 + (self.documents - with + 0.5) / (with + 0.5)).ln();
                rare * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn traits(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|it| (*it).to_owned()).collect()
    }

    fn candidate(number: u64, title: &str, list: &[&str]) -> Candidate {
        Candidate {
            number: IncidentNumber(number),
            title: title.to_owned(),
            detected_at: at("2026-01-20T00:00:00Z"),
            text: title.to_owned(),
            traits: traits(list),
            labels: Labels::default(),
            resolution: Some(ResolutionCode::Fixed),
            note: "rolled back".to_owned(),
            owner: None,
            mttr: Some(600),
            runbook: None,
        }
    }

    fn probe(list: &[&str]) -> Probe {
        let frequencies = list.iter().map(|it| ((*it).to_owned(), 2)).collect();
        Probe {
            number: IncidentNumber(9),
            detected_at: at("2026-01-31T00:00:00Z"),
            text: "HighErrorRate on checkout".to_owned(),
            traits: traits(list),
            frequencies,
            total: 100,
        }
    }

    #[test]
    fn the_same_alert_of_the_same_service_comes_first_and_says_why() {
        let own = ["alert:HighErrorRate", "alert:SlowCheckout", "service:checkout"];
        let found = similar(
            &probe(&own),
            vec![
                candidate(1, "DiskFull on db", &["alert:DiskFull", "service:db"]),
                candidate(2, "HighErrorRate on search", &["alert:HighErrorRate", "service:search"]),
                candidate(
                    3,
                    "HighErrorRate on checkout",
                    &["alert:HighErrorRate", "service:checkout"],
                ),
                candidate(9, "HighErrorRate on checkout", &own),
            ],
        );
        let numbers: Vec<u64> = found.iter().map(|it| it.candidate.number.0).collect();
        assert_eq!(numbers[0], 3);
        assert!(!numbers.contains(&1) && !numbers.contains(&9), "{numbers:?}");
        assert_eq!(
            found[0].reasons,
            [
                "1 of 2 alerts the same",
                "same service checkout",
                "much the same words",
                "ended as fixed: rolled back"
            ]
        );
        assert!(found[0].score <= 1.0);
    }

    #[test]
    fn what_is_long_ago_counts_less_and_the_order_never_depends_on_the_input() {
        let own = ["alert:HighErrorRate", "service:checkout"];
        let mut old = candidate(1, "HighErrorRate on checkout", &own);
        old.detected_at = at("2025-01-01T00:00:00Z");
        let new = candidate(2, "HighErrorRate on checkout", &own);
        let there = similar(&probe(&own), vec![old.clone(), new.clone()]);
        let back = similar(&probe(&own), vec![new, old]);
        assert_eq!(there, back);
        assert_eq!(there[0].candidate.number.0, 2);
        assert!(there[0].score > there[1].score);
        assert_eq!(similar(&probe(&[]), Vec::new()), []);
    }

    #[test]
    fn words_for_how_often_it_happens() {
        assert_eq!(novelty(0, 50), Novelty::New);
        assert_eq!(novelty(1, 50), Novelty::Rare);
        assert_eq!(novelty(5, 50), Novelty::Occasional);
        assert_eq!(novelty(10, 50), Novelty::Frequent);
        assert_eq!(novelty(3, 0), Novelty::New);
    }
}
