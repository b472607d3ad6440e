//! What is learned: postmortems begin, are drafted, written and published; promises are kept in
//! mind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod moves;
mod switches;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::action::{
    ActionCategory, ActionDraft, ActionEdit, ActionId, ActionPriority, ActionStatus,
};
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::identity::{
    Actor, Grant, Handle, IdentityChange, IdentityRows, Person, PersonOrigin, Role, Scope, Who,
};
use tocsin_core::incident::{
    CurateStep, Entry, Expected, Fact, FoundRow, IncidentChange, IncidentDraft, IncidentNumber,
    IncidentStep, MAX_MARKS, MarkEdit, PeopleStep, ResolutionCode, RestrictStep, Status,
};
use tocsin_core::knowledge::{ArticleDraft, ArticleKind, ArticleNumber};
use tocsin_core::labels::Labels;
use tocsin_core::lesson::{LessonChange, LessonRejection, LessonReply, LessonSubject};
use tocsin_core::matcher::Matchers;
use tocsin_core::paging::{Channel, Contacts, Content, Method, MethodId, Page, Verification};
use tocsin_core::policy::{GroupBy, Limits, Policy, Receiver, Route, RouteTree};
use tocsin_core::postmortem::{
    Postmortem, PostmortemDraft, PostmortemEdit, PostmortemState, PostmortemStep, SectionName,
    Sentence, Source, live,
};
use tocsin_core::rows::TenantRows;
use tocsin_core::severity::Severity;
use tocsin_core::{Tenant, Turn};

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hour * 3_600).unwrap()
}

fn who(name: &str) -> Handle {
    Handle::parse(name).unwrap()
}

fn policy() -> Arc<Policy> {
    let minute = SignedDuration::from_mins(1);
    let root = Route {
        parent: None,
        children: Vec::new(),
        key: "{}".into(),
        unique_key: "{}".into(),
        receiver: "nobody".into(),
        matchers: Matchers::default(),
        is_continue: false,
        group_by: GroupBy::Names(Vec::new()),
        group_wait: minute,
        group_wait_by_severity: Default::default(),
        group_interval: minute,
        repeat_interval: minute,
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        labels: Labels::default(),
    };
    Arc::new(Policy {
        resolve_timeout: minute,
        routes: RouteTree { nodes: vec![root] },
        inhibit_rules: Vec::new(),
        time_intervals: Default::default(),
        receivers: vec![Receiver {
            name: "nobody".into(),
            labels: Labels::default(),
            integrations: Vec::new(),
            escalation_policy: None,
        }],
        maintenance_windows: Vec::new(),
        people: Vec::new(),
        teams: Vec::new(),
        escalation: Default::default(),
        heartbeats: Vec::new(),
        incidents: Default::default(),
        schedules: Vec::new(),
        holidays: Vec::new(),
        compat: Default::default(),
        retention: SignedDuration::from_hours(1),
        start_delay: SignedDuration::ZERO,
        limits: Limits::default(),
    })
}

