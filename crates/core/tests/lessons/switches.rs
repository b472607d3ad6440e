//! What happens by itself of what is learned can be switched off.

use std::sync::Arc;

use tocsin_core::action::ActionPriority;
use tocsin_core::incident::{Automation, ResolutionCode};
use tocsin_core::lesson::LessonChange;
use tocsin_core::severity::Severity;

use crate::{Stage, at, policy};

fn stage(automation: Automation) -> Stage {
    let mut policy = Arc::unwrap_or_clone(policy());
    policy.incidents.automation = automation;
    Stage::with(Arc::new(policy))
}

#[test]
fn a_postmortem_begins_and_is_drafted_by_itself_unless_that_is_switched_off() {
    let usual = Automation::default();
    for (automation, begins, drafts) in [
        (usual, true, true),
        (Automation { begins_postmortems: false, ..usual }, false, false),
        (Automation { drafts_postmortems: false, ..usual }, true, false),
    ] {
        let mut stage = stage(automation);
        let number = stage.incident(1, Severity::Sev1, ResolutionCode::Fixed);
        assert_eq!(stage.tenant.postmortem(number).is_some(), begins, "{automation:?}");
        assert_eq!(!stage.tenant.postmortems_to_draft().is_empty(), drafts, "{automation:?}");
    }
}

#[test]
fn promises_are_kept_in_mind_unless_that_is_switched_off() {
    let usual = Automation::default();
    for (automation, is_tracked) in
        [(usual, true), (Automation { tracks_actions: false, ..usual }, false)]
    {
        let mut stage = stage(automation);
        let first = stage.incident(1, Severity::Sev3, ResolutionCode::Fixed);
        stage.promise(1, first, ActionPriority::P0);
        let second = stage.incident(2, Severity::Sev3, ResolutionCode::Fixed);
        let again = LessonChange::NoteRecurrence { incident: second, earlier: vec![first] };
        assert_eq!(stage.learn(2, again).unwrap().has_changed, is_tracked, "{automation:?}");
        stage.run(at(3));
        assert_eq!(!stage.notices().is_empty(), is_tracked, "{automation:?}");
    }
}
