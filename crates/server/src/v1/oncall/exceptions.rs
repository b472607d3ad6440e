//! Overrides and fixed blocks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tocsin_core::identity::Permission;
use tocsin_core::oncall::{BlockShift, FixedBlock, OnCallChange, Override};
use tocsin_wire::v1::{
    BlockDraft, OverrideDraft, ShiftBlock, ShiftBlocks, ShiftOverride, ShiftOverrides,
};
use uuid::Uuid;

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::{change, handle, id, may_with, of_schedule};
use crate::App;
use crate::access::Caller;

/// List overrides that are not over
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/overrides", operation_id = "list_overrides",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The overrides", body = ShiftOverrides))
)]
pub(super) async fn overrides(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<ShiftOverrides>> {
    let now = app.engine.now();
    let items = of_schedule(&app, &name, move |_, entry| {
        let live = entry.overrides.iter().filter(|it| it.to > now);
        live.map(ShiftOverride::from).collect()
    });
    Ok(Json(ShiftOverrides { items: items.await? }))
}

/// Override who is on call
///
/// `user_out` goes, `user_in` comes, or one replaces the other. A second override of the same
/// outgoing person at the same time is refused with the id of the one in the way.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/overrides", operation_id = "add_override",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    request_body = OverrideDraft,
    responses((status = 201, description = "The override", body = ShiftOverride))
)]
pub(super) async fn add_override(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<OverrideDraft>,
) -> Answer<Response> {
    may_with(&app, &caller, Permission::ScheduleOverride, &name).await?;
    let user =
        |pointer: &str, text: Option<String>| text.map(|text| handle(pointer, &text)).transpose();
    let it = Override {
        id: Uuid::new_v4(),
        schedule: name.as_str().into(),
        number: 0,
        user_out: user("/user_out", draft.user_out)?,
        user_in: user("/user_in", draft.user_in)?,
        from: draft.from,
        to: draft.to,
        layer: draft.layer.map(Arc::from),
        reason: draft.reason,
        author: String::new(),
    };
    let id = it.id;
    change(&app, &caller, OnCallChange::AddOverride(Box::new(it))).await?;
    let made = of_schedule(&app, &name, move |_, entry| {
        entry.overrides.iter().find(|it| it.id == id).map(ShiftOverride::from)
    });
    let gone = || Refusal::not_found("the override is gone already");
    Ok((StatusCode::CREATED, Json(made.await?.ok_or_else(gone)?)).into_response())
}

/// End an override
///
/// Now when it has begun, altogether before.
#[utoipa::path(
    delete, path = "/api/v1/schedules/{name}/overrides/{id}", operation_id = "remove_override",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("id" = String, Path, description = "The override")
    ),
    responses((status = 204, description = "It has ended"))
)]
pub(super) async fn remove_override(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, which)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    may_with(&app, &caller, Permission::ScheduleOverride, &name).await?;
    let remove = OnCallChange::RemoveOverride { schedule: name.into(), id: id(&which)? };
    change(&app, &caller, remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List fixed blocks that are not over
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/blocks", operation_id = "list_blocks",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The blocks", body = ShiftBlocks))
)]
pub(super) async fn blocks(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<ShiftBlocks>> {
    let now = app.engine.now();
    let items = of_schedule(&app, &name, move |_, entry| {
        let live = entry.blocks.iter().filter(|it| it.to > now);
        live.map(ShiftBlock::from).collect()
    });
    Ok(Json(ShiftBlocks { items: items.await? }))
}

/// Fix a time
///
/// Exactly these shifts hold, whatever layers and overrides say; holes are gaps.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/blocks", operation_id = "add_block",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    request_body = BlockDraft,
    responses((status = 201, description = "The block", body = ShiftBlock))
)]
pub(super) async fn add_block(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<BlockDraft>,
) -> Answer<Response> {
    may_with(&app, &caller, Permission::ScheduleWrite, &name).await?;
    let mut shifts = Vec::with_capacity(draft.shifts.len());
    for (index, shift) in draft.shifts.iter().enumerate() {
        let person = handle(&format!("/shifts/{index}/person"), &shift.person)?;
        shifts.push(BlockShift { person, from: shift.from, to: shift.to });
    }
    let it = FixedBlock {
        id: Uuid::new_v4(),
        schedule: name.as_str().into(),
        number: 0,
        from: draft.from,
        to: draft.to,
        shifts,
        reason: draft.reason,
        author: caller.actor.who.name().to_owned(),
    };
    let made = ShiftBlock::from(&it);
    change(&app, &caller, OnCallChange::AddBlock(Box::new(it))).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// End a fixed block
#[utoipa::path(
    delete, path = "/api/v1/schedules/{name}/blocks/{id}", operation_id = "remove_block",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("id" = String, Path, description = "The block")
    ),
    responses((status = 204, description = "It has ended"))
)]
pub(super) async fn remove_block(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, which)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    may_with(&app, &caller, Permission::ScheduleWrite, &name).await?;
    let remove = OnCallChange::RemoveBlock { schedule: name.into(), id: id(&which)? };
    change(&app, &caller, remove).await?;
    Ok(StatusCode::NO_CONTENT)
}
