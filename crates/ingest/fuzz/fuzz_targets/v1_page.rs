//! Reads a page of the X API v1.1.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::fuzzing::v1_page(data));
