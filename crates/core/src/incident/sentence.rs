//! What happened with people and with other incidents, in one sentence without its author.

use super::{Fact, LinkKind};
use crate::paging::PageState;

pub(super) fn sentence(fact: &Fact) -> String {
    match fact {
        Fact::RoleTaken { role, person, note } => {
            with(format!("{person} is {} now", role.title()), note)
        }
        Fact::RoleLeft { role, person, why } => {
            with(format!("{person} is {} no more", role.title()), why)
        }
        Fact::HandedOver { role, from, to, note } => {
            with(format!("{from} handed over to {to}, who is {} now", role.title()), note)
        }
        Fact::HelpAsked { request, person, role, message } => {
            with(format!("asked {person} to help as {} (request {request})", role.title()), message)
        }
        Fact::HelpAnswered { request, person, said, message } => {
            let what = match said {
                super::Said::Accepted => format!("{person} comes"),
                super::Said::Declined => format!("{person} does not come"),
                super::Said::Expired => format!("{person} has not answered in time"),
                super::Said::Withdrawn => format!("{person} is not asked any more"),
            };
            with(format!("{what} (request {request})"), message)
        }
        Fact::Subscribed { person, wants: true } => format!("{person} follows it"),
        Fact::Subscribed { person, .. } => format!("{person} follows it no more"),
        Fact::Absorbed { other, title, alerts } => {
            format!("incident {other} goes on as part of it, {}: {title}", count(*alerts))
        }
        Fact::Unmerged { from } => {
            format!("goes on by itself again; it was part of incident {from}")
        }
        Fact::Released { other } => format!("incident {other} goes on by itself again"),
        Fact::Split { other, alerts } => {
            format!("incident {other} came out of it, {}", count(*alerts))
        }
        Fact::Duplicated { other } => format!("incident {other} is the same"),
        Fact::Linked { link, other, linked } => {
            let what = match link {
                LinkKind::Parent => "belongs beneath",
                LinkKind::Child => "stands above",
                LinkKind::Related => "has to do with",
            };
            let more = if *linked { "" } else { " no more" };
            format!("{what} incident {other}{more}")
        }
        Fact::Marked { row, edit } => {
            let mut what = Vec::new();
            what.extend(edit.pinned.map(|it| if it { "pinned" } else { "pinned no more" }));
            let key = |it| if it { "a key moment" } else { "a key moment no more" };
            what.extend(edit.key_moment.map(key));
            let caption = edit.caption.as_ref().map(|it| format!("told as: {it}"));
            let position = edit.position.map(|it| format!("told at place {it}"));
            let what = what.into_iter().map(str::to_owned);
            let what: Vec<String> = what.chain(caption).chain(position).collect();
            format!("row {row} is {}", what.join(", "))
        }
        Fact::Revised { row, text } => format!("row {row} says now: {text}"),
        Fact::Redacted { row, reason } => format!("row {row} is blacked out: {reason}"),
        Fact::Imported { author, text, source } => format!("{author} said in {source}: {text}"),
        Fact::TaskAdded { task, title, assignee, due_at } => {
            let to = assignee.as_ref().map(|it| format!(" for {it}")).unwrap_or_default();
            let due = due_at.map(|at| format!(", due {at:.0}")).unwrap_or_default();
            format!("task {task}{to}{due}: {title}")
        }
        Fact::TaskChanged { task, title, changes } => {
            format!("task {task} ({title}): {changes}")
        }
        Fact::Restricted { named, reason } => {
            let named = if named.is_empty() { "those in it".to_owned() } else { named.join(", ") };
            format!("may be seen by few from now on, {named}: {reason}")
        }
        Fact::Unrestricted { reason } => format!("may be seen by everybody again: {reason}"),
        _ => signal(fact),
    }
}

/// What alerts, pages and changes told.
fn signal(fact: &Fact) -> String {
    match fact {
        Fact::Asked { step, skipped, .. } if !skipped.is_empty() => {
            format!("step {step} asks nobody: {skipped}")
        }
        Fact::Asked { step, people, places, .. } => {
            let people = people.iter().map(crate::identity::Handle::as_str);
            let all: Vec<&str> = people.chain(places.iter().map(String::as_str)).collect();
            format!("step {step} asks {}", all.join(", "))
        }
        Fact::Paged { to, channel, state, detail, is_message } => {
            let what = if *is_message { "message" } else { "page" };
            let text = match state {
                PageState::Sent => format!("{to} is paged by {channel}"),
                PageState::Delivered => format!("the {what} to {to} by {channel} arrived"),
                PageState::Seen => format!("{to} has seen the {what} by {channel}"),
                PageState::Failed => format!("the {what} to {to} by {channel} did not arrive"),
            };
            with(text, detail)
        }
        Fact::Unanswered { told: Some(told) } => {
            format!("nobody answered to any step; {told} is told")
        }
        Fact::Unanswered { told: None } => {
            "nobody answered to any step, and there is nobody else to tell".to_owned()
        }
        Fact::AlertsChanged { firing, count, total } => {
            let mut names = firing.join(", ");
            if *count > firing.len() {
                names.push_str(&format!(" and {} more", count - firing.len()));
            }
            match (count, total) {
                (0, _) => format!("none of {total} alerts fires"),
                (1, 1) => format!("{names} fires again"),
                (count, total) if count == total => format!("all {total} alerts fire: {names}"),
                (1, _) => format!("1 of {total} alerts fires: {names}"),
                _ => format!("{count} of {total} alerts fire: {names}"),
            }
        }
        Fact::AlertTaken { alert, taken: true, note } => with(format!("works on {alert}"), note),
        Fact::AlertTaken { alert, note, .. } => with(format!("works on {alert} no more"), note),
        Fact::ChangeNoted { summary, source } if source.is_empty() => format!("changed: {summary}"),
        Fact::ChangeNoted { summary, source } => format!("changed ({source}): {summary}"),
        Fact::Flaps { times, delay_seconds } => {
            let minutes = delay_seconds / 60;
            format!(
                "it ended and began again {times} times within an hour; it is over once nothing \
                 fires for {minutes} minutes"
            )
        }
        _ => String::new(),
    }
}

fn with(text: String, note: &str) -> String {
    if note.trim().is_empty() { text } else { format!("{text}: {}", note.trim()) }
}

fn count(alerts: usize) -> String {
    if alerts == 1 { "with 1 alert".to_owned() } else { format!("with {alerts} alerts") }
}
