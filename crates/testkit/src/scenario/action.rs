//! What a step does, and how its sentences are read.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::labels::{ALERTNAME, Labels};
use tocsin_core::matcher::{Matcher, Matchers};
use tocsin_core::severity::Severity;

use super::cursor::{Cursor, Trouble, suggestion};
use super::time::{Origin, duration};
use crate::receivers::Behaviour;

/// One thing that a step does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Tell(Telling),
    Silence {
        by: String,
        name: String,
        matchers: Matchers,
        from: Option<Timestamp>,
        end: End,
        comment: String,
    },
    ChangeSilence {
        by: String,
        name: String,
        matchers: Option<Matchers>,
        from: Option<Timestamp>,
        end: Option<End>,
        new_name: Option<String>,
    },
    ExpireSilence {
        name: String,
    },
    Acknowledge {
        by: String,
        alerts: Vec<Labels>,
        end: Option<End>,
        comment: String,
    },
    Unacknowledge {
        by: String,
        alerts: Vec<Labels>,
    },
    PlanMaintenance(Plan),
    CancelMaintenance {
        name: String,
    },
    Receiver {
        name: String,
        behaviour: Behaviour,
        attempts: Option<u32>,
    },
    Restart {
        pause: SignedDuration,
        config: NewConfig,
    },
    Reload {
        config: NewConfig,
    },
    Show(Show),
    /// Something about pages and those who get them.
    Paging(super::paging::Doing),
    /// Something about who is on call.
    Roster(super::roster::Change),
    /// Something about an incident.
    Incident(Box<super::incidents::Doing>),
    Nothing,
}

/// Alerts that a source tells together.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    pub(super) alerts: Vec<Labels>,
    pub(super) what: Told,
    pub(super) annotations: Labels,
    pub(super) since: Option<Timestamp>,
    pub(super) end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Fires,
    Resolves,
    Again,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    After(SignedDuration),
    At(Timestamp),
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) by: String,
    pub(super) name: String,
    pub(super) matchers: Matchers,
    /// As written; it is local to the zone.
    pub(super) from: Option<DateTime>,
    pub(super) duration: SignedDuration,
    pub(super) every: Option<String>,
    pub(super) zone: Option<String>,
}

/// Which configuration takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NewConfig {
    /// The one in effect.
    Same,
    /// The block of that name at the head of the file.
    Named(String),
    /// The block beneath the step.
    Beneath,
}

#[derive(Clone, Debug)]
pub(super) enum Show {
    Alerts,
    Groups,
    Silences,
    Maintenance,
    Log,
    Explain(Labels),
    Escalations,
    Incidents,
    Timeline(tocsin_core::incident::IncidentNumber),
    OnCall(String),
    Shifts { schedule: String, until: Timestamp },
    Simulation { service: String, severity: Severity },
}

const ALERT_VERBS: [&str; 6] = ["fires", "fire", "resolves", "resolve", "is", "are"];
const PERSON_VERBS: [&str; 8] = [
    "silences",
    "extends",
    "changes",
    "expires",
    "plans",
    "cancels",
    "acknowledges",
    "unacknowledges",
];

