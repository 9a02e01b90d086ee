//! Reads a look-up of either generation.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::fuzzing::lookup(data));
