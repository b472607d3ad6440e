//! Any bytes as a body of our own API.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tocsin_wire::v1::{
    AlertPosting, NewMaintenanceWindow, PostedAlert, ReceiverTest, RouteTest, SilenceDraft,
};

fuzz_target!(|body: &[u8]| {
    if let Ok(posting) = serde_json::from_slice::<AlertPosting<'_>>(body) {
        for raw in posting.alerts {
            if let Ok(alert) = serde_json::from_str::<PostedAlert>(raw.get()) {
                let _ = alert.into_incoming(Timestamp::UNIX_EPOCH, false);
            }
        }
    }
    let _ = serde_json::from_slice::<SilenceDraft>(body);
    let _ = serde_json::from_slice::<RouteTest>(body);
    let _ = serde_json::from_slice::<ReceiverTest>(body);
    let _ = serde_json::from_slice::<NewMaintenanceWindow>(body);
});
