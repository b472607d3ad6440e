//! Where in timelines somebody is named.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_core::identity::Who;
use tocsin_core::incident::IncidentChange;
use tocsin_store::{MAX_ENTRIES_PER_QUERY, MentionQuery};
use tocsin_wire::v1::{IncidentMention, IncidentMentionPage};

use super::super::cursor::List;
use super::super::params::{Ask, FromQuery, Params};
use super::super::problem::{Answer, Refusal};
use super::{command, look_up, sees, timeline};
use crate::App;
use crate::access::Caller;

/// How many pages of the store are searched for what a caller may see; the cursor leads on.
const MAX_PAGES_PER_LIST: usize = 20;

/// Which comments to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct MentionsQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for MentionsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { cursor: params.text("cursor")?, limit: params.limit()? })
    }
}

/// List where you are named
///
/// Comments of incidents that name whoever asks, the latest first: by handle, or as one of those
/// who were meant by a team, a role or a schedule. Only of incidents that they may see.
#[utoipa::path(
    get, path = "/api/v1/me/mentions", operation_id = "list_my_mentions", tag = "incidents",
    params(MentionsQuery),
    responses((status = 200, description = "A page of comments", body = IncidentMentionPage))
)]
pub(in super::super) async fn mine(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<MentionsQuery>,
) -> Answer<Json<IncidentMentionPage>> {
    let Who::Person(person) = &caller.actor.who else {
        let name = caller.actor.who.name();
        return Err(Refusal::not_found(format!("`{name}` is no person whom comments could name")));
    };
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut asked = MentionQuery {
        person: person.clone(),
        before: List::Mentions.key(query.cursor.as_deref())?,
        limit: (query.limit + 1).min(MAX_ENTRIES_PER_QUERY),
    };
    let next = |before: Option<u64>| before.map(|before| List::Mentions.cursor(before));
    let mut incidents = BTreeMap::new();
    let mut items = Vec::new();
    for _ in 0..MAX_PAGES_PER_LIST {
        let found = store.mentions(tenant, asked.clone()).await?;
        let is_last = found.len() < asked.limit;
        for (id, entry) in found {
            if items.len() == query.limit {
                return Ok(Json(IncidentMentionPage { items, next_cursor: next(asked.before) }));
            }
            asked.before = Some(id);
            let number = entry.incident;
            if let Entry::Vacant(unread) = incidents.entry(number) {
                let it = look_up(&app, number).await?.map(|(it, _)| it);
                let it = it.filter(|it| sees(&app, &caller, it));
                if it.as_ref().is_some_and(|it| it.restricted.is_some()) {
                    // Whoever reads what few may see is written down.
                    let change = IncidentChange::Looked { incident: number, is_allowed: true };
                    command(&app, &caller, change).await?;
                }
                unread.insert(it);
            }
            let Some(Some(it)) = incidents.get(&number) else { continue };
            let row = timeline::marked(&app, it, &[entry]).await?.pop();
            items.extend(row.map(|row| IncidentMention::new(it, row)));
        }
        if is_last {
            return Ok(Json(IncidentMentionPage { items, next_cursor: None }));
        }
    }
    Ok(Json(IncidentMentionPage { items, next_cursor: next(asked.before) }))
}
