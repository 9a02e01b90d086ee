//! Reads the `Date` of an answer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::fuzzing::http_date(data));
