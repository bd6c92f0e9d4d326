//! Where the time of a run goes, stage by stage, for `--timings`.
//!
//! A stage counts its own time only: what runs inside another stage is counted there. Times of threads are added up. While
//! nobody asks, a stage costs one read of a flag.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Decoding and parsing inputs.
    Read,
    /// Putting rows into conversations.
    Group,
    /// Preparing rules and statutes.
    Load,
    /// Telling what a text needs, normalising and folding it.
    Normalise,
    /// Finding literals.
    Automaton,
    /// Following patterns from the literals that wake them.
    Follow,
    /// Segmenting with jieba.
    Segment,
    /// Exact matches, conditions, rules about conversations, and looking up texts said before.
    Rules,
    /// Citations of laws.
    Citations,
    /// Writing findings.
    Write,
}

impl Stage {
    /// In the order of the work.
    pub const ALL: [Stage; 10] = [
        Stage::Read,
        Stage::Group,
        Stage::Load,
        Stage::Normalise,
        Stage::Automaton,
        Stage::Follow,
        Stage::Segment,
        Stage::Rules,
        Stage::Citations,
        Stage::Write,
    ];

    /// The name of the stage in Chinese and English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Stage::Read => ("读取", "read"),
            Stage::Group => ("归并会话", "group"),
            Stage::Load => ("载入规则", "load"),
            Stage::Normalise => ("规范化", "normalise"),
            Stage::Automaton => ("自动机", "automaton"),
            Stage::Follow => ("模式", "follow"),
            Stage::Segment => ("分词", "segment"),
            Stage::Rules => ("规则", "rules"),
            Stage::Citations => ("法条引用", "citations"),
            Stage::Write => ("写出", "write"),
        }
    }
}

const STAGES: usize = Stage::ALL.len();

static ASKED: AtomicBool = AtomicBool::new(false);
static NANOS: [AtomicU64; STAGES] = [const { AtomicU64::new(0) }; STAGES];
static TIMES: [AtomicU64; STAGES] = [const { AtomicU64::new(0) }; STAGES];

thread_local! {
    /// The stage that runs, and since when it was not counted.
    static RUNNING: Cell<Option<(Stage, Instant)>> = const { Cell::new(None) };
}

/// Counts from now on.
pub fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Runs a stage until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Running {
    /// What goes on afterwards; `None` when nobody asks.
    before: Option<Option<Stage>>,
}

/// Begins `stage`, inside the one that runs on this thread.
#[inline]
pub fn stage(stage: Stage) -> Running {
    if !ASKED.load(Ordering::Relaxed) {
        return Running { before: None };
    }
    TIMES[stage as usize].fetch_add(1, Ordering::Relaxed);
    Running { before: Some(switch(Some(stage))) }
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.before {
            switch(before);
        }
    }
}

/// Counts the time of the stage that ran and goes over to `next`.
fn switch(next: Option<Stage>) -> Option<Stage> {
    let now = Instant::now();
    let before = RUNNING.replace(next.map(|stage| (stage, now)));
    if let Some((stage, since)) = before {
        let nanos = u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX);
        NANOS[stage as usize].fetch_add(nanos, Ordering::Relaxed);
    }
    before.map(|(stage, _)| stage)
}

/// For each stage how often it ran and how long.
pub fn so_far() -> impl Iterator<Item = (Stage, u64, Duration)> {
    Stage::ALL.into_iter().map(|stage| {
        let nanos = NANOS[stage as usize].load(Ordering::Relaxed);
        (stage, TIMES[stage as usize].load(Ordering::Relaxed), Duration::from_nanos(nanos))
    })
}