fn person(name: &str, manager: Option<&str>) -> Person {
    Person {
        handle: who(name),
        name: name.to_owned(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        contact_methods: Vec::new(),
        expertise: Vec::new(),
        manager: manager.map(who),
        grants: vec![Grant { role: Role::Admin, scope: Scope::Tenant }],
        is_active: true,
        origin: PersonOrigin::Api,
    }
}

/// A tenant, and what it wrote of what is learned.
struct Stage {
    tenant: Tenant,
    policy: Arc<Policy>,
    postmortems: BTreeMap<IncidentNumber, Postmortem>,
    versions: usize,
    entries: Vec<Entry>,
    sent: Vec<Page>,
}

impl Stage {
    fn new() -> Self {
        Self::with(policy())
    }

    fn with(policy: Arc<Policy>) -> Self {
        let everyday = |name: &str, manager: Option<&str>| {
            let grants = vec![Grant { role: Role::Responder, scope: Scope::Tenant }];
            Person { grants, ..person(name, manager) }
        };
        let people = vec![
            person("ada", Some("linus")),
            person("linus", None),
            everyday("grace", Some("bob")),
            everyday("bob", None),
        ];
        let identity = IdentityRows { people, ..IdentityRows::default() };
        let method = Method {
            id: MethodId::parse("mail").unwrap(),
            channel: Channel::Email,
            address: "x@example.org".to_owned(),
            verification: Verification::Verified { at: at(0) },
            is_provisioned: false,
            is_stopped: false,
        };
        let contacts = Contacts { methods: vec![method], ..Contacts::default() };
        let contacts = ["ada", "linus", "grace", "bob"].map(|it| (who(it), contacts.clone()));
        let contacts = contacts.to_vec();
        let rows = TenantRows { identity, contacts, ..TenantRows::default() };
        let tenant = Tenant::restore(Arc::clone(&policy), rows, at(0));
        let (postmortems, sent) = (BTreeMap::new(), Vec::new());
        let mut stage =
            Self { tenant, policy, postmortems, versions: 0, entries: Vec::new(), sent };
        stage.turn(at(0), Vec::new());
        stage
    }

    fn turn(&mut self, now: Timestamp, commands: Vec<Command>) -> Vec<Reply> {
        let actor = Actor { who: Who::Person(who("ada")), ..Actor::OPERATOR };
        let orders = commands.into_iter().map(|it| it.by(actor.clone())).collect();
        let Turn { writes, replies, pages, .. } = self.tenant.turn(now, orders);
        self.sent.extend(pages);
        self.entries.extend(writes.entries);
        for it in writes.lessons.postmortems {
            self.versions += 1;
            self.postmortems.insert(it.incident, it);
        }
        replies
    }

    /// Wakes as the engine does, at every deadline until `to`.
    fn run(&mut self, to: Timestamp) {
        while let Some(next) = self.tenant.next_deadline().filter(|next| *next <= to) {
            self.turn(next, Vec::new());
        }
        self.turn(to, Vec::new());
    }

    fn incident(&mut self, hour: i64, severity: Severity, code: ResolutionCode) -> IncidentNumber {
        let title = "Customers cannot pay".to_owned();
        let owner = Some(who("ada"));
        let draft = IncidentDraft { title, severity: Some(severity), owner, ..Default::default() };
        let declare = Command::Incident(IncidentChange::Declare(Box::new(draft)));
        let Some(Reply::Incident(reply)) = self.turn(at(hour), vec![declare]).pop() else {
            panic!("it was not declared")
        };
        self.step(hour, reply.incident, Status::Acknowledged, None);
        self.step(hour, reply.incident, Status::Resolved, Some(code));
        reply.incident
    }

    fn step(
        &mut self,
        hour: i64,
        incident: IncidentNumber,
        to: Status,
        code: Option<ResolutionCode>,
    ) {
        let step = IncidentStep::Move { to, note: "so it is".to_owned(), code };
        self.work(hour, incident, step);
    }

    fn work(&mut self, hour: i64, incident: IncidentNumber, step: IncidentStep) {
        let change = IncidentChange::Step { incident, expected: Expected::default(), step };
        let replies = self.turn(at(hour), vec![Command::Incident(change)]);
        assert!(matches!(replies[..], [Reply::Incident(_)]), "{replies:?}");
    }

    fn learn(&mut self, hour: i64, change: LessonChange) -> Result<LessonReply, LessonRejection> {
        match self.turn(at(hour), vec![Command::Lesson(change)]).pop() {
            Some(Reply::Lesson(reply)) => Ok(reply),
            Some(Reply::Rejected(Rejection::Lesson(why))) => Err(*why),
            other => panic!("{other:?}"),
        }
    }

    /// Does something about a postmortem, and carries it as the store has it.
    fn post(
        &mut self,
        hour: i64,
        incident: IncidentNumber,
        expected: Option<u64>,
        step: PostmortemStep,
    ) -> Result<LessonReply, LessonRejection> {
        let stored = self.postmortems.get(&incident).cloned().map(Box::new);
        self.learn(hour, LessonChange::Postmortem { incident, expected, stored, step })
    }

    fn write(&mut self, hour: i64, incident: IncidentNumber, name: SectionName, text: &str) {
        let sections = BTreeMap::from([(name, Some(text.to_owned()))]);
        let edit = PostmortemEdit { sections, ..PostmortemEdit::default() };
        self.post(hour, incident, None, PostmortemStep::Edit(Box::new(edit))).unwrap();
    }

    fn publish(&mut self, hour: i64, incident: IncidentNumber) -> Result<(), LessonRejection> {
        for to in [PostmortemState::Completed, PostmortemState::Published] {
            let incident_now = self.tenant.incident(incident).unwrap();
            let frozen = Some(Box::new(live(incident_now, &[])));
            let step = PostmortemStep::Move { to, reason: String::new(), frozen };
            self.post(hour, incident, None, step)?;
        }
        Ok(())
    }

    fn promise(
        &mut self,
        hour: i64,
        incident: IncidentNumber,
        priority: ActionPriority,
    ) -> ActionId {
        self.promise_of("ada", hour, incident, priority)
    }

    fn promise_of(
        &mut self,
        owner: &str,
        hour: i64,
        incident: IncidentNumber,
        priority: ActionPriority,
    ) -> ActionId {
        let draft = ActionDraft {
            title: format!("Enlarge the pool ({priority})"),
            description: String::new(),
            priority: Some(priority),
            category: ActionCategory::Tooling,
            owner: Some(who(owner)),
            due_at: None,
            link: String::new(),
            rule: Default::default(),
        };
        let change = LessonChange::AddAction { incident, draft: Box::new(draft) };
        match self.learn(hour, change).unwrap().subject {
            LessonSubject::Action(id) => id,
            other => panic!("{other:?}"),
        }
    }

    fn notices(&mut self) -> Vec<(String, String, Vec<String>)> {
        let notice = |page: Page| match page.content {
            Content::Notice { title, lines, .. } => {
                Some((format!("{:?}", page.recipient), title, lines))
            }
            _ => None,
        };
        std::mem::take(&mut self.sent).into_iter().filter_map(notice).collect()
    }
}

fn draft(version: u64, text: &str) -> PostmortemStep {
    let sentence = Sentence { text: text.to_owned(), sources: vec![Source::entry(1)] };
    let names = [SectionName::Summary, SectionName::Impact, SectionName::RootCause];
    let sections = names.map(|name| (name, vec![sentence.clone()])).into();
    PostmortemStep::Draft(Box::new(PostmortemDraft {
        incident_version: version,
        sections,
        recommendations: Vec::new(),
    }))
}

#[test]
fn one_begins_when_the_severity_and_the_end_ask_for_it() {
    let mut stage = Stage::new();
    let first = stage.incident(1, Severity::Sev2, ResolutionCode::Fixed);
    for (severity, code) in [
        (Severity::Sev3, ResolutionCode::Fixed),
        (Severity::Sev1, ResolutionCode::FalsePositive),
        (Severity::Sev1, ResolutionCode::Expected),
    ] {
        stage.incident(1, severity, code);
    }
    let begun: Vec<IncidentNumber> = stage.postmortems.keys().copied().collect();
    assert_eq!(begun, [first]);
    let it = &stage.postmortems[&first];
    assert_eq!((it.state, it.owner.clone()), (PostmortemState::Draft, Some(who("ada"))));
    assert_eq!(stage.tenant.postmortems_to_draft(), [first]);
    // It came back and ended again: it is the same postmortem, with more to tell.
    let version = stage.tenant.incident(first).unwrap().version;
    stage.post(1, first, None, draft(version, "drafted")).unwrap();
    assert!(stage.tenant.postmortems_to_draft().is_empty());
    stage.step(2, first, Status::Investigating, None);
    stage.step(3, first, Status::Resolved, None);
    assert_eq!(stage.postmortems.len(), 1);
    assert_eq!(stage.tenant.postmortems_to_draft(), [first]);
}

#[test]
fn what_turns_out_worse_after_its_end_asks_for_one_then() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev4, ResolutionCode::Fixed);
    assert!(stage.postmortems.is_empty());
    let worse = |severity| IncidentStep::SetSeverity { severity, reason: "all failed".to_owned() };
    stage.work(9, number, worse(Severity::Sev3));
    assert!(stage.postmortems.is_empty());
    stage.work(10, number, worse(Severity::Sev1));
    let it = &stage.postmortems[&number];
    assert_eq!((it.state, it.due_at), (PostmortemState::Draft, Some(at(10 + 72))));
    // One that somebody began by hand has to be written from then on.
    let other = stage.incident(11, Severity::Sev4, ResolutionCode::Fixed);
    stage.post(11, other, None, PostmortemStep::Begin).unwrap();
    assert!(!stage.postmortems[&other].is_required);
    stage.work(12, other, worse(Severity::Sev1));
    let it = &stage.postmortems[&other];
    assert!(it.is_required && it.due_at == Some(at(12 + 72)));
    // What was no real incident asks for none.
    let noise = stage.incident(13, Severity::Sev4, ResolutionCode::FalsePositive);
    stage.work(13, noise, worse(Severity::Sev1));
    assert!(!stage.postmortems.contains_key(&noise));
}

