//! Reads a file to import; its first byte chooses its name.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::fuzzing::import(data));
