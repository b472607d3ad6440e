//! Every cell of the table of moves by every kind of actor, and whatever people do in whatever
//! order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::identity::{Actor, Who};
use tocsin_core::incident::{
    Expected, IncidentChange, IncidentDraft, IncidentKey, IncidentNumber, IncidentRejection,
    IncidentReply, IncidentStep, Need, Refusal, RelationStep, Rule, Status, allowed_from, rule,
};
use tocsin_core::severity::Severity;
use tocsin_core::{Tenant, Turn};

use crate::{Stage, at, who};

fn actors() -> [Actor; 4] {
    let whos = [
        Who::Person(who("ada")),
        Who::Engine,
        Who::Service("deploys".to_owned()),
        Who::Integration("ticketing".to_owned()),
    ];
    whos.map(|who| Actor { who, ..Actor::OPERATOR })
}

fn ask(
    tenant: &mut Tenant,
    second: i64,
    actor: &Actor,
    change: IncidentChange,
) -> (Result<IncidentReply, IncidentRejection>, Turn) {
    let now = at(1).checked_add(jiff::SignedDuration::from_secs(second)).unwrap();
    let turn = tenant.turn(now, vec![Command::Incident(change).by(actor.clone())]);
    let reply = match turn.replies.first() {
        Some(Reply::Incident(reply)) => Ok(*reply),
        Some(Reply::Rejected(Rejection::Incident(why))) => Err((**why).clone()),
        other => panic!("{other:?}"),
    };
    (reply, turn)
}

fn go(incident: IncidentNumber, to: Status, note: &str) -> IncidentChange {
    let step = IncidentStep::Move { to, note: note.to_owned(), code: None };
    IncidentChange::Step { incident, expected: Expected::default(), step }
}

fn declare(key: Option<&str>) -> IncidentChange {
    let draft = IncidentDraft {
        title: "Slow".to_owned(),
        severity: Some(Severity::Sev4),
        key: key.and_then(IncidentKey::chosen),
        ..IncidentDraft::default()
    };
    IncidentChange::Declare(Box::new(draft))
}

/// Returns a tenant with an incident that stands there.
fn standing(status: Status) -> (Tenant, IncidentNumber) {
    let mut tenant = Stage::new().tenant;
    let [ada, ..] = actors();
    let number = ask(&mut tenant, 0, &ada, declare(None)).0.unwrap().incident;
    let steps = match status {
        Status::Detected => vec![],
        Status::Closed => vec![Status::Resolved, Status::Closed],
        status => vec![status],
    };
    for to in steps {
        ask(&mut tenant, 1, &ada, go(number, to, "so it is")).0.unwrap();
    }
    assert_eq!(tenant.incident(number).unwrap().status(), status);
    (tenant, number)
}