#[test]
fn what_comes_back_after_all_was_said_asks_for_its_postmortem_again() {
    for forget in [false, true] {
        let mut stage = Stage::new();
        let number = stage.incident(1, Severity::Sev1, ResolutionCode::Fixed);
        let version = stage.tenant.incident(number).unwrap().version;
        stage.post(1, number, None, draft(version, "drafted")).unwrap();
        stage.write(1, number, SectionName::LessonsLearned, "Pools fill.");
        stage.publish(1, number).unwrap();
        let hour = if forget { 20 } else { 1 };
        stage.run(at(hour));
        assert_eq!(stage.tenant.postmortem(number).is_none(), forget);
        stage.step(hour, number, Status::Investigating, None);
        stage.step(hour + 1, number, Status::Resolved, None);
        let incident = stage.tenant.incident(number).unwrap();
        assert_eq!(incident.postmortem, Some(PostmortemState::Draft));
        assert_eq!(stage.tenant.postmortems_to_draft(), [number]);
        // Whoever drafts it brings along what memory has forgotten.
        let version = incident.version;
        stage.post(hour + 1, number, None, draft(version, "drafted again")).unwrap();
        let it = &stage.postmortems[&number];
        assert_eq!((it.state, it.frozen.is_none()), (PostmortemState::Draft, true));
        assert_eq!(it.due_at, Some(at(hour + 1 + 72)));
        assert_eq!(it.section(SectionName::LessonsLearned).text.as_deref(), Some("Pools fill."));
        assert!(stage.tenant.postmortems_to_draft().is_empty());
        stage.publish(hour + 2, number).unwrap();
    }
}

