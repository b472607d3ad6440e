//! Any text as a configuration: it is taken or every mistake has a place in it, and what is taken
//! can be shown and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tocsin_config::{LoadOptions, load_str};

fuzz_target!(|text: &str| {
    let options = LoadOptions::default();
    match load_str("fuzz.yml", text, &options) {
        Ok(loaded) => {
            let shown = loaded.original_yaml();
            assert!(!shown.is_empty());
            let _ = loaded.show();
        }
        Err(report) => assert!(report.errors().count() > 0, "refused without a reason"),
    }
});
