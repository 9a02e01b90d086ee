//! Reads an answer that may be a refusal; its first two bytes are the status.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::fuzzing::classify(data));