#[test]
fn what_people_wrote_outlives_every_draft_and_a_draft_of_what_was_is_refused() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev2, ResolutionCode::Fixed);
    let version = stage.tenant.incident(number).unwrap().version;
    let refused = stage.post(1, number, None, draft(version - 1, "old"));
    assert_eq!(refused, Err(LessonRejection::Outdated));
    stage.post(1, number, None, draft(version, "drafted")).unwrap();
    stage.write(1, number, SectionName::RootCause, "A pool of five.");
    stage.post(1, number, None, draft(version, "drafted again")).unwrap();
    let it = &stage.postmortems[&number];
    let cause = it.section(SectionName::RootCause);
    assert_eq!(cause.text.as_deref(), Some("A pool of five."));
    assert_eq!(cause.drafted[0].text, "drafted again");
    assert_eq!(it.section(SectionName::Summary).text, None);
    assert_eq!(it.missing(), [SectionName::LessonsLearned]);
    // Two who saw the same version: the second is told so.
    let edit = |text: &str| {
        let sections = BTreeMap::from([(SectionName::Summary, Some(text.to_owned()))]);
        PostmortemStep::Edit(Box::new(PostmortemEdit { sections, ..Default::default() }))
    };
    let seen = Some(it.version);
    stage.post(1, number, seen, edit("mine")).unwrap();
    let late = stage.post(1, number, seen, edit("yours"));
    assert!(matches!(late, Err(LessonRejection::Stale { .. })), "{late:?}");
    assert_eq!(stage.versions as u64, stage.postmortems[&number].version);
}

#[test]
fn only_what_is_whole_is_published_and_then_it_stays() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev2, ResolutionCode::Fixed);
    let version = stage.tenant.incident(number).unwrap().version;
    stage.post(1, number, None, draft(version, "drafted")).unwrap();
    let missing = vec![SectionName::LessonsLearned];
    assert_eq!(stage.publish(1, number), Err(LessonRejection::Incomplete { missing }));
    stage.write(1, number, SectionName::LessonsLearned, "Pools fill.");
    // Blocks of what was are not frozen.
    let step = |to, frozen| PostmortemStep::Move { to, reason: String::new(), frozen };
    stage.post(1, number, None, step(PostmortemState::Completed, None)).unwrap();
    let mut old = live(stage.tenant.incident(number).unwrap(), &[]);
    old.incident_version -= 1;
    let refused = stage.post(1, number, None, step(PostmortemState::Published, Some(old.into())));
    assert_eq!(refused, Err(LessonRejection::Outdated));
    stage.post(1, number, None, step(PostmortemState::Draft, None)).unwrap();
    stage.publish(2, number).unwrap();
    let incident = stage.tenant.incident(number).unwrap();
    assert_eq!(incident.postmortem, Some(PostmortemState::Published));
    assert_eq!(incident.measure.postmortem_at, Some(at(2)));
    // A day later memory has forgotten it; the command brings it along.
    stage.run(at(30));
    assert!(stage.tenant.postmortem(number).is_none());
    let sections = BTreeMap::from([(SectionName::Summary, Some("other".to_owned()))]);
    let edit = PostmortemEdit { sections, ..PostmortemEdit::default() };
    let settled = stage.post(30, number, None, PostmortemStep::Edit(Box::new(edit)));
    assert_eq!(settled, Err(LessonRejection::Settled { state: PostmortemState::Published }));
    let silent = stage.post(30, number, None, step(PostmortemState::Draft, None));
    assert!(matches!(silent, Err(LessonRejection::Unexplained { .. })), "{silent:?}");
    let reason = "a number was wrong".to_owned();
    let open = PostmortemStep::Move { to: PostmortemState::Draft, reason, frozen: None };
    stage.post(30, number, None, open).unwrap();
    let it = &stage.postmortems[&number];
    assert_eq!((it.state, it.frozen.is_none()), (PostmortemState::Draft, true));
    assert_eq!(it.published_at, Some(at(2)));
    assert_eq!(stage.versions as u64, it.version);
}

