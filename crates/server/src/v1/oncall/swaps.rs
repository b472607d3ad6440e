//! Swaps, and times in which people are away.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tocsin_core::identity::Permission;
use tocsin_core::oncall::{OnCallChange, SwapRequest, SwapState, Unavailability};
use tocsin_wire::v1::{
    Absence, AbsenceDraft, Absences, FieldError, ProblemCode, ShiftSwap, ShiftSwaps, SwapDecline,
    SwapDraft, SwapTake,
};
use uuid::Uuid;

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::{change, handle, id, is_own, may, may_for, of_schedule};
use crate::App;
use crate::access::Caller;

/// List swaps that are not over
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/swaps", operation_id = "list_swaps",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The swaps", body = ShiftSwaps))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<ShiftSwaps>> {
    let now = app.engine.now();
    let items = of_schedule(&app, &name, move |_, entry| {
        let live = entry.swaps.iter().filter(|it| it.to > now);
        live.map(ShiftSwap::from).collect()
    });
    Ok(Json(ShiftSwaps { items: items.await? }))
}

/// Offer a part of one's time
///
/// The owner stays on call until somebody takes it.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/swaps", operation_id = "request_swap",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    request_body = SwapDraft,
    responses((status = 201, description = "The swap", body = ShiftSwap))
)]
pub(super) async fn request(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SwapDraft>,
) -> Answer<Response> {
    let owner = handle("/owner", &draft.owner)?;
    may_for(&app, &caller, &owner, &name).await?;
    let it = SwapRequest {
        id: Uuid::new_v4(),
        schedule: name.as_str().into(),
        number: 0,
        owner,
        from: draft.from,
        to: draft.to,
        state: SwapState::Open,
        offered_to: draft.offered_to.map(|it| handle("/offered_to", &it)).transpose()?,
        in_return: draft.return_from.zip(draft.return_to),
        reason: draft.reason,
    };
    if draft.return_from.is_some() != draft.return_to.is_some() {
        let error = FieldError::at("/return_to", "a time in return has a begin and an end");
        return Err(Refusal::about(ProblemCode::Unprocessable, error));
    }
    let made = ShiftSwap::from(&it);
    change(&app, &caller, OnCallChange::RequestSwap(Box::new(it))).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Take somebody's time
///
/// Or a part of it; the rest stays open.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/swaps/{id}/take", operation_id = "take_swap",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("id" = String, Path, description = "The swap")
    ),
    request_body = SwapTake,
    responses((status = 200, description = "The swap", body = ShiftSwap))
)]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, which)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SwapTake>,
) -> Answer<Json<ShiftSwap>> {
    let by = handle("/by", &draft.by)?;
    may_for(&app, &caller, &by, &name).await?;
    let id = id(&which)?;
    let offered = of_schedule(&app, &name, move |_, entry| {
        entry.swaps.iter().find(|it| it.id == id).map(|it| (it.from, it.to))
    });
    let missing = || Refusal::not_found(format!("there is no swap {id}"));
    let (from, to) = offered.await?.ok_or_else(missing)?;
    let take = OnCallChange::TakeSwap {
        schedule: name.as_str().into(),
        id,
        by,
        part: Some((draft.from.unwrap_or(from), draft.to.unwrap_or(to))),
        rest_ids: [Uuid::new_v4(), Uuid::new_v4()],
    };
    change(&app, &caller, take).await?;
    let taken = of_schedule(&app, &name, move |_, entry| {
        entry.swaps.iter().find(|it| it.id == id).map(ShiftSwap::from)
    });
    taken.await?.map(Json).ok_or_else(missing)
}

