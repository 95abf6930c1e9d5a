#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dibump_fuzz::schema(data));