#[test]
fn what_was_promised_notes_that_the_problem_came_back() {
    let mut stage = Stage::new();
    let first = stage.incident(1, Severity::Sev2, ResolutionCode::Fixed);
    let id = stage.promise(1, first, ActionPriority::P1);
    let done = stage.promise(1, first, ActionPriority::P2);
    assert_eq!((id.number, done.number), (1, 2));
    let status = Some(ActionStatus::Completed);
    let edit = Box::new(ActionEdit { status, ..ActionEdit::default() });
    let change = LessonChange::EditAction { id: done, expected: None, stored: None, edit };
    assert!(stage.learn(1, change).unwrap().has_changed);
    // Who saw less hears who changed it.
    let edit = Box::new(ActionEdit { status: Some(ActionStatus::Open), ..ActionEdit::default() });
    let late = LessonChange::EditAction { id: done, expected: Some(1), stored: None, edit };
    let late = stage.learn(1, late);
    assert!(matches!(&late, Err(LessonRejection::Stale { by, .. }) if by == "ada"), "{late:?}");
    let second = stage.incident(2, Severity::Sev3, ResolutionCode::Fixed);
    let earlier = vec![first];
    let again = LessonChange::NoteRecurrence { incident: second, earlier };
    assert!(stage.learn(2, again.clone()).unwrap().has_changed);
    assert!(!stage.learn(2, again).unwrap().has_changed);
    assert_eq!(stage.tenant.action(id).unwrap().recurred, [second]);
    assert!(stage.tenant.action(done).is_none_or(|it| it.recurred.is_empty()));
    // A number is not used again, though what had it is done and forgotten.
    stage.run(at(30));
    assert!(stage.tenant.action(done).is_none());
    assert_eq!(stage.promise(30, first, ActionPriority::P3).number, 3);
}

#[test]
fn both_owners_are_told_at_once_that_it_came_back() {
    let mut stage = Stage::new();
    let first = stage.incident(1, Severity::Sev3, ResolutionCode::Fixed);
    stage.promise_of("grace", 1, first, ActionPriority::P3);
    stage.promise_of("grace", 1, first, ActionPriority::P2);
    let second = stage.incident(2, Severity::Sev3, ResolutionCode::Fixed);
    stage.notices();
    let again = LessonChange::NoteRecurrence { incident: second, earlier: vec![first] };
    stage.learn(2, again.clone()).unwrap();
    let told = stage.notices();
    let people: Vec<&str> =
        ["ada", "grace"].into_iter().filter(|it| told.iter().any(|t| t.0.contains(it))).collect();
    assert_eq!((people, told.len()), (vec!["ada", "grace"], 2), "{told:?}");
    assert_eq!(told[0].1, "It came back, and 2 action items are still open");
    assert_eq!(told[0].2.len(), 3, "{told:?}");
    stage.learn(2, again).unwrap();
    assert!(stage.notices().is_empty());
}

