//! The main job on a generated export, beside its floor: reading the CSV and one automaton pass over the text column.
//!
//! `ZHIJIAN_BENCH_MB=20 cargo bench --bench scan` for a short run; the published figures are for 200 MB.

mod common;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use common::Day;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use zhijian::engine::Mode;
use zhijian::report::{Privacy, Reporter, jsonl::JsonlReporter};
use zhijian::{Checker, Conversation, SpeakerRole, Turn};

fn scan(c: &mut Criterion) {
    let checker = Checker::builtin().expect("the embedded rules load");
    for day in [Day::Clean, Day::Distinct, Day::Mixed] {
        let path = common::export(common::export_bytes(), day);
        let bytes = fs::metadata(&path).expect("written").len();
        let mut group = c.benchmark_group(format!("scan {day:?} day"));
        group.sample_size(10).throughput(Throughput::Bytes(bytes));
        let literals = &common::literals(&checker.rules);
        let dfa = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(literals).expect("builds");
        let expected = floor(&path, &dfa);
        group.bench_function("floor", |b| b.iter(|| assert_eq!(floor(&path, &dfa), expected)));
        group.bench_function("read", |b| b.iter(|| assert!(common::read(&path).ledger.adds_up())));
        let found = whole(&checker, &path, 1);
        for threads in [1, 2] {
            group.bench_function(format!("whole, {threads} thread(s)"), |b| {
                b.iter(|| assert_eq!(whole(&checker, &path, threads), found));
            });
        }
        group.finish();
    }
}

/// What no tool with these parts can beat: how many rows hold a literal.
fn floor(path: &Path, dfa: &AhoCorasick) -> usize {
    let file = BufReader::with_capacity(1 << 18, File::open(path).expect("readable"));
    let mut csv = csv::Reader::from_reader(file);
    let mut record = csv::ByteRecord::new();
    let mut hits = 0;
    while csv.read_byte_record(&mut record).expect("well formed") {
        hits += usize::from(dfa.is_match(&record[common::TEXT_COLUMN]));
    }
    hits
}

/// Reading, judging and writing; returns the number of findings.
fn whole(checker: &Checker, path: &Path, threads: usize) -> usize {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
    let export = common::read(path);
    let check = |at: usize| (at, checker.check_with(&export.get(at), Mode::Lazy).findings);
    let found: Vec<_> = pool.install(|| {
        (0..export.len()).into_par_iter().with_min_len(64).map(check).filter(|(_, found)| !found.is_empty()).collect()
    });
    let mut reporter = JsonlReporter::new(std::io::sink(), Privacy::default());
    let mut count = 0;
    for (at, findings) in &found {
        let conversation = export.get(*at);
        for finding in findings {
            reporter.finding(finding, &conversation).expect("a sink takes writes");
            count += 1;
        }
    }
    count
}

/// Input meant to be slow: time must stay linear in its size.
fn hostile(c: &mut Criterion) {
    let checker = Checker::builtin().expect("the embedded rules load");
    let mut group = c.benchmark_group("hostile turn");
    group.sample_size(10);
    let texts = [
        ("one character", "退".repeat(100_000)),
        ("many hits", "等一下".repeat(30_000)),
        ("no break", "您好请问有什么可以帮您".repeat(10_000)),
    ];
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let turns = vec![Turn::new(SpeakerRole::Customer, "什么时候退款"), Turn::new(SpeakerRole::Agent, text)];
        let conversation =
            Conversation { id: "1", channel: Default::default(), industry: "", date: None, path: "", turns };
        group.bench_function(*name, |b| b.iter(|| checker.check(&conversation)));
    }
    group.finish();
}

criterion_group!(benches, scan, hostile);
criterion_main!(benches);
