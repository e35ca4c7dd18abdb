#![no_main]
#![doc = "What an object may hold, before and within its data set."]

#[path = "../harness/data_set.rs"]
mod data_set;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| data_set::read(bytes));
