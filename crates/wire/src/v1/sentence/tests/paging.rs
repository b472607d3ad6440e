//! Events of escalations, pages and heartbeats.

use tocsin_core::escalation::End;
use tocsin_core::identity::Handle;
use tocsin_core::ids::RunNumber;
use tocsin_core::paging::{Channel, MethodId, PageState, Recipient, Urgency};
use tocsin_core::severity::Severity;

use super::*;

/// Every kind, in the order of the enum.
pub(super) fn events() -> Vec<Event> {
    let (run, page) = (RunNumber(4), OutboxNumber(12));
    let runs = || vec![run];
    let ada = || Handle::parse("ada").unwrap();
    let phone = || Recipient::Person { person: ada(), method: MethodId::parse("phone").unwrap() };
    let ended = |why| Event::EscalationEnded { run, why };
    let answered = |action: &str, comment: &str| Event::EscalationAnswered {
        run,
        by: "ada".to_owned(),
        action: action.into(),
        via: "sms".to_owned(),
        comment: comment.to_owned(),
        until: None,
        still_asked: Vec::new(),
    };
    let reached = |round, people: Vec<(Handle, String)>, left_out: &[&str], skipped: &str| {
        Event::StepReached {
            run,
            round,
            step: 2,
            level: "L2".into(),
            due_at: at("12:05:00"),
            people,
            places: Vec::new(),
            left_out: left_out.iter().map(ToString::to_string).collect(),
            skipped: skipped.to_owned(),
        }
    };
    let on_call = || (ada(), "on call in primary".to_owned());
    vec![
        Event::EscalationStarted {
            run,
            group: Arc::from("{}:{service=\"checkout\"}"),
            receiver: Arc::from("team"),
            policy: Arc::from("checkout"),
            severity: Severity::Sev2,
            title: "SlowCheckout on checkout".to_owned(),
            alerts: vec![AlertNumber(1)],
            why: "receiver `team` names it".to_owned(),
        },
        Event::EscalationJoined { run, alerts: vec![AlertNumber(2)] },
        Event::EscalationWorsened { run, from: Severity::Sev3, to: Severity::Sev1 },
        reached(1, vec![on_call()], &["grace is away"], ""),
        reached(2, Vec::new(), &[], "it means nobody"),
        Event::EscalationStandsStill { run, why: "nothing of it fires any more".to_owned() },
        Event::EscalationWentOn { run, stood_since: at("12:01:00") },
        answered("acknowledge", "on it"),
        answered("snooze", ""),
        Event::EscalationReopened { run, step: 1, why: "the snooze is over".to_owned() },
        Event::EscalationUnanswered { run, rounds: 1, told: None },
        Event::EscalationUnanswered {
            run,
            rounds: 3,
            told: Some((Handle::parse("grace").unwrap(), "the manager of ada".to_owned())),
        },
        Event::StepMissed { run, round: 2, step: 1, due_at: at("12:05:00") },
        ended(End::AlertsResolved),
        ended(End::Resolved { by: "ada".to_owned() }),
        ended(End::Orphaned),
        Event::PageQueued {
            page,
            runs: runs(),
            recipient: phone(),
            channel: Channel::Sms,
            content: "page".into(),
            urgency: Urgency::High,
        },
        Event::PageHeld {
            run,
            recipient: phone(),
            until: at("12:10:00"),
            why: "these are the person's quiet hours".to_owned(),
        },
        Event::PageSent {
            page,
            runs: runs(),
            recipient: phone(),
            channel: Channel::Sms,
            attempts: 2,
        },
        Event::PageAttemptFailed {
            page,
            runs: runs(),
            recipient: phone(),
            channel: Channel::Sms,
            attempt: 1,
            failure: failure("the provider answered 503"),
            retry_at: Some(at("12:00:05")),
        },
        Event::PageDropped {
            page,
            runs: runs(),
            recipient: phone(),
            channel: Channel::Sms,
            why: "nobody has to be disturbed any more".to_owned(),
        },
        Event::PageFellBack { run, recipient: phone(), why: "the channel is down".to_owned() },
        Event::PageConfirmed {
            page,
            runs: runs(),
            recipient: Recipient::Place { name: Arc::from("slack/#db") },
            state: PageState::Seen,
            detail: String::new(),
        },
        Event::ChannelDown { channel: Channel::Voice, until: at("12:01:00") },
        Event::ContactStopped { person: ada(), channel: Channel::Sms, is_stopped: true },
        Event::HeartbeatMissed { name: Arc::from("backup"), heard_at: Some(at("11:00:00")) },
        Event::HeartbeatMissed { name: Arc::from("backup"), heard_at: None },
        Event::HeartbeatHeard { name: Arc::from("backup"), missed_since: at("11:30:00") },
        Event::WatcherUnreachable { failures: 3, why: "the watcher answered 503".to_owned() },
        Event::WatcherReached,
    ]
}
