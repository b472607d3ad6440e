//! Escalation policies: whom to page and when, what is wrong with that, and what it would do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use tocsin_core::Tenant;
use tocsin_core::command::{Command, PagingChange, Reply};
use tocsin_core::escalation as domain;
use tocsin_core::identity::Permission;
use tocsin_core::labels::Labels;
use tocsin_core::severity::Severity;
use tocsin_wire::v1::{
    EscalationPolicies, EscalationPolicy, EscalationPolicyDraft, PolicyNotice, PolicyNotices,
    Simulation, SimulationRequest,
};

use super::body::Json as Body;
use super::escalations::parse_severity;
use super::params::{Ask, Nothing};
use super::problem::{Answer, Refusal};
use super::silences::check_text;
use crate::App;
use crate::access::Caller;

/// List escalation policies
///
/// In the order in which one is chosen: those of the file first, then the others by name.
#[utoipa::path(
    get, path = "/api/v1/escalation-policies", operation_id = "list_escalation_policies",
    tag = "escalation policies",
    responses((status = 200, description = "All policies", body = EscalationPolicies))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<EscalationPolicies>> {
    let items = app.engine.read(|tenant, _| {
        let policies = tenant.escalation_policies();
        policies.map(|policy| shown(tenant, policy)).collect::<Vec<_>>()
    });
    Ok(Json(EscalationPolicies { items: items.await? }))
}

/// Show an escalation policy
#[utoipa::path(
    get, path = "/api/v1/escalation-policies/{name}", operation_id = "get_escalation_policy",
    tag = "escalation policies",
    params(("name" = String, Path, description = "The name")),
    responses((status = 200, description = "The policy", body = EscalationPolicy))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<EscalationPolicy>> {
    find(&app, &name).await.map(Json)
}

/// Make or change an escalation policy
///
/// Escalations that are open keep to what it said when they began.
#[utoipa::path(
    put, path = "/api/v1/escalation-policies/{name}", operation_id = "replace_escalation_policy",
    tag = "escalation policies",
    params(("name" = String, Path, description = "The name")),
    request_body = EscalationPolicyDraft,
    responses((status = 200, description = "The policy", body = EscalationPolicy))
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<EscalationPolicyDraft>,
) -> Answer<Json<EscalationPolicy>> {
    let before = known(&app, &name).await?;
    if let Some(before) = &before {
        may_write(&caller, before.team.as_deref())?;
    }
    may_write(&caller, draft.team.as_deref())?;
    let policy = draft.into_policy(&name, before.as_deref()).map_err(Refusal::fields)?;
    change(&app, &caller, PagingChange::SetPolicy(Box::new(policy))).await?;
    find(&app, &name).await.map(Json)
}

/// Remove an escalation policy
///
/// Refused while a receiver names it.
#[utoipa::path(
    delete, path = "/api/v1/escalation-policies/{name}",
    operation_id = "delete_escalation_policy", tag = "escalation policies",
    params(("name" = String, Path, description = "The name")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let before = known(&app, &name).await?.ok_or_else(|| no_policy(&name))?;
    may_write(&caller, before.team.as_deref())?;
    change(&app, &caller, PagingChange::DeletePolicy(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show what is wrong with an escalation policy
///
/// Steps that would page nobody now, people whom nothing reaches, schedules that are not there or
/// will have nobody on call within a week.
#[utoipa::path(
    get, path = "/api/v1/escalation-policies/{name}/notices",
    operation_id = "list_policy_notices", tag = "escalation policies",
    params(("name" = String, Path, description = "The name")),
    responses((status = 200, description = "What is wrong", body = PolicyNotices))
)]
pub(super) async fn notices(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<PolicyNotices>> {
    let asked = name.clone();
    let found = app.engine.read(move |tenant, now| {
        let policy = tenant.escalation_policy(&asked)?;
        Some(tenant.policy_notices(policy, now))
    });
    let found = found.await?.ok_or_else(|| no_policy(&name))?;
    Ok(Json(PolicyNotices { items: found.iter().map(PolicyNotice::from).collect() }))
}

/// Simulate an escalation
///
/// Whom a problem would page, when, by which of their methods and why, if nobody answered. Nothing
/// is sent.
#[utoipa::path(
    post, path = "/api/v1/escalation-policies/simulate", operation_id = "simulate_escalation",
    tag = "escalation policies",
    request_body = SimulationRequest,
    responses((status = 200, description = "What would happen", body = Simulation))
)]
pub(super) async fn simulate(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
    Body(request): Body<SimulationRequest>,
) -> Answer<Json<Simulation>> {
    check_text("/service", &request.service)?;
    let severity = match &request.severity {
        None => Severity::Sev2,
        Some(word) => parse_severity("/severity", word)?,
    };
    let asked = request.policy.clone();
    let found = app.engine.read(move |tenant, now| {
        if let Some(name) = &asked {
            tenant.escalation_policy(name)?;
        }
        let SimulationRequest { service, category, at, .. } = &request;
        let at = at.unwrap_or(now);
        Some(tenant.simulate(service, severity, category, asked.as_deref(), at))
    });
    let found = found.await?.ok_or_else(|| Refusal::field("/policy", "does not exist"))?;
    Ok(Json(Simulation::from(&found)))
}

fn shown(tenant: &Tenant, policy: &domain::EscalationPolicy) -> EscalationPolicy {
    EscalationPolicy::new(policy, tenant.users_of_policy(&policy.name))
}

async fn known(app: &App, name: &str) -> Answer<Option<Arc<domain::EscalationPolicy>>> {
    let name = name.to_owned();
    let read = app.engine.read(move |tenant, _| tenant.escalation_policy(&name).map(Arc::clone));
    Ok(read.await?)
}

async fn find(app: &App, name: &str) -> Answer<EscalationPolicy> {
    let asked = name.to_owned();
    let found = app.engine.read(move |tenant, _| {
        tenant.escalation_policy(&asked).map(|policy| shown(tenant, policy))
    });
    found.await?.ok_or_else(|| no_policy(name))
}

fn no_policy(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no escalation policy `{name}`"))
}

/// Refuses to change a policy of another team.
fn may_write(caller: &Caller, team: Option<&str>) -> Answer<()> {
    let labels = team.map(|team| Labels::from([("team", team)])).unwrap_or_default();
    caller.must(Permission::PolicyWrite, &labels)
}

/// Changes how people are paged, in the name of the caller.
pub(super) async fn change(app: &App, caller: &Caller, change: PagingChange) -> Answer<()> {
    match app.engine.command(Command::Paging(change).by(caller.actor.clone())).await? {
        Reply::Done => Ok(()),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}
