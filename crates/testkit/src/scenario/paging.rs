//! What people do with pages, and what happens to those on their way.

use jiff::Timestamp;
use tocsin_core::identity::Handle;
use tocsin_core::paging::{Action as Wanted, Answerer, Channel, MethodId, PageState};
use tocsin_core::severity::Severity;

use super::action::{behaviour, instant, span};
use super::cursor::{Cursor, Trouble, suggestion};
use super::time::Origin;
use crate::receivers::Behaviour;

/// One thing about pages.
#[derive(Clone, Debug)]
pub(super) enum Doing {
    Answer {
        by: Answerer,
        wanted: Wanted,
        run: Option<u64>,
        via: String,
        asked_at: Option<Timestamp>,
        comment: String,
    },
    /// A text message or keys: from a person's own address, or from any.
    Says {
        from: From,
        channel: Channel,
        text: String,
    },
    Pages {
        by: String,
        policy: Option<String>,
        people: Vec<Handle>,
        title: String,
        service: String,
        severity: Severity,
    },
    AddMethod {
        person: Handle,
        id: MethodId,
        channel: Channel,
        address: String,
    },
    RemoveMethod {
        person: Handle,
        id: MethodId,
    },
    AskCode {
        person: Handle,
        id: MethodId,
    },
    TellCode {
        person: Handle,
        id: MethodId,
        code: String,
    },
    Test {
        person: Handle,
        id: MethodId,
    },
    SetRules {
        person: Handle,
        text: String,
    },
    Beat {
        name: String,
    },
    Change {
        summary: String,
        by: String,
    },
    Activity {
        person: Handle,
        is_active: bool,
    },
    Receipt {
        channel: Channel,
        whom: String,
        state: PageState,
        detail: String,
    },
    Channel {
        name: String,
        behaviour: Behaviour,
        attempts: Option<u32>,
    },
    SetPolicy {
        text: String,
    },
    DeletePolicy {
        name: String,
    },
}

/// Who sent a text message.
#[derive(Clone, Debug)]
pub(super) enum From {
    Person(Handle),
    Address(String),
}

const VERBS: [&str; 9] =
    ["answers", "says", "pages", "adds", "removes", "asks", "verifies", "tests", "wants"];
const ANSWERS: [&str; 5] = ["ack", "giveback", "escalate", "resolve", "snooze"];

/// Returns whether a sentence about pages begins here.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    if ahead.starts_with('"') {
        return ahead.quoted("a name").is_ok() && ahead.peek() == "answers";
    }
    let first = ahead.peek();
    ahead.takes(first);
    let second = ahead.peek();
    ahead.takes(second);
    match first {
        "heartbeat" => ahead.peek() == "beats",
        "change" => true,
        "channel" => Channel::from_word(second).is_some(),
        "policy" => true,
        _ if second == "to" => Channel::from_word(first).is_some(),
        _ if second == "is" => matches!(ahead.peek(), "deactivated" | "reactivated"),
        _ => !first.is_empty() && VERBS.contains(&second),
    }
}

