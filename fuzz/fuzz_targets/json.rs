#![no_main]

#[path = "../shared.rs"]
mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::read("day.json", Some(zhijian::input::Format::Json), bytes));
