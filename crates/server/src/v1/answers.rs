//! What people answer to an escalation through the API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Handle, Permission, Who};
use tocsin_core::paging::{Action, Answer as Word, Answerer};
use tocsin_wire::v1::{AnswerDraft, AnswerResult, Escalation, ProblemCode, SnoozeDraft};

use super::body::Json as Body;
use super::escalations::{find, labels_of, parse_number, read};
use super::params::{Ask, Nothing};
use super::problem::{Answer, Refusal};
use super::silences::check_text;
use crate::App;
use crate::access::Caller;

/// The word in the history for answers that came this way.
const VIA: &str = "api";

/// Acknowledge an escalation
///
/// Whoever is signed in works on it: nobody else is paged. With a policy that waits for everybody,
/// the others are.
#[utoipa::path(
    post, path = "/api/v1/escalations/{number}/acknowledge",
    operation_id = "acknowledge_escalation", tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation")),
    request_body = AnswerDraft,
    responses((status = 200, description = "What that did", body = AnswerResult))
)]
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AnswerDraft>,
) -> Answer<Json<AnswerResult>> {
    answer(&app, caller, &number, Action::Acknowledge, draft).await
}

/// Give an escalation back
///
/// It goes on with the step it was at.
#[utoipa::path(
    post, path = "/api/v1/escalations/{number}/unacknowledge",
    operation_id = "unacknowledge_escalation", tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation")),
    request_body = AnswerDraft,
    responses((status = 200, description = "What that did", body = AnswerResult))
)]
pub(super) async fn unacknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AnswerDraft>,
) -> Answer<Json<AnswerResult>> {
    answer(&app, caller, &number, Action::Unacknowledge, draft).await
}

/// Escalate at once
///
/// The next step is reached now; after the last comes the first.
#[utoipa::path(
    post, path = "/api/v1/escalations/{number}/escalate", operation_id = "escalate",
    tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation")),
    request_body = AnswerDraft,
    responses((status = 200, description = "What that did", body = AnswerResult))
)]
pub(super) async fn escalate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AnswerDraft>,
) -> Answer<Json<AnswerResult>> {
    answer(&app, caller, &number, Action::Escalate, draft).await
}

/// Resolve an escalation
///
/// Nobody is paged for it any more, whatever still fires.
#[utoipa::path(
    post, path = "/api/v1/escalations/{number}/resolve", operation_id = "resolve_escalation",
    tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation")),
    request_body = AnswerDraft,
    responses((status = 200, description = "What that did", body = AnswerResult))
)]
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AnswerDraft>,
) -> Answer<Json<AnswerResult>> {
    answer(&app, caller, &number, Action::Resolve, draft).await
}

/// Snooze an escalation
///
/// Nobody is paged for a while; then it goes on with the step it was at.
#[utoipa::path(
    post, path = "/api/v1/escalations/{number}/snooze", operation_id = "snooze_escalation",
    tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation")),
    request_body = SnoozeDraft,
    responses((status = 200, description = "What that did", body = AnswerResult))
)]
pub(super) async fn snooze(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SnoozeDraft>,
) -> Answer<Json<AnswerResult>> {
    let action = Action::Snooze { span: draft.span() };
    let draft = AnswerDraft { comment: draft.comment, by: draft.by };
    answer(&app, caller, &number, action, draft).await
}

async fn answer(
    app: &App,
    caller: Caller,
    number: &str,
    action: Action,
    draft: AnswerDraft,
) -> Answer<Json<AnswerResult>> {
    let number = parse_number(number)?;
    let run = find(app, &caller, number).await?;
    caller.must(Permission::EscalationAnswer, &labels_of(&run))?;
    check_text("/comment", &draft.comment)?;
    let by = answerer(app, &caller, draft.by)?;
    let word = Word {
        run: number,
        by,
        action,
        comment: draft.comment,
        via: VIA.to_owned(),
        asked_at: None,
    };
    let answered = match app.engine.command(Command::Answer(word).by(caller.actor)).await? {
        Reply::Answered(answered) => answered,
        Reply::Rejected(rejection) => return Err(rejection.into()),
        other => return Err(Refusal::unexpected(&other)),
    };
    let run = read(app, number).await?.unwrap_or(run);
    Ok(Json(AnswerResult {
        text: answered.text,
        has_changed: answered.has_changed,
        escalation: Escalation::new(&run),
    }))
}

/// Returns in whose name an answer is: a person's own, or whom a program names.
fn answerer(app: &App, caller: &Caller, by: Option<String>) -> Answer<Answerer> {
    let own = match &caller.actor.who {
        Who::Person(handle) => Some(handle.clone()),
        _ => None,
    };
    match (own, by.filter(|by| !by.trim().is_empty())) {
        (Some(own), Some(by)) if own.as_str() != by => {
            let detail = "whoever is signed in answers for themselves only; leave `by` out";
            Err(Refusal::new(ProblemCode::Forbidden, detail))
        }
        (Some(own), _) => Ok(Answerer::Person(own)),
        (None, None) => Ok(Answerer::Outsider(caller.actor.who.name().to_owned())),
        (None, Some(by)) => {
            check_text("/by", &by)?;
            let known = Handle::parse(&by)
                .ok()
                .filter(|handle| app.engine.directory().person(handle.as_str()).is_some());
            Ok(known.map_or(Answerer::Outsider(by), Answerer::Person))
        }
    }
}