/// Decline somebody's time
///
/// For whom it was offered to; the owner stays on call.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/swaps/{id}/decline", operation_id = "decline_swap",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("id" = String, Path, description = "The swap")
    ),
    request_body = SwapDecline,
    responses((status = 200, description = "The swap", body = ShiftSwap))
)]
pub(super) async fn decline(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, which)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SwapDecline>,
) -> Answer<Json<ShiftSwap>> {
    let by = handle("/by", &draft.by)?;
    may_for(&app, &caller, &by, &name).await?;
    let id = id(&which)?;
    let decline = OnCallChange::DeclineSwap { schedule: name.as_str().into(), id, by };
    change(&app, &caller, decline).await?;
    let declined = of_schedule(&app, &name, move |_, entry| {
        entry.swaps.iter().find(|it| it.id == id).map(ShiftSwap::from)
    });
    let missing = || Refusal::not_found(format!("there is no swap {id}"));
    declined.await?.map(Json).ok_or_else(missing)
}

/// Take an offer back
#[utoipa::path(
    delete, path = "/api/v1/schedules/{name}/swaps/{id}", operation_id = "cancel_swap",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("id" = String, Path, description = "The swap")
    ),
    responses((status = 204, description = "It is cancelled"))
)]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, which)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let id = id(&which)?;
    let owner = of_schedule(&app, &name, move |_, entry| {
        entry.swaps.iter().find(|it| it.id == id).map(|it| it.owner.clone())
    });
    let missing = || Refusal::not_found(format!("there is no swap {id}"));
    may_for(&app, &caller, &owner.await?.ok_or_else(missing)?, &name).await?;
    change(&app, &caller, OnCallChange::CancelSwap { schedule: name.into(), id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List who is away
///
/// Times that are not over, by person.
#[utoipa::path(
    get, path = "/api/v1/unavailability", operation_id = "list_unavailability",
    tag = "schedules",
    responses((status = 200, description = "Who is away when", body = Absences))
)]
pub(super) async fn absences(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Absences>> {
    let now = app.engine.now();
    let items = app.engine.read(move |tenant, _| {
        let live = tenant.roster().absences().filter(|it| it.to > now);
        live.map(Absence::from).collect::<Vec<_>>()
    });
    Ok(Json(Absences { items: items.await? }))
}

/// Say that somebody is away
///
/// Others stand in where a layer skips who is away; elsewhere the schedule warns.
#[utoipa::path(
    post, path = "/api/v1/unavailability", operation_id = "add_unavailability",
    tag = "schedules",
    request_body = AbsenceDraft,
    responses((status = 201, description = "The time", body = Absence))
)]
pub(super) async fn add_absence(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AbsenceDraft>,
) -> Answer<Response> {
    let person = handle("/person", &draft.person)?;
    may_be_away(&caller, &person)?;
    let it = Unavailability {
        id: Uuid::new_v4(),
        person,
        from: draft.from,
        to: draft.to,
        kind: draft.kind,
        is_imported: false,
        note: draft.note,
    };
    let made = Absence::from(&it);
    change(&app, &caller, OnCallChange::AddAbsence(Box::new(it))).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Say that somebody is not away after all
#[utoipa::path(
    delete, path = "/api/v1/unavailability/{id}", operation_id = "remove_unavailability",
    tag = "schedules",
    params(("id" = String, Path, description = "Which time")),
    responses((status = 204, description = "It has ended"))
)]
pub(super) async fn remove_absence(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(which): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let id = id(&which)?;
    let person = app.engine.read(move |tenant, _| {
        tenant.roster().absences().find(|it| it.id == id).map(|it| it.person.clone())
    });
    let missing = || Refusal::not_found(format!("there is no such time {id}"));
    may_be_away(&caller, &person.await?.ok_or_else(missing)?)?;
    change(&app, &caller, OnCallChange::RemoveAbsence { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn may_be_away(caller: &Caller, person: &tocsin_core::identity::Handle) -> Answer<()> {
    if is_own(caller, person) && caller.access.allows_somewhere(Permission::ScheduleOwn) {
        return Ok(());
    }
    may(caller, Permission::ScheduleOverride, None)
}