/// Reads the sentences of one line.
pub(super) fn read(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Vec<Action>, Trouble> {
    let mut actions = Vec::new();
    loop {
        actions.push(one(cursor, origin)?);
        let goes_on = cursor.takes("and") || cursor.takes_mark(',');
        if cursor.is_at_end() {
            return Ok(actions);
        }
        if !goes_on {
            return Err(cursor.trouble(format!(
                "expected `and` or the end of the line, found {}",
                cursor.found()
            )));
        }
    }
}

fn one(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Action, Trouble> {
    let first = cursor.peek();
    let mut ahead = cursor.clone();
    ahead.takes(first);
    let second = ahead.peek();
    match first {
        "nothing" => {
            cursor.takes(first);
            Ok(Action::Nothing)
        }
        "show" => {
            cursor.takes(first);
            show(cursor, origin).map(Action::Show)
        }
        "restart" => {
            cursor.takes(first);
            let pause = if cursor.takes("after") { span(cursor)? } else { SignedDuration::ZERO };
            Ok(Action::Restart { pause, config: new_config(cursor)? })
        }
        "reload" => {
            cursor.takes(first);
            Ok(Action::Reload { config: new_config(cursor)? })
        }
        "receiver" if !second.is_empty() && !ALERT_VERBS.contains(&second) => {
            cursor.takes(first);
            receiver(cursor)
        }
        _ if super::roster::begins(cursor) => {
            super::roster::read(cursor, origin).map(Action::Roster)
        }
        _ if super::incidents::begins(cursor) => {
            super::incidents::read(cursor, origin).map(|it| Action::Incident(Box::new(it)))
        }
        _ if super::paging::begins(cursor) => {
            super::paging::read(cursor, origin).map(Action::Paging)
        }
        _ if !first.is_empty() && PERSON_VERBS.contains(&second) => person(cursor, origin),
        _ => tell(cursor, origin).map(Action::Tell),
    }
}

fn tell(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Telling, Trouble> {
    let alerts = alerts(cursor)?;
    let what = if cursor.takes("fires") || cursor.takes("fire") {
        Told::Fires
    } else if cursor.takes("resolves") || cursor.takes("resolve") {
        Told::Resolves
    } else if cursor.takes_all(&["is", "re-sent"]) || cursor.takes_all(&["are", "re-sent"]) {
        Told::Again
    } else {
        let verbs = [
            "fires",
            "resolves",
            "is re-sent",
            "silences",
            "extends",
            "changes",
            "expires",
            "plans",
            "cancels",
        ];
        let word = cursor.peek();
        let hint = if word.is_empty() {
            "; an alert `fires`, `resolves` or `is re-sent`".to_owned()
        } else {
            suggestion(word, &verbs)
        };
        return Err(
            cursor.trouble(format!("expected what happens, found {}{hint}", cursor.found()))
        );
    };
    let mut telling =
        Telling { alerts, what, annotations: Labels::default(), since: None, end: None };
    loop {
        if cursor.takes("with") {
            telling.annotations = annotations(cursor)?;
        } else if cursor.takes("since") {
            telling.since = Some(instant(cursor, origin)?);
        } else if what == Told::Resolves && cursor.takes("at") {
            telling.end = Some(End::At(instant(cursor, origin)?));
        } else if let Some(end) = end(cursor, origin)? {
            telling.end = Some(end);
        } else {
            return Ok(telling);
        }
    }
}

/// Reads one alert or several, with `and` or a comma between them.
fn alerts(cursor: &mut Cursor<'_>) -> Result<Vec<Labels>, Trouble> {
    let mut alerts = vec![alert(cursor)?];
    while cursor.takes("and") || cursor.takes_mark(',') {
        alerts.push(alert(cursor)?);
    }
    Ok(alerts)
}

fn annotations(cursor: &mut Cursor<'_>) -> Result<Labels, Trouble> {
    let mut pairs = Vec::new();
    loop {
        let name = cursor.word("the name of an annotation")?;
        if !cursor.takes_mark('=') {
            return Err(cursor.trouble(format!("expected `=`, found {}", cursor.found())));
        }
        pairs.push((name.to_owned(), cursor.quoted("the annotation")?));
        // Another annotation follows only if a name and `=` do; anything else is a new sentence.
        let mut ahead = cursor.clone();
        let goes_on = ahead.takes_mark(',')
            && !ahead.peek().is_empty()
            && ahead.rest()[ahead.peek().len()..].trim_start().starts_with('=');
        if !goes_on {
            return Ok(pairs.into_iter().collect());
        }
        cursor.takes_mark(',');
    }
}

/// Reads `Name{label="value"}`, `Name`, `"any name"{…}` or `{label="value"}`.
pub(super) fn alert(cursor: &mut Cursor<'_>) -> Result<Labels, Trouble> {
    let start = cursor.offset();
    let name = if cursor.starts_with('"') {
        Some(cursor.quoted("the name of the alert")?)
    } else if cursor.starts_with('{') {
        None
    } else {
        Some(cursor.word("an alert such as `DiskFull{host=\"a\"}`")?.to_owned())
    };
    let labels = if cursor.starts_with('{') { cursor.labels()? } else { Labels::default() };
    if name.is_some() && labels.get(ALERTNAME).is_some() {
        let message =
            "the alert has two names: one before the brace and `alertname` in it".to_owned();
        return Err(Trouble { offset: start, message });
    }
    let named = name.iter().map(|name| (ALERTNAME, name.as_str()));
    let labels: Labels = named.chain(labels.iter()).collect();
    if labels.is_empty() {
        let message = "an alert has at least one label".to_owned();
        return Err(Trouble { offset: start, message });
    }
    Ok(labels)
}

/// Reads `{matcher, …}`, `Name{…}` or `Name`.
fn subject(cursor: &mut Cursor<'_>) -> Result<Matchers, Trouble> {
    let name = cursor.peek();
    cursor.takes(name);
    let mut matchers: Vec<Matcher> = Vec::new();
    if !name.is_empty() {
        matchers.push(Matcher::equal(ALERTNAME, name));
    }
    if name.is_empty() || cursor.starts_with('{') {
        matchers.extend(cursor.matchers()?.iter().cloned());
    }
    Ok(Matchers::new(matchers))
}

fn person(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Action, Trouble> {
    let by = cursor.word("a person")?.to_owned();
    match cursor.word("what they do")? {
        "silences" => {
            let matchers = subject(cursor)?;
            let from = from(cursor, origin)?;
            let end = needed_end(cursor, origin)?;
            let comment =
                if cursor.starts_with('"') { cursor.quoted("the comment")? } else { String::new() };
            cursor.expect("as")?;
            let name = cursor.word("a name for the silence")?.to_owned();
            Ok(Action::Silence { by, name, matchers, from, end, comment })
        }
        verb @ ("extends" | "changes") => {
            let name = cursor.word("the name of a silence")?.to_owned();
            let mut matchers = None;
            if verb == "changes" && cursor.takes("to") {
                matchers = Some(subject(cursor)?);
            }
            let from = from(cursor, origin)?;
            let end = if verb == "extends" && cursor.takes("to") {
                Some(End::At(instant(cursor, origin)?))
            } else {
                end(cursor, origin)?
            };
            if verb == "extends" && end.is_none() {
                let found = cursor.found();
                return Err(
                    cursor.trouble(format!("expected `to TIME` or `for DURATION`, found {found}"))
                );
            }
            let new_name = if cursor.takes("as") {
                Some(cursor.word("a name for the silence")?.to_owned())
            } else {
                None
            };
            Ok(Action::ChangeSilence { by, name, matchers, from, end, new_name })
        }
        "expires" => {
            let name = cursor.word("the name of a silence")?.to_owned();
            Ok(Action::ExpireSilence { name })
        }
        "acknowledges" => {
            let alerts = alerts(cursor)?;
            let end = end(cursor, origin)?;
            let comment =
                if cursor.starts_with('"') { cursor.quoted("the comment")? } else { String::new() };
            Ok(Action::Acknowledge { by, alerts, end, comment })
        }
        "unacknowledges" => Ok(Action::Unacknowledge { by, alerts: alerts(cursor)? }),
        "plans" => plan(cursor, origin, by).map(Action::PlanMaintenance),
        _ => {
            cursor.expect("maintenance")?;
            Ok(Action::CancelMaintenance { name: cursor.quoted("the name of the maintenance")? })
        }
    }
}

fn plan(cursor: &mut Cursor<'_>, origin: &Origin, by: String) -> Result<Plan, Trouble> {
    cursor.expect("maintenance")?;
    let name = cursor.quoted("a name for the maintenance")?;
    let matchers = subject(cursor)?;
    let from = if cursor.takes("from") {
        let start = cursor.clone();
        let text = moment(cursor)?;
        let local = origin.local(&text);
        Some(local.ok_or_else(|| {
            start.trouble(format!("`{text}` is no local time; write `02:00` or `2026-03-29T02:00`"))
        })?)
    } else {
        None
    };
    cursor.expect("for")?;
    let duration = span(cursor)?;
    let every =
        if cursor.takes("every") { Some(cursor.quoted("a recurrence rule")?) } else { None };
    let zone = if cursor.takes("in") { Some(cursor.word("a time zone")?.to_owned()) } else { None };
    Ok(Plan { by, name, matchers, from, duration, every, zone })
}

fn receiver(cursor: &mut Cursor<'_>) -> Result<Action, Trouble> {
    let name = cursor.word("the name of a receiver")?.to_owned();
    let (behaviour, attempts) = behaviour(cursor)?;
    Ok(Action::Receiver { name, behaviour, attempts })
}

/// Reads how a receiver or a channel behaves, and for how many attempts.
pub(super) fn behaviour(cursor: &mut Cursor<'_>) -> Result<(Behaviour, Option<u32>), Trouble> {
    let verbs = ["is down", "is back", "answers", "hangs", "swallows", "takes", "confirms"];
    let verb = cursor.peek();
    let behaviour = if cursor.takes_all(&["is", "down"]) {
        Behaviour::Down
    } else if cursor.takes_all(&["is", "back"]) {
        Behaviour::Up
    } else if cursor.takes("answers") {
        let place = cursor.clone();
        let status: u16 = cursor
            .word("an HTTP status")?
            .parse()
            .ok()
            .filter(|status| (100..600).contains(status))
            .ok_or_else(|| place.trouble("an HTTP status is a number from 100 to 599"))?;
        let retry_after = if cursor.takes("retry-after") { Some(span(cursor)?) } else { None };
        Behaviour::Answers { status, retry_after }
    } else if cursor.takes("hangs") {
        Behaviour::Hangs { span: span(cursor)? }
    } else if cursor.takes("takes") {
        Behaviour::Takes { span: span(cursor)? }
    } else if cursor.takes("swallows") {
        Behaviour::Swallows { span: span(cursor)? }
    } else if cursor.takes_all(&["confirms", "after"]) {
        Behaviour::Confirms { span: span(cursor)? }
    } else {
        let hint = suggestion(verb, &verbs);
        return Err(cursor.trouble(format!(
            "expected how the receiver behaves, found {}{hint}",
            cursor.found()
        )));
    };
    let attempts = if cursor.takes("for") {
        let place = cursor.clone();
        let count = cursor.word("a number of attempts")?;
        let count = count
            .parse()
            .map_err(|_| place.trouble(format!("`{count}` is no number of attempts")))?;
        if !cursor.takes("attempts") {
            cursor.expect("attempt")?;
        }
        Some(count)
    } else {
        None
    };
    Ok((behaviour, attempts))
}

fn show(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Show, Trouble> {
    let place = cursor.clone();
    let views = [
        "alerts",
        "groups",
        "silences",
        "maintenance",
        "log",
        "explain",
        "escalations",
        "incidents",
        "timeline",
        "oncall",
        "shifts",
        "simulation",
    ];
    Ok(match cursor.word("what to show")? {
        "alerts" => Show::Alerts,
        "groups" => Show::Groups,
        "silences" => Show::Silences,
        "maintenance" => Show::Maintenance,
        "log" => Show::Log,
        "explain" => Show::Explain(alert(cursor)?),
        "escalations" => Show::Escalations,
        "shifts" => {
            let schedule = cursor.word("a schedule")?.to_owned();
            cursor.expect("until")?;
            Show::Shifts { schedule, until: instant(cursor, origin)? }
        }
        "incidents" => Show::Incidents,
        "timeline" => Show::Timeline(super::incidents::number(cursor)?),
        "oncall" => Show::OnCall(cursor.word("a schedule")?.to_owned()),
        "simulation" => Show::Simulation {
            service: cursor.word("a service")?.to_owned(),
            severity: super::paging::severity(cursor)?,
        },
        other => {
            let hint = suggestion(other, &views);
            return Err(place.trouble(format!("cannot show `{other}`{hint}")));
        }
    })
}

fn new_config(cursor: &mut Cursor<'_>) -> Result<NewConfig, Trouble> {
    if cursor.takes("with:") || cursor.takes_all(&["with", "config:"]) {
        return Ok(NewConfig::Beneath);
    }
    if cursor.takes("with") {
        cursor.takes("config");
        return Ok(NewConfig::Named(cursor.word("the name of a configuration")?.to_owned()));
    }
    Ok(NewConfig::Same)
}

fn from(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Option<Timestamp>, Trouble> {
    if cursor.takes("from") { instant(cursor, origin).map(Some) } else { Ok(None) }
}

fn end(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Option<End>, Trouble> {
    if cursor.takes("for") {
        return span(cursor).map(|span| Some(End::After(span)));
    }
    if cursor.takes("until") {
        return instant(cursor, origin).map(|at| Some(End::At(at)));
    }
    Ok(None)
}

pub(super) fn needed_end(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<End, Trouble> {
    let found = cursor.found();
    end(cursor, origin)?.ok_or_else(|| {
        cursor.trouble(format!("expected `for DURATION` or `until TIME`, found {found}"))
    })
}

/// Reads a duration.
pub(super) fn span(cursor: &mut Cursor<'_>) -> Result<SignedDuration, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a duration such as `5m`")?;
    duration(word).ok_or_else(|| {
        place.trouble(format!("`{word}` is no duration; write it as `90s`, `1h30m` or `500ms`"))
    })
}

/// Reads an instant.
pub(super) fn instant(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Timestamp, Trouble> {
    let place = cursor.clone();
    let text = moment(cursor)?;
    origin.instant(&text).ok_or_else(|| {
        place.trouble(format!(
            "`{text}` is no time; write it as `09:00`, `09:00:30.500`, `+90s` or `2026-03-02 09:00`"
        ))
    })
}

/// Takes a time; a date and a clock time may be two words.
fn moment(cursor: &mut Cursor<'_>) -> Result<String, Trouble> {
    let word = cursor.word("a time")?;
    let is_date = word.len() == 10 && word.bytes().filter(|b| *b == b'-').count() == 2;
    if is_date && cursor.peek().contains(':') {
        let clock = cursor.word("a clock time")?;
        return Ok(format!("{word} {clock}"));
    }
    Ok(word.to_owned())
}
