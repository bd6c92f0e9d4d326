//! Workbooks, Parquet and archives, told by their first bytes; seeds matter here.

#![no_main]

#[path = "../shared.rs"]
mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let packed = [&b"PK\x03\x04"[..], b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xd0\xcf\x11\xe0", b"PAR1"];
    if packed.iter().any(|start| bytes.starts_with(start)) {
        shared::read("day", None, bytes);
    }
});
