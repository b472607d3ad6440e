//! Who may see which incidents, as a condition of queries.

use serde::Serialize;
use tocsin_core::identity::Scope;

use super::failure::Failure;
use crate::Visible;

/// The condition that an incident may be seen; `:viewer` is what [`viewer`] returns.
///
/// It says what `Incident::is_open_to` says, so that lists have what can be opened.
macro_rules! visible {
    () => {
        "(:viewer IS NULL OR ( \
          (json_extract(:viewer, '$.seen.all') \
           OR json_extract(incident.incident, '$.labels.service') \
               IN (SELECT value FROM json_each(:viewer, '$.seen.services')) \
           OR json_extract(incident.incident, '$.labels.team') \
               IN (SELECT value FROM json_each(:viewer, '$.seen.teams'))) \
          AND (json_extract(incident.incident, '$.restricted') IS NULL \
           OR json_extract(:viewer, '$.restricted.all') \
           OR json_extract(incident.incident, '$.labels.service') \
               IN (SELECT value FROM json_each(:viewer, '$.restricted.services')) \
           OR json_extract(incident.incident, '$.labels.team') \
               IN (SELECT value FROM json_each(:viewer, '$.restricted.teams')) \
           OR json_extract(:viewer, '$.person') \
               IN (json_extract(incident.incident, '$.owner'), \
                   json_extract(incident.incident, '$.restricted.by')) \
           OR json_extract(:viewer, '$.person') \
               IN (SELECT value FROM json_each(incident.incident, '$.restricted.people')) \
           OR json_extract(:viewer, '$.person') \
               IN (SELECT json_extract(value, '$.person') \
                   FROM json_each(incident.incident, '$.crew.holdings') \
                   WHERE json_extract(value, '$.renounced_at') IS NULL) \
           OR EXISTS (SELECT 1 FROM json_each(incident.incident, '$.restricted.teams') AS named \
                   WHERE named.value IN (SELECT value FROM json_each(:viewer, '$.memberships'))))))"
    };
}
pub(super) use visible;

#[derive(Serialize)]
struct Seen<'v> {
    seen: Scopes<'v>,
    restricted: Scopes<'v>,
    person: Option<&'v str>,
    memberships: Vec<&'v str>,
}

/// Services and teams, or all.
#[derive(Default, Serialize)]
struct Scopes<'v> {
    all: bool,
    services: Vec<&'v str>,
    teams: Vec<&'v str>,
}

impl<'v> Scopes<'v> {
    fn new(list: &'v [Scope]) -> Self {
        let mut scopes = Self::default();
        for scope in list {
            match scope {
                Scope::Tenant => scopes.all = true,
                Scope::Service(name) => scopes.services.push(name),
                Scope::Team(name) => scopes.teams.push(name),
            }
        }
        scopes
    }
}

/// Returns who looks, as the condition reads it; nothing for who sees everything.
pub(super) fn viewer(visible: &Visible) -> Result<Option<String>, Failure> {
    let Some(viewer) = visible else { return Ok(None) };
    let seen = Seen {
        seen: Scopes::new(&viewer.scopes),
        restricted: Scopes::new(&viewer.restricted),
        person: viewer.person.as_ref().map(tocsin_core::identity::Handle::as_str),
        memberships: viewer.teams.iter().map(compact_str::CompactString::as_str).collect(),
    };
    Ok(Some(serde_json::to_string(&seen)?))
}
