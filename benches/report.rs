//! Writing findings in each form.

mod common;

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zhijian::Checker;
use zhijian::report::csv::CsvReporter;
use zhijian::report::jsonl::JsonlReporter;
use zhijian::report::text::{Mark, TextReporter};
use zhijian::report::{Language, Privacy, Reporter};

fn report(c: &mut Criterion) {
    let checker = Checker::builtin().expect("the embedded rules load");
    let day = concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/examples/day-2026-09-18.csv");
    let export = common::read(Path::new(day));
    let conversations: Vec<_> = (0..export.len()).map(|at| export.get(at)).collect();
    let findings: Vec<_> =
        conversations.iter().map(|conversation| (conversation, checker.check(conversation))).collect();
    let count: usize = findings.iter().map(|(_, found)| found.len()).sum();
    assert!(count > 0, "the example day has findings");
    let mut group = c.benchmark_group("report");
    group.throughput(Throughput::Elements(count as u64));
    let write = |reporter: &mut dyn Reporter| {
        reporter.begin().expect("a sink takes writes");
        for (conversation, found) in &findings {
            for finding in found {
                reporter.finding(finding, conversation).expect("a sink takes writes");
            }
        }
        reporter.end().expect("a sink takes writes");
    };
    group.bench_function("jsonl", |b| b.iter(|| write(&mut JsonlReporter::new(std::io::sink(), Privacy::default()))));
    group.bench_function("csv", |b| {
        b.iter(|| {
            write(
                &mut CsvReporter::new(std::io::sink(), Language::Chinese, true, Privacy::default())
                    .expect("a sink takes writes"),
            )
        });
    });
    group.bench_function("text", |b| {
        b.iter(|| {
            write(&mut TextReporter::new(std::io::sink(), Language::Chinese, Mark::Underline, Privacy::default()))
        })
    });
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);
