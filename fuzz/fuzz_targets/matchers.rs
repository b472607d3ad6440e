//! Any text as matchers, in both grammars: what is read, printed and read again is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tocsin_core::matcher::{ParseMode, parse_matcher, parse_matchers};

fuzz_target!(|text: &str| {
    for mode in [ParseMode::Classic, ParseMode::Utf8Strict, ParseMode::Fallback] {
        if let Ok(parsed) = parse_matcher(text, mode) {
            let printed = parsed.value.to_string();
            let again = parse_matcher(&printed, ParseMode::Utf8Strict);
            let again = again.unwrap_or_else(|error| panic!("{printed:?} of {text:?}: {error}"));
            assert_eq!(again.value, parsed.value, "{text:?} in {mode:?}");
            let _ = parsed.value.matches_value(text);
        }
        if let Ok(parsed) = parse_matchers(text, mode) {
            let printed: Vec<String> = parsed.value.iter().map(ToString::to_string).collect();
            let again = parse_matchers(&printed.join(","), ParseMode::Utf8Strict);
            let again = again.unwrap_or_else(|error| panic!("{printed:?} of {text:?}: {error}"));
            assert_eq!(again.value, parsed.value, "{text:?} in {mode:?}");
        }
    }
});