#[test]
fn what_was_promised_after_a_restricted_incident_stays_in_its_circle() {
    let mut stage = Stage::new();
    let first = stage.incident(1, Severity::Sev3, ResolutionCode::Fixed);
    stage.promise_of("grace", 1, first, ActionPriority::P0);
    let restrict = |people: &[&str]| {
        let people = people.iter().map(|it| who(it)).collect();
        let (teams, reason) = (Default::default(), "so it is".to_owned());
        IncidentStep::Restrict(RestrictStep::Restrict { people, teams, reason })
    };
    stage.work(1, first, restrict(&["grace"]));
    let second = stage.incident(2, Severity::Sev3, ResolutionCode::Fixed);
    let open = stage.tenant.incident(second).unwrap();
    assert!(stage.tenant.promised_after(open, &[first].into()).is_empty());
    stage.work(2, second, IncidentStep::Assign { to: Some(who("bob")) });
    stage.entries.clear();
    stage.notices();
    let again = LessonChange::NoteRecurrence { incident: second, earlier: vec![first] };
    assert!(stage.learn(2, again).unwrap().has_changed);
    // Nothing of it stands in the timeline of the one for everybody, and only who may know of both
    // hears of it.
    assert!(!stage.entries.iter().any(|it| it.incident == second), "{:?}", stage.entries);
    let told = stage.notices();
    assert!(told.len() == 1 && told[0].0.contains("grace"), "{told:?}");
    // Weeks later the owner is reminded, and their manager hears nothing that is not for them.
    stage.run(at(24 * 40));
    let told = stage.notices();
    assert!(told.iter().any(|it| it.0.contains("grace")), "{told:?}");
    let is_theirs = |it: &&(String, String, Vec<String>)| it.0.contains("bob");
    assert_eq!(told.iter().find(is_theirs), None);
    assert!(stage.tenant.incident(first).is_some(), "who may know of it is still known");
    // Whoever is taken out of the circle hears nothing any more.
    stage.work(24 * 40, first, restrict(&["ada"]));
    stage.run(at(24 * 60));
    let told = stage.notices();
    assert!(!told.iter().any(|it| it.0.contains("grace")), "{told:?}");
}

#[test]
fn a_secret_is_blacked_out_however_many_rows_are_marked() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev3, ResolutionCode::Fixed);
    let row = |seq: u64| FoundRow { seq, by: "ada".to_owned(), recorded_at: at(1), is_text: true };
    let pinned = MarkEdit { pinned: Some(true), ..MarkEdit::default() };
    let mark =
        |seq: u64| IncidentStep::Curate(CurateStep::Mark { row: row(seq), edit: pinned.clone() });
    let redact = |seq: u64| {
        let reason = "a password".to_owned();
        IncidentStep::Curate(CurateStep::Redact { row: row(seq), reason })
    };
    for seq in 1..=MAX_MARKS as u64 {
        stage.work(1, number, mark(seq));
    }
    let change =
        IncidentChange::Step { incident: number, expected: Expected::default(), step: mark(5_000) };
    let replies = stage.turn(at(1), vec![Command::Incident(change)]);
    assert!(matches!(replies[..], [Reply::Rejected(_)]), "{replies:?}");
    stage.work(1, number, redact(5_000));
    stage.work(1, number, redact(1));
    // What is blacked out is no mark any more, so there is room for another.
    stage.work(1, number, mark(5_001));
    let marks = &stage.tenant.incident(number).unwrap().marks;
    assert!(marks[&5_000].redacted_at.is_some() && marks[&1].redacted_at.is_some());
}

#[test]
fn one_that_was_closed_long_ago_is_taken_up_for_what_belongs_to_it() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev4, ResolutionCode::Fixed);
    stage.step(1, number, Status::Closed, None);
    let stored = stage.tenant.incident(number).unwrap().clone();
    stage.run(at(24 * 40));
    assert!(stage.tenant.incident(number).is_none());
    let hour = 24 * 40;
    let refused = stage.post(hour, number, None, PostmortemStep::Begin);
    assert_eq!(refused, Err(LessonRejection::UnknownIncident { incident: number }));
    let recall = IncidentChange::Recall(Box::new((stored, Vec::new())));
    stage.turn(at(hour), vec![Command::Incident(recall.clone())]);
    stage.post(hour, number, None, PostmortemStep::Begin).unwrap();
    // What memory holds is newer.
    stage.turn(at(hour), vec![Command::Incident(recall)]);
    let incident = stage.tenant.incident(number).unwrap();
    assert_eq!(incident.postmortem, Some(PostmortemState::Draft));
    let last = stage.entries.last().unwrap();
    assert_eq!((last.fact.kind(), last.seq), ("postmortem", incident.entries));
    // As long as something is to be learned from it, it stays; then it is forgotten again.
    stage.run(at(hour + 50));
    let version = stage.tenant.incident(number).unwrap().version;
    stage.post(hour + 50, number, None, draft(version, "drafted")).unwrap();
    stage.write(hour + 50, number, SectionName::LessonsLearned, "Pools fill.");
    stage.publish(hour + 50, number).unwrap();
    let incident = stage.tenant.incident(number).unwrap();
    assert_eq!(incident.postmortem, Some(PostmortemState::Published));
    assert_eq!(incident.measure.postmortem_at, Some(at(hour + 50)));
    stage.run(at(hour + 60));
    assert!(stage.tenant.incident(number).is_none());
}