#[test]
fn every_cell_of_the_table_holds_for_people_programs_and_the_engine() {
    let mut cells = BTreeMap::new();
    for actor in actors() {
        for (from, to) in Status::ALL.into_iter().flat_map(|a| Status::ALL.map(|b| (a, b))) {
            let (mut tenant, number) = standing(from);
            let cell = rule(from, to);
            let name = format!("{} {from} -> {to}: {cell:?}", actor.who.name());
            // What asks for words is refused without any, and nothing has happened.
            let (bare, _) = ask(&mut tenant, 2, &actor, go(number, to, " "));
            let asks = matches!(cell.need(), Need::Note | Need::Reason | Need::ReopenClosed);
            if asks {
                let is_unsaid =
                    matches!(bare, Err(IncidentRejection::Refused(Refusal::Unexplained { .. })));
                assert!(is_unsaid, "{name}: {bare:?}");
                assert_eq!(tenant.incident(number).unwrap().status(), from, "{name}");
            }
            if asks || matches!(cell, Rule::Never | Rule::Refire | Rule::Same) {
                let (said, _) = ask(&mut tenant, 3, &actor, go(number, to, "why"));
                let stands = tenant.incident(number).unwrap().status();
                match cell {
                    Rule::Never | Rule::Refire => {
                        let refused = said.unwrap_err();
                        let allowed: Vec<_> = allowed_from(from).collect();
                        assert_eq!(refused.allowed(), allowed, "{name}");
                        assert_eq!(stands, from, "{name}");
                    }
                    Rule::Same => assert!(!said.unwrap().has_changed, "{name}"),
                    _ => assert!(said.unwrap().has_changed && stands == to, "{name}"),
                }
            } else {
                assert!(bare.unwrap().has_changed, "{name}");
                assert_eq!(tenant.incident(number).unwrap().status(), to, "{name}");
            }
            *cells.entry(format!("{cell:?}")).or_insert(0) += 1;
        }
    }
    let count = |name: &str| cells[name] / 4;
    assert_eq!((count("Same"), count("Free"), count("Note"), count("Reason")), (8, 15, 6, 7));
    assert_eq!(cells.values().sum::<i32>(), 4 * 64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Rows are counted without gaps, there is at most one open incident of a key, and the engine
    /// knows how many are open.
    #[test]
    fn whatever_people_do_the_books_are_right(
        doings in proptest::collection::vec((0_u8..8, 0_u64..6, 0_usize..8, 0_u8..3), 1..60),
    ) {
        let mut tenant = Stage::new().tenant;
        let [ada, ..] = actors();
        // How many rows were written of each.
        let mut rows: BTreeMap<IncidentNumber, u64> = BTreeMap::new();
        for (second, (verb, number, status, key)) in doings.into_iter().enumerate() {
            let incident = IncidentNumber(number + 1);
            let of = |step| IncidentChange::Step { incident, expected: Expected::default(), step };
            let names = ["a", "b", "c"];
            let change = match verb {
                0 => declare(Some(names[usize::from(key)])),
                1 => declare(None),
                2 => of(IncidentStep::Comment { text: "hello".to_owned(), occurred_at: None }),
                3 => {
                    let sources = vec![IncidentNumber(u64::from(key) + 1)];
                    of(IncidentStep::Relate(RelationStep::Merge { sources }))
                }
                4 => of(IncidentStep::Relate(RelationStep::Unmerge)),
                5 => of(IncidentStep::Assign { to: (key > 0).then(|| who("ada")) }),
                _ => go(incident, Status::ALL[status], "so it is"),
            };
            let is_keyed = matches!(&change, IncidentChange::Declare(draft) if draft.key.is_some());
            let name = names[usize::from(key)];
            let wanted = IncidentKey::chosen(name).unwrap();
            let before = tenant.incident_of_key(&wanted);
            let (reply, turn) = ask(&mut tenant, second.try_into().unwrap(), &ada, change);
            for entry in &turn.writes.entries {
                let count = rows.entry(entry.incident).or_default();
                *count += 1;
                prop_assert_eq!(entry.seq, *count);
            }
            if is_keyed && let Ok(reply) = reply {
                prop_assert_eq!(reply.is_new, before.is_none());
                prop_assert_eq!(before.unwrap_or(reply.incident), reply.incident);
            }
            let active = tenant.incidents().filter(|it| it.is_active()).count();
            prop_assert_eq!(tenant.open_incidents(), active);
            for name in names {
                let key = IncidentKey::chosen(name).unwrap();
                let open: Vec<_> = tenant
                    .incidents()
                    .filter(|it| it.is_active() && it.key.as_ref() == Some(&key))
                    .map(|it| it.number)
                    .collect();
                prop_assert!(open.len() <= 1, "{} is open twice: {:?}", name, open);
                if let Some(found) = tenant.incident_of_key(&key) {
                    let it = tenant.incident(found).unwrap();
                    prop_assert!(it.is_active());
                    prop_assert!(it.key.as_ref() == Some(&key) || it.relations.keys.contains(&key));
                } else {
                    prop_assert!(open.is_empty(), "{} is not found: {:?}", name, open);
                }
            }
            for it in tenant.incidents() {
                prop_assert_eq!(it.entries, rows[&it.number]);
            }
        }
    }
}