pub(super) fn read(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Doing, Trouble> {
    if cursor.starts_with('"') {
        let name = cursor.quoted("a name")?;
        cursor.expect("answers")?;
        return answer(cursor, origin, Answerer::Outsider(name));
    }
    let place = cursor.clone();
    let first = cursor.word("who")?.to_owned();
    match first.as_str() {
        "heartbeat" => {
            let name = cursor.word("a heartbeat")?.to_owned();
            cursor.expect("beats")?;
            return Ok(Doing::Beat { name });
        }
        "change" => {
            let summary = cursor.quoted("what was changed")?;
            cursor.expect("by")?;
            return Ok(Doing::Change { summary, by: cursor.word("who tells")?.to_owned() });
        }
        "channel" => return channel_fault(cursor),
        "policy" => return policy(cursor),
        _ => {}
    }
    if cursor.takes("to") {
        let Some(channel) = Channel::from_word(&first) else {
            return Err(place.trouble(format!("there is no channel `{first}`")));
        };
        return receipt(cursor, channel);
    }
    if cursor.takes("is") {
        let person = handle(&place, &first)?;
        let is_active = cursor.takes("reactivated");
        if !is_active {
            cursor.expect("deactivated")?;
        }
        return Ok(Doing::Activity { person, is_active });
    }
    match cursor.word("what they do")? {
        "answers" => answer(cursor, origin, Answerer::Person(handle(&place, &first)?)),
        "says" => {
            let text = cursor.quoted("what they say")?;
            let channel = if cursor.takes("by") { channel(cursor)? } else { Channel::Sms };
            let from = if first.starts_with('+') {
                From::Address(first)
            } else {
                From::Person(handle(&place, &first)?)
            };
            Ok(Doing::Says { from, channel, text })
        }
        "pages" => pages(cursor, first),
        verb => method(cursor, verb, handle(&place, &first)?),
    }
}

fn answer(cursor: &mut Cursor<'_>, origin: &Origin, by: Answerer) -> Result<Doing, Trouble> {
    let place = cursor.clone();
    let wanted = match cursor.word("an answer")? {
        "ack" => Wanted::Acknowledge,
        "giveback" => Wanted::Unacknowledge,
        "escalate" => Wanted::Escalate,
        "resolve" => Wanted::Resolve,
        "snooze" => Wanted::Snooze { span: span(cursor)? },
        other => {
            let hint = suggestion(other, &ANSWERS);
            return Err(place.trouble(format!("nobody can answer `{other}`{hint}")));
        }
    };
    let run = if cursor.takes_all(&["to", "escalation"]) { Some(number(cursor)?) } else { None };
    let via =
        if cursor.takes("by") { cursor.word("how")?.to_owned() } else { "console".to_owned() };
    let asked_at = if cursor.takes("of") { Some(instant(cursor, origin)?) } else { None };
    let comment =
        if cursor.starts_with('"') { cursor.quoted("the comment")? } else { String::new() };
    Ok(Doing::Answer { by, wanted, run, via, asked_at, comment })
}

/// Reads `grace, linus about "…"`, `policy checkout about "…"` or `whoever about "…"`.
fn pages(cursor: &mut Cursor<'_>, by: String) -> Result<Doing, Trouble> {
    let mut people = Vec::new();
    let mut policy = None;
    if cursor.takes("policy") {
        policy = Some(cursor.word("a policy")?.to_owned());
    } else if !cursor.takes("whoever") {
        loop {
            let place = cursor.clone();
            people.push(handle(&place, cursor.word("a person")?)?);
            if !cursor.takes_mark(',') {
                break;
            }
        }
    }
    cursor.expect("about")?;
    let title = cursor.quoted("what about")?;
    let service =
        if cursor.takes("on") { cursor.word("a service")?.to_owned() } else { String::new() };
    let severity = if cursor.takes("as") { severity(cursor)? } else { Severity::Sev2 };
    Ok(Doing::Pages { by, policy, people, title, service, severity })
}

fn method(cursor: &mut Cursor<'_>, verb: &str, person: Handle) -> Result<Doing, Trouble> {
    match verb {
        "adds" => {
            cursor.expect("method")?;
            let id = method_id(cursor)?;
            let channel = channel(cursor)?;
            let address = if cursor.starts_with('"') {
                cursor.quoted("an address")?
            } else {
                cursor.word("an address")?.to_owned()
            };
            Ok(Doing::AddMethod { person, id, channel, address })
        }
        "removes" => {
            cursor.expect("method")?;
            Ok(Doing::RemoveMethod { person, id: method_id(cursor)? })
        }
        "asks" => {
            for word in ["for", "a", "code", "to"] {
                cursor.expect(word)?;
            }
            Ok(Doing::AskCode { person, id: method_id(cursor)? })
        }
        "verifies" => {
            let id = method_id(cursor)?;
            cursor.expect("with")?;
            Ok(Doing::TellCode { person, id, code: cursor.quoted("a code")? })
        }
        "tests" => Ok(Doing::Test { person, id: method_id(cursor)? }),
        _ => Ok(Doing::SetRules { person, text: cursor.take_rest().to_owned() }),
    }
}

fn channel_fault(cursor: &mut Cursor<'_>) -> Result<Doing, Trouble> {
    let channel = channel(cursor)?;
    let mut name = format!("channel {channel}");
    if cursor.takes("to") {
        name.push('/');
        name.push_str(cursor.word("an address or a person")?);
    }
    let (behaviour, attempts) = behaviour(cursor)?;
    Ok(Doing::Channel { name, behaviour, attempts })
}

fn policy(cursor: &mut Cursor<'_>) -> Result<Doing, Trouble> {
    let mut ahead = cursor.clone();
    let name = ahead.word("the name of a policy")?.to_owned();
    if ahead.takes_all(&["is", "deleted"]) {
        *cursor = ahead;
        return Ok(Doing::DeletePolicy { name });
    }
    Ok(Doing::SetPolicy { text: cursor.take_rest().to_owned() })
}

fn receipt(cursor: &mut Cursor<'_>, channel: Channel) -> Result<Doing, Trouble> {
    let whom = cursor.word("a person or a place")?.to_owned();
    cursor.expect("is")?;
    let place = cursor.clone();
    let state = match cursor.word("what became of it")? {
        "delivered" => PageState::Delivered,
        "seen" => PageState::Seen,
        "failed" => PageState::Failed,
        other => {
            let hint = suggestion(other, &["delivered", "seen", "failed"]);
            return Err(place.trouble(format!("a message is not `{other}`{hint}")));
        }
    };
    let detail = if cursor.starts_with('"') { cursor.quoted("why")? } else { String::new() };
    Ok(Doing::Receipt { channel, whom, state, detail })
}

pub(super) fn severity(cursor: &mut Cursor<'_>) -> Result<Severity, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a severity")?;
    Severity::from_word(word)
        .ok_or_else(|| place.trouble(format!("`{word}` is no severity: sev1 to sev5")))
}

fn channel(cursor: &mut Cursor<'_>) -> Result<Channel, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a channel")?;
    Channel::from_word(word).ok_or_else(|| {
        let known = Channel::ALL.map(Channel::as_str);
        place.trouble(format!("there is no channel `{word}`{}", suggestion(word, &known)))
    })
}

fn method_id(cursor: &mut Cursor<'_>) -> Result<MethodId, Trouble> {
    let place = cursor.clone();
    MethodId::parse(cursor.word("a contact method")?).map_err(|why| place.trouble(why.to_string()))
}

fn number(cursor: &mut Cursor<'_>) -> Result<u64, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a number")?;
    word.parse().map_err(|_| place.trouble(format!("`{word}` is no number of an escalation")))
}

fn handle(place: &Cursor<'_>, text: &str) -> Result<Handle, Trouble> {
    Handle::parse(text).map_err(|why| place.trouble(why.to_string()))
}