#[test]
fn owners_hear_of_all_they_promised_at_once_and_their_managers_the_third_time() {
    let mut stage = Stage::new();
    let first = stage.incident(1, Severity::Sev3, ResolutionCode::Fixed);
    stage.promise(1, first, ActionPriority::P0);
    stage.promise(1, first, ActionPriority::P1);
    stage.run(at(2));
    // Both would be told, but only what is due within three days is.
    let told = stage.notices();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, "An action item is due soon");
    stage.run(at(24 * 3));
    assert!(stage.notices().is_empty());
    stage.run(at(24 * 3 + 2));
    let told = stage.notices();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, "An action item is overdue");
    // Every day from now on; the third time the manager hears it, too.
    stage.run(at(24 * 4 + 3));
    let told = stage.notices();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].0.contains("linus") && told[1].1.starts_with("ada: "), "{told:?}");
    // When the other one is due soon, both are in one message.
    stage.run(at(24 * 13));
    let told = stage.notices();
    assert!(told.iter().any(|it| it.2.len() == 2), "{told:?}");
    // What fell due while we were down is said once.
    stage.turn(at(24 * 40), Vec::new());
    let told = stage.notices();
    assert_eq!(told.iter().filter(|it| it.0.contains("ada")).count(), 1, "{told:?}");
}

#[test]
fn whoever_has_a_postmortem_worked_on_it_or_follows_hears_of_it() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev2, ResolutionCode::Fixed);
    let lines = |stage: &mut Stage| -> Vec<(bool, String)> {
        let notices = stage.notices().into_iter();
        notices.map(|(to, _, lines)| (to.contains("linus"), lines.concat())).collect()
    };
    let begun = lines(&mut stage);
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert!(!begun[0].0 && begun[0].1.starts_with("Its postmortem has begun and is yours, due at"));
    let edit = |edit| PostmortemStep::Edit(Box::new(edit));
    let owner = PostmortemEdit { owner: Some(Some(who("linus"))), ..PostmortemEdit::default() };
    stage.post(2, number, None, edit(owner)).unwrap();
    assert_eq!(lines(&mut stage), [(true, "Its postmortem is yours now, says ada.".to_owned())]);
    let review_at = Some(Some(at(40)));
    let meeting = PostmortemEdit { review_at, ..PostmortemEdit::default() };
    stage.post(2, number, None, edit(meeting)).unwrap();
    stage.run(at(15));
    assert_eq!(lines(&mut stage), []);
    stage.run(at(16));
    let met = lines(&mut stage);
    let text = format!("you meet about its postmortem at {:.0}", at(40));
    assert_eq!(met, [(false, text.clone()), (true, text)]);
    // Whoever has the postmortem is asked for it, not whoever had the incident.
    stage.run(at(50));
    let asked = lines(&mut stage);
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].0 && asked[0].1.contains("none is published"), "{asked:?}");
    let version = stage.tenant.incident(number).unwrap().version;
    stage.post(51, number, None, draft(version, "drafted")).unwrap();
    stage.write(51, number, SectionName::LessonsLearned, "Pools fill.");
    let person = who("linus");
    let follow = IncidentStep::People(PeopleStep::Subscribe { person, wants: true });
    let (incident, expected) = (number, Expected::default());
    let follow = IncidentChange::Step { incident, expected, step: follow };
    stage.turn(at(51), vec![Command::Incident(follow)]);
    stage.publish(51, number).unwrap();
    assert_eq!(lines(&mut stage), [(true, "Its postmortem is published, says ada.".to_owned())]);
}

