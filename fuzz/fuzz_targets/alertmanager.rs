//! Any bytes as a body of Alertmanager's API v2.
#![no_main]

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use tocsin_wire::alertmanager::{AlertContext, decode_alerts, decode_silence, parse_silence_id};

fuzz_target!(|body: &[u8]| {
    for is_classic in [false, true] {
        let context = AlertContext {
            now: Timestamp::UNIX_EPOCH,
            resolve_timeout: SignedDuration::from_mins(5),
            is_classic,
        };
        if let Ok(posted) = decode_alerts(body, context) {
            for alert in posted.valid {
                assert!(!alert.labels.is_empty(), "an alert without labels");
                assert_eq!(alert.fingerprint, alert.labels.fingerprint());
            }
        }
    }
    let _ = decode_silence(body);
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = parse_silence_id(text);
    }
});
