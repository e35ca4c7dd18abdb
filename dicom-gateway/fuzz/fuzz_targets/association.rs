#![no_main]
#![doc = "What a peer may send, from its association request on."]

#[path = "../harness/association.rs"]
mod association;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| association::speak(bytes));
