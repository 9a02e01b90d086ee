//! Reads a page of the X API v2, with profiles and without.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::fuzzing::v2_page(data));
