//! Start-up: compiling the rules, loading the statutes, and what each kind of automaton costs to build and to run.

mod common;

use std::hint::black_box;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use daachorse::{CharwiseDoubleArrayAhoCorasickBuilder, DoubleArrayAhoCorasickBuilder};
use zhijian::Checker;
use zhijian::lexicon::{RuleSet, Sources};
use zhijian::statutes::StatuteBase;

fn load(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    group.sample_size(10);
    group.bench_function("rules", |b| {
        b.iter(|| RuleSet::compile(black_box(&Sources::builtin())).expect("the embedded rules load"));
    });
    let remembered = || Checker::remembered(true, Sources::default(), &[]).expect("the embedded files load");
    remembered();
    group.bench_function("rules and statutes, remembered", |b| b.iter(remembered));
    group.bench_function("statutes", |b| b.iter(|| StatuteBase::load(&[]).expect("the embedded statutes load")));
    group.finish();
}

fn automata(c: &mut Criterion) {
    let rules = RuleSet::compile(&Sources::builtin()).expect("the embedded rules load");
    let literals = &common::literals(&rules);
    let texts = common::agent_texts();
    let bytes: usize = texts.iter().map(String::len).sum();
    let expected = texts.iter().filter(|text| literals.iter().any(|literal| text.contains(literal.as_str()))).count();

    let mut build = c.benchmark_group("automaton build");
    build.sample_size(10);
    let kinds = [("contiguous NFA", AhoCorasickKind::ContiguousNFA), ("DFA", AhoCorasickKind::DFA)];
    let aho =
        |kind| AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(kind)).build(literals).expect("builds");
    for (name, kind) in kinds {
        build.bench_function(BenchmarkId::new("aho-corasick", name), |b| b.iter(|| aho(kind)));
    }
    let bytewise = || DoubleArrayAhoCorasickBuilder::new().build(literals).expect("builds");
    let charwise = || CharwiseDoubleArrayAhoCorasickBuilder::new().build(literals).expect("builds");
    let _: daachorse::DoubleArrayAhoCorasick<u32> = bytewise();
    build.bench_function(BenchmarkId::new("daachorse", "bytewise"), |b| {
        b.iter(|| -> daachorse::DoubleArrayAhoCorasick<u32> { bytewise() });
    });
    build.bench_function(BenchmarkId::new("daachorse", "charwise"), |b| {
        b.iter(|| -> daachorse::CharwiseDoubleArrayAhoCorasick<u32> { charwise() });
    });
    build.finish();

    let mut search = c.benchmark_group("automaton search");
    search.throughput(Throughput::Bytes(bytes as u64));
    for (name, kind) in kinds {
        let automaton = aho(kind);
        search.bench_function(BenchmarkId::new("aho-corasick", name), |b| {
            b.iter(|| {
                let found = texts.iter().filter(|text| automaton.is_match(text.as_str())).count();
                assert_eq!(found, expected);
            });
        });
    }
    let automaton: daachorse::DoubleArrayAhoCorasick<u32> = bytewise();
    search.bench_function(BenchmarkId::new("daachorse", "bytewise"), |b| {
        b.iter(|| {
            let found = texts.iter().filter(|text| automaton.find_iter(text.as_str()).next().is_some()).count();
            assert_eq!(found, expected);
        });
    });
    let automaton: daachorse::CharwiseDoubleArrayAhoCorasick<u32> = charwise();
    search.bench_function(BenchmarkId::new("daachorse", "charwise"), |b| {
        b.iter(|| {
            let found = texts.iter().filter(|text| automaton.find_iter(text.as_str()).next().is_some()).count();
            assert_eq!(found, expected);
        });
    });
    search.finish();
}

criterion_group!(benches, load, automata);
criterion_main!(benches);
