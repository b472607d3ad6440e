//! What happened with people and with other incidents, in one sentence without its author.

use super::{Fact, LinkKind};

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
        _ => String::new(),
    }
}

fn with(text: String, note: &str) -> String {
    if note.trim().is_empty() { text } else { format!("{text}: {}", note.trim()) }
}

fn count(alerts: usize) -> String {
    if alerts == 1 { "with 1 alert".to_owned() } else { format!("with {alerts} alerts") }
}
