//! What the views cost on the agent turns of the example day.

mod common;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zhijian::text::normalize::{ViewText, folded_text, plain_text, traits};

fn normalize(c: &mut Criterion) {
    let texts = common::agent_texts();
    let mut group = c.benchmark_group("normalize");
    group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
    let each = |act: &dyn Fn(&str)| texts.iter().for_each(|text| act(text));
    group.bench_function("traits", |b| {
        b.iter(|| {
            each(&|text| {
                black_box(traits(text));
            });
        });
    });
    group.bench_function("plain", |b| b.iter(|| each(&|text| drop(black_box(plain_text(text))))));
    group.bench_function("folded", |b| b.iter(|| each(&|text| drop(black_box(folded_text(text))))));
    group.bench_function("plain with alignment", |b| b.iter(|| each(&|text| drop(black_box(ViewText::plain(text))))));
    group.finish();
}

criterion_group!(benches, normalize);
criterion_main!(benches);