#[test]
fn what_somebody_had_who_is_deactivated_goes_to_whoever_is_in_command() {
    let mut stage = Stage::new();
    let barbara = Command::Identity(IdentityChange::AddPerson(Box::new(person("barbara", None))));
    stage.turn(at(1), vec![barbara]);
    let title = "Customers cannot pay".to_owned();
    let (severity, owner) = (Some(Severity::Sev2), Some(who("barbara")));
    let draft = IncidentDraft { title, severity, owner, ..Default::default() };
    let declare = Command::Incident(IncidentChange::Declare(Box::new(draft)));
    stage.turn(at(1), vec![declare]);
    let number = IncidentNumber(1);
    let (role, note) = (tocsin_core::incident::Role::IncidentCommander, String::new());
    let step = IncidentStep::People(PeopleStep::Give { role, to: who("ada"), note });
    let change = IncidentChange::Step { incident: number, expected: Expected::default(), step };
    stage.turn(at(1), vec![Command::Incident(change)]);
    stage.step(2, number, Status::Resolved, None);
    let id = stage.promise(2, number, ActionPriority::P3);
    let edit = Box::new(ActionEdit { owner: Some(Some(who("barbara"))), ..ActionEdit::default() });
    let change = LessonChange::EditAction { id, expected: None, stored: None, edit };
    stage.learn(2, change).unwrap();
    let owned = stage.tenant.owned_by(&who("barbara"));
    assert!(owned.iter().any(|it| it.kind == "incident" && it.passes_to == Some(who("ada"))));
    stage.notices();
    let leave = Command::Identity(IdentityChange::Deactivate(who("barbara")));
    stage.turn(at(3), vec![leave]);
    // In the same turn, although it is resolved: otherwise nobody could close it.
    let ada = Some(who("ada"));
    assert_eq!(stage.tenant.incident(number).unwrap().owner, ada);
    assert_eq!(stage.tenant.postmortem(number).unwrap().owner, ada);
    assert_eq!(stage.tenant.action(id).unwrap().owner, ada);
    let told: Vec<String> = stage.notices().into_iter().map(|it| it.2.concat()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn what_a_leaver_had_to_write_and_to_do_gets_their_manager() {
    let mut stage = Stage::new();
    let number = stage.incident(1, Severity::Sev2, ResolutionCode::Fixed);
    let id = stage.promise(1, number, ActionPriority::P3);
    let leave = Command::Identity(IdentityChange::Deactivate(who("ada")));
    stage.turn(at(2), vec![leave]);
    stage.run(at(3));
    assert_eq!(stage.tenant.postmortem(number).unwrap().owner, Some(who("linus")));
    assert_eq!(stage.tenant.action(id).unwrap().owner, Some(who("linus")));
}

#[test]
fn articles_are_numbered_and_nobody_writes_over_what_they_did_not_see() {
    let mut stage = Stage::new();
    let draft = |body: &str| {
        Box::new(ArticleDraft {
            kind: ArticleKind::Lesson,
            title: "Pools".to_owned(),
            body: body.to_owned(),
            tags: ["Capacity".into()].into(),
            service: Default::default(),
            team: Default::default(),
            incident: None,
            is_archived: false,
        })
    };
    let set = |number, expected, body: &str| LessonChange::SetArticle {
        number,
        expected,
        stored: None,
        draft: draft(body),
    };
    let first = Some(ArticleNumber(1));
    assert!(stage.learn(1, set(None, None, "one")).unwrap().is_new);
    assert_eq!(stage.learn(1, set(first, Some(1), "two")).unwrap().version, 2);
    assert!(!stage.learn(1, set(first, None, "two")).unwrap().has_changed);
    let stale = stage.learn(1, set(first, Some(1), "three"));
    assert!(matches!(stale, Err(LessonRejection::Stale { version: 2, .. })), "{stale:?}");
    let unknown = stage.learn(1, set(Some(ArticleNumber(9)), None, "x"));
    assert!(matches!(unknown, Err(LessonRejection::UnknownArticle { .. })), "{unknown:?}");
    assert!(stage.learn(1, set(None, None, " ")).is_err());
    let tags = &stage.tenant.article(ArticleNumber(1)).unwrap().content.tags;
    assert!(tags.contains("capacity"));
    // A restart goes on counting.
    let mut rows = TenantRows::default();
    rows.lessons.article = ArticleNumber(7);
    stage.tenant = Tenant::restore(Arc::clone(&stage.policy), rows, at(2));
    let next = stage.learn(2, set(None, None, "eight")).unwrap();
    assert_eq!(next.subject, LessonSubject::Article(ArticleNumber(8)));
}

#[test]
fn the_timeline_tells_how_far_it_is() {
    let facts = [
        Fact::Postmortem { state: PostmortemState::InReview, note: String::new() },
        Fact::Action {
            action: ActionId { incident: IncidentNumber(7), number: 1 },
            title: "Enlarge the pool".to_owned(),
            note: "is completed".to_owned(),
        },
    ];
    let sentences = facts.map(|it| it.sentence());
    assert_eq!(sentences, ["the postmortem is in review", "AI-7-1 is completed: Enlarge the pool"]);
}
