//! Which permission each route needs: the one place where that is said.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::Method;
use tocsin_core::identity::{Permission as P, Role};

/// What a route asks of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Public,
    /// A key of its own, which the handler checks.
    OwnKey,
    /// That it is known who they are.
    Signed,
    /// To be a person, about whose own account it is.
    MayAsPerson,
    /// A permission for the whole tenant.
    May(P),
    /// A permission for anything at all; the handler shows and changes only what it covers.
    MaySomewhere(P),
}

/// Every route with what it needs. What is not listed is an administrator's.
pub const ROUTES: &[(&str, &str, Need)] = &[
    ("GET", "/", Need::May(P::AlertRead)),
    ("GET", "/favicon.ico", Need::Public),
    ("GET", "/sign-in", Need::Public),
    ("POST", "/sign-in", Need::Public),
    ("GET", "/sign-in/link", Need::Public),
    ("POST", "/sign-in/link", Need::Public),
    ("GET", "/sign-in/provider", Need::Public),
    ("GET", "/sign-in/provider/callback", Need::Public),
    ("POST", "/sign-out", Need::Public),
    ("GET", "/push", Need::MayAsPerson),
    ("GET", "/push/push.js", Need::Public),
    ("GET", "/push/worker.js", Need::Public),
    ("GET", "/push/icon.svg", Need::Public),
    ("GET", "/push/manifest.webmanifest", Need::Public),
    ("GET", "/a/{token}", Need::OwnKey),
    ("POST", "/a/{token}", Need::OwnKey),
    ("POST", "/answers/twilio/sms", Need::OwnKey),
    ("POST", "/answers/twilio/voice", Need::OwnKey),
    ("POST", "/answers/twilio/status", Need::OwnKey),
    ("POST", "/answers/slack/action", Need::OwnKey),
    ("POST", "/answers/slack/command", Need::OwnKey),
    ("POST", "/answers/telegram", Need::OwnKey),
    ("POST", "/answers/mattermost", Need::OwnKey),
    ("GET", "/-/healthy", Need::Public),
    ("GET", "/-/ready", Need::Public),
    ("POST", "/-/reload", Need::May(P::ConfigReload)),
    ("PUT", "/-/reload", Need::May(P::ConfigReload)),
    ("GET", "/metrics", Need::May(P::MetricsRead)),
    ("GET", "/api/v2/status", Need::May(P::StatusRead)),
    ("GET", "/api/v2/receivers", Need::May(P::RoutingRead)),
    ("GET", "/api/v2/alerts", Need::MaySomewhere(P::AlertRead)),
    ("POST", "/api/v2/alerts", Need::May(P::AlertIngest)),
    ("GET", "/api/v2/alerts/groups", Need::May(P::AlertRead)),
    ("GET", "/api/v2/silences", Need::May(P::SilenceRead)),
    ("POST", "/api/v2/silences", Need::MaySomewhere(P::SilenceWrite)),
    ("GET", "/api/v2/silence/{id}", Need::May(P::SilenceRead)),
    ("DELETE", "/api/v2/silence/{id}", Need::MaySomewhere(P::SilenceWrite)),
    ("POST", "/v2/enqueue", Need::OwnKey),
    ("POST", "/v2/change/enqueue", Need::OwnKey),
    ("POST", "/generic/2010-04-15/create_event.json", Need::OwnKey),
    ("GET", "/v2/alerts", Need::OwnKey),
    ("POST", "/v2/alerts", Need::OwnKey),
    ("GET", "/v2/alerts/count", Need::OwnKey),
    ("GET", "/v2/alerts/requests/{request}", Need::OwnKey),
    ("GET", "/v2/alerts/{identifier}", Need::OwnKey),
    ("DELETE", "/v2/alerts/{identifier}", Need::OwnKey),
    ("GET", "/v2/alerts/{identifier}/{verb}", Need::OwnKey),
    ("POST", "/v2/alerts/{identifier}/{verb}", Need::OwnKey),
    ("PUT", "/v2/alerts/{identifier}/{verb}", Need::OwnKey),
    ("PATCH", "/v2/alerts/{identifier}/{verb}", Need::OwnKey),
    ("DELETE", "/v2/alerts/{identifier}/{verb}", Need::OwnKey),
    ("GET", "/v2/heartbeats/{name}/ping", Need::OwnKey),
    ("POST", "/v2/heartbeats/{name}/ping", Need::OwnKey),
    ("PUT", "/v2/heartbeats/{name}/ping", Need::OwnKey),
    ("PATCH", "/v2/heartbeats/{name}/ping", Need::OwnKey),
    ("DELETE", "/v2/heartbeats/{name}/ping", Need::OwnKey),
    ("POST", "/api/v1/hooks", Need::OwnKey),
    ("POST", "/api/v1/hooks/{key}", Need::OwnKey),
    ("POST", "/api/v1/hooks/preview", Need::May(P::AlertIngest)),
    ("GET", "/api/v1/openapi.json", Need::Public),
    ("GET", "/api/v1/alerts", Need::MaySomewhere(P::AlertRead)),
    ("POST", "/api/v1/alerts", Need::May(P::AlertIngest)),
    ("GET", "/api/v1/alerts/{fingerprint}", Need::MaySomewhere(P::AlertRead)),
    ("POST", "/api/v1/alerts/acknowledge", Need::MaySomewhere(P::AlertAcknowledge)),
    ("POST", "/api/v1/alerts/{fingerprint}/acknowledge", Need::MaySomewhere(P::AlertAcknowledge)),
    ("POST", "/api/v1/alerts/unacknowledge", Need::MaySomewhere(P::AlertAcknowledge)),
    ("POST", "/api/v1/alerts/{fingerprint}/unacknowledge", Need::MaySomewhere(P::AlertAcknowledge)),
    ("POST", "/api/v1/alerts/{fingerprint}/notes", Need::MaySomewhere(P::AlertComment)),
    ("GET", "/api/v1/alerts/{fingerprint}/explain", Need::May(P::AlertRead)),
    ("GET", "/api/v1/changes", Need::May(P::ChangeRead)),
    ("POST", "/api/v1/changes", Need::May(P::ChangeRecord)),
    ("GET", "/api/v1/groups", Need::May(P::AlertRead)),
    ("GET", "/api/v1/groups/{number}", Need::May(P::AlertRead)),
    ("GET", "/api/v1/silences", Need::May(P::SilenceRead)),
    ("POST", "/api/v1/silences", Need::MaySomewhere(P::SilenceWrite)),
    ("POST", "/api/v1/silences/preview", Need::May(P::SilenceRead)),
    ("GET", "/api/v1/silences/{id}", Need::May(P::SilenceRead)),
    ("PUT", "/api/v1/silences/{id}", Need::MaySomewhere(P::SilenceWrite)),
    ("DELETE", "/api/v1/silences/{id}", Need::MaySomewhere(P::SilenceWrite)),
    ("GET", "/api/v1/maintenance-windows", Need::May(P::MaintenanceRead)),
    ("POST", "/api/v1/maintenance-windows", Need::May(P::MaintenanceWrite)),
    ("GET", "/api/v1/maintenance-windows/{name}", Need::May(P::MaintenanceRead)),
    ("PUT", "/api/v1/maintenance-windows/{name}", Need::May(P::MaintenanceWrite)),
    ("DELETE", "/api/v1/maintenance-windows/{name}", Need::May(P::MaintenanceWrite)),
    ("GET", "/api/v1/receivers", Need::May(P::RoutingRead)),
    ("POST", "/api/v1/receivers/{name}/test", Need::May(P::ReceiverTest)),
    ("GET", "/api/v1/routes", Need::May(P::RoutingRead)),
    ("POST", "/api/v1/routes/test", Need::May(P::RoutingRead)),
    ("GET", "/api/v1/notifications", Need::May(P::NotificationRead)),
    ("GET", "/api/v1/events", Need::May(P::EventRead)),
    ("GET", "/api/v1/stream", Need::May(P::EventRead)),
    ("GET", "/api/v1/status", Need::May(P::StatusRead)),
    ("GET", "/api/v1/me", Need::Signed),
    ("GET", "/api/v1/me/shifts", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/people/{handle}/shifts", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/session", Need::Public),
    ("DELETE", "/api/v1/session", Need::Public),
    ("POST", "/api/v1/session/link", Need::Public),
    ("GET", "/api/v1/sessions", Need::MayAsPerson),
    ("DELETE", "/api/v1/sessions", Need::MayAsPerson),
    ("POST", "/api/v1/account/password", Need::MayAsPerson),
    ("POST", "/api/v1/account/second-factor", Need::MayAsPerson),
    ("DELETE", "/api/v1/account/second-factor", Need::MayAsPerson),
    ("POST", "/api/v1/account/second-factor/confirm", Need::MayAsPerson),
    ("GET", "/api/v1/people", Need::May(P::PeopleRead)),
    ("POST", "/api/v1/people", Need::May(P::PeopleWrite)),
    ("GET", "/api/v1/people/{handle}", Need::May(P::PeopleRead)),
    ("PUT", "/api/v1/people/{handle}", Need::May(P::PeopleWrite)),
    ("GET", "/api/v1/people/{handle}/owned", Need::May(P::PeopleRead)),
    ("POST", "/api/v1/people/{handle}/deactivate", Need::May(P::PeopleWrite)),
    ("POST", "/api/v1/people/{handle}/reactivate", Need::May(P::PeopleWrite)),
    ("POST", "/api/v1/people/{handle}/sign-in-link", Need::May(P::PeopleWrite)),
    ("GET", "/api/v1/people/{handle}/contacts", Need::Signed),
    ("PUT", "/api/v1/people/{handle}/contacts/{id}", Need::Signed),
    ("DELETE", "/api/v1/people/{handle}/contacts/{id}", Need::Signed),
    ("POST", "/api/v1/people/{handle}/contacts/{id}/verify", Need::Signed),
    ("POST", "/api/v1/people/{handle}/contacts/{id}/confirm", Need::Signed),
    ("POST", "/api/v1/people/{handle}/contacts/{id}/test", Need::Signed),
    ("PUT", "/api/v1/people/{handle}/notification-rules", Need::Signed),
    ("GET", "/api/v1/people/{handle}/why", Need::Signed),
    ("GET", "/api/v1/escalations", Need::MaySomewhere(P::EscalationRead)),
    ("POST", "/api/v1/escalations", Need::MaySomewhere(P::EscalationPage)),
    ("GET", "/api/v1/escalations/audit", Need::May(P::EventRead)),
    ("GET", "/api/v1/escalations/{number}", Need::MaySomewhere(P::EscalationRead)),
    ("GET", "/api/v1/escalations/{number}/events", Need::MaySomewhere(P::EscalationRead)),
    ("POST", "/api/v1/escalations/{number}/acknowledge", Need::MaySomewhere(P::EscalationAnswer)),
    ("POST", "/api/v1/escalations/{number}/unacknowledge", Need::MaySomewhere(P::EscalationAnswer)),
    ("POST", "/api/v1/escalations/{number}/escalate", Need::MaySomewhere(P::EscalationAnswer)),
    ("POST", "/api/v1/escalations/{number}/resolve", Need::MaySomewhere(P::EscalationAnswer)),
    ("POST", "/api/v1/escalations/{number}/snooze", Need::MaySomewhere(P::EscalationAnswer)),
    ("GET", "/api/v1/incidents", Need::MaySomewhere(P::IncidentRead)),
    ("POST", "/api/v1/incidents", Need::MaySomewhere(P::IncidentCreate)),
    ("GET", "/api/v1/incidents/message-templates", Need::MaySomewhere(P::IncidentRead)),
    ("POST", "/api/v1/incidents/{incident}/updates", Need::MaySomewhere(P::IncidentRead)),
    ("POST", "/api/v1/incidents/{incident}/updates/preview", Need::MaySomewhere(P::IncidentRead)),
    ("GET", "/api/v1/incidents/metrics", Need::MaySomewhere(P::IncidentRead)),
    ("GET", "/api/v1/incidents/{incident}", Need::MaySomewhere(P::IncidentRead)),
    ("PATCH", "/api/v1/incidents/{incident}", Need::MaySomewhere(P::IncidentTransition)),
    ("POST", "/api/v1/incidents/{incident}/acknowledge", Need::MaySomewhere(P::IncidentTransition)),
    (
        "POST",
        "/api/v1/incidents/{incident}/unacknowledge",
        Need::MaySomewhere(P::IncidentTransition),
    ),
    ("POST", "/api/v1/incidents/{incident}/transition", Need::MaySomewhere(P::IncidentTransition)),
    ("POST", "/api/v1/incidents/{incident}/resolve", Need::MaySomewhere(P::IncidentResolve)),
    ("POST", "/api/v1/incidents/{incident}/reopen", Need::MaySomewhere(P::IncidentRead)),
    ("POST", "/api/v1/incidents/{incident}/close", Need::MaySomewhere(P::IncidentResolve)),
    ("POST", "/api/v1/incidents/{incident}/severity", Need::MaySomewhere(P::IncidentSeverity)),
    ("POST", "/api/v1/incidents/{incident}/assign", Need::MaySomewhere(P::IncidentRole)),
    ("POST", "/api/v1/incidents/{incident}/comments", Need::MaySomewhere(P::IncidentComment)),
    ("POST", "/api/v1/incidents/{incident}/roles", Need::MaySomewhere(P::IncidentRole)),
    ("POST", "/api/v1/incidents/{incident}/join", Need::MaySomewhere(P::IncidentComment)),
    ("POST", "/api/v1/incidents/{incident}/leave", Need::MaySomewhere(P::IncidentComment)),
    ("POST", "/api/v1/incidents/{incident}/handover", Need::MaySomewhere(P::IncidentRole)),
    ("POST", "/api/v1/incidents/{incident}/responders", Need::MaySomewhere(P::IncidentRole)),
    (
        "POST",
        "/api/v1/incidents/{incident}/responders/{number}/answer",
        Need::MaySomewhere(P::IncidentComment),
    ),
    ("POST", "/api/v1/incidents/{incident}/subscribe", Need::MaySomewhere(P::IncidentRead)),
    ("POST", "/api/v1/incidents/{incident}/unsubscribe", Need::MaySomewhere(P::IncidentRead)),
    ("POST", "/api/v1/incidents/{incident}/merge", Need::MaySomewhere(P::IncidentMerge)),
    ("POST", "/api/v1/incidents/{incident}/unmerge", Need::MaySomewhere(P::IncidentMerge)),
    ("POST", "/api/v1/incidents/{incident}/split", Need::MaySomewhere(P::IncidentMerge)),
    ("POST", "/api/v1/incidents/{incident}/duplicate", Need::MaySomewhere(P::IncidentMerge)),
    ("POST", "/api/v1/incidents/{incident}/link", Need::MaySomewhere(P::IncidentMerge)),
    ("POST", "/api/v1/incidents/{incident}/unlink", Need::MaySomewhere(P::IncidentMerge)),
    ("POST", "/api/v1/incidents/{incident}/resolve-all", Need::MaySomewhere(P::IncidentResolve)),
    ("POST", "/api/v1/incidents/{incident}/tasks", Need::MaySomewhere(P::IncidentComment)),
    (
        "PATCH",
        "/api/v1/incidents/{incident}/tasks/{number}",
        Need::MaySomewhere(P::IncidentComment),
    ),
    ("POST", "/api/v1/incidents/{incident}/restrict", Need::MaySomewhere(P::IncidentRole)),
    ("POST", "/api/v1/incidents/{incident}/unrestrict", Need::MaySomewhere(P::IncidentRole)),
    (
        "POST",
        "/api/v1/incidents/{incident}/timeline/import",
        Need::MaySomewhere(P::IncidentComment),
    ),
    (
        "PATCH",
        "/api/v1/incidents/{incident}/timeline/{number}",
        Need::MaySomewhere(P::IncidentComment),
    ),
    (
        "POST",
        "/api/v1/incidents/{incident}/timeline/{number}/revise",
        Need::MaySomewhere(P::IncidentComment),
    ),
    (
        "POST",
        "/api/v1/incidents/{incident}/timeline/{number}/redact",
        Need::MaySomewhere(P::IncidentEditTime),
    ),
    ("GET", "/api/v1/incidents/{incident}/timeline", Need::MaySomewhere(P::IncidentRead)),
    ("GET", "/api/v1/incidents/{incident}/timeline/export", Need::MaySomewhere(P::IncidentRead)),
    ("GET", "/api/v1/escalation-policies", Need::May(P::EscalationRead)),
    ("POST", "/api/v1/escalation-policies/simulate", Need::May(P::EscalationRead)),
    ("GET", "/api/v1/escalation-policies/{name}", Need::May(P::EscalationRead)),
    ("PUT", "/api/v1/escalation-policies/{name}", Need::MaySomewhere(P::PolicyWrite)),
    ("DELETE", "/api/v1/escalation-policies/{name}", Need::MaySomewhere(P::PolicyWrite)),
    ("GET", "/api/v1/escalation-policies/{name}/notices", Need::May(P::EscalationRead)),
    ("GET", "/api/v1/pages", Need::May(P::NotificationRead)),
    ("GET", "/api/v1/pages/history", Need::May(P::NotificationRead)),
    ("GET", "/api/v1/heartbeats", Need::May(P::HeartbeatRead)),
    ("GET", "/api/v1/heartbeats/{name}/ping", Need::OwnKey),
    ("POST", "/api/v1/heartbeats/{name}/ping", Need::OwnKey),
    ("GET", "/api/v1/teams", Need::May(P::PeopleRead)),
    ("GET", "/api/v1/teams/{name}", Need::May(P::PeopleRead)),
    ("PUT", "/api/v1/teams/{name}", Need::MaySomewhere(P::TeamWrite)),
    ("DELETE", "/api/v1/teams/{name}", Need::MaySomewhere(P::TeamWrite)),
    ("GET", "/api/v1/secrets", Need::May(P::SecretWrite)),
    ("PUT", "/api/v1/secrets/{name}", Need::May(P::SecretWrite)),
    ("DELETE", "/api/v1/secrets/{name}", Need::May(P::SecretWrite)),
    ("GET", "/api/v1/oncall", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/schedules", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules", Need::MaySomewhere(P::ScheduleWrite)),
    ("GET", "/api/v1/schedules/{name}", Need::May(P::ScheduleRead)),
    ("PUT", "/api/v1/schedules/{name}", Need::MaySomewhere(P::ScheduleWrite)),
    ("DELETE", "/api/v1/schedules/{name}", Need::MaySomewhere(P::ScheduleWrite)),
    ("GET", "/api/v1/schedules/{name}/now", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules/{name}/preview", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/schedules/{name}/final", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/schedules/{name}/gaps", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/schedules/{name}/quality", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/schedules/{name}/report", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules/{name}/corrections", Need::MaySomewhere(P::ScheduleCorrect)),
    ("GET", "/api/v1/schedules/{name}/overrides", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules/{name}/overrides", Need::MaySomewhere(P::ScheduleOverride)),
    ("DELETE", "/api/v1/schedules/{name}/overrides/{id}", Need::MaySomewhere(P::ScheduleOverride)),
    ("GET", "/api/v1/schedules/{name}/blocks", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules/{name}/blocks", Need::MaySomewhere(P::ScheduleWrite)),
    ("DELETE", "/api/v1/schedules/{name}/blocks/{id}", Need::MaySomewhere(P::ScheduleWrite)),
    ("GET", "/api/v1/schedules/{name}/swaps", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules/{name}/swaps", Need::MaySomewhere(P::ScheduleOwn)),
    ("POST", "/api/v1/schedules/{name}/swaps/{id}/take", Need::MaySomewhere(P::ScheduleOwn)),
    ("POST", "/api/v1/schedules/{name}/swaps/{id}/decline", Need::MaySomewhere(P::ScheduleOwn)),
    ("DELETE", "/api/v1/schedules/{name}/swaps/{id}", Need::MaySomewhere(P::ScheduleOwn)),
    ("GET", "/api/v1/unavailability", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/unavailability", Need::MaySomewhere(P::ScheduleOwn)),
    ("DELETE", "/api/v1/unavailability/{id}", Need::MaySomewhere(P::ScheduleOwn)),
    ("GET", "/api/v1/schedules/{name}/imports", Need::May(P::ScheduleRead)),
    ("GET", "/api/v1/schedules/{name}/imports/{import}", Need::May(P::ScheduleRead)),
    ("POST", "/api/v1/schedules/{name}/imports/{import}", Need::MaySomewhere(P::ScheduleWrite)),
    (
        "POST",
        "/api/v1/schedules/{name}/imports/{import}/refresh",
        Need::MaySomewhere(P::ScheduleWrite),
    ),
    ("POST", "/api/v1/schedules/{name}/calendar-token", Need::MaySomewhere(P::ScheduleOverride)),
    ("POST", "/api/v1/people/{handle}/calendar-token", Need::MaySomewhere(P::ScheduleOwn)),
    ("DELETE", "/api/v1/calendar-tokens/{id}", Need::MaySomewhere(P::ScheduleOwn)),
    ("GET", "/api/v1/schedules/{name}/calendar.ics", Need::OwnKey),
    ("GET", "/api/v1/people/{handle}/calendar.ics", Need::OwnKey),
    ("GET", "/api/v1/tokens", Need::Signed),
    ("POST", "/api/v1/tokens", Need::Signed),
    ("DELETE", "/api/v1/tokens/{id}", Need::Signed),
    ("GET", "/api/v1/audit", Need::May(P::AuditRead)),
    ("GET", "/api/v1/audit/verify", Need::May(P::AuditRead)),
    ("GET", "/api/v1/audit/export", Need::May(P::AuditRead)),
];

static BY_ROUTE: LazyLock<HashMap<(&str, &str), Need>> =
    LazyLock::new(|| ROUTES.iter().map(|(method, path, need)| ((*method, *path), *need)).collect());

/// Returns what a route needs; `path` as the router knows it, `None` for one that does not exist.
pub(super) fn need(method: &Method, path: Option<&str>) -> Need {
    // That there is nothing may be told to everybody.
    let Some(path) = path else { return Need::Public };
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    // What a browser asks beforehand is answered without looking at anything.
    let method = match *method {
        Method::HEAD => "GET",
        Method::OPTIONS => return Need::Public,
        _ => method.as_str(),
    };
    let known = BY_ROUTE.get(&(method, path)).copied();
    known.unwrap_or(Need::May(P::SecretWrite))
}

/// Returns the table of routes, permissions and roles for the manual.
pub fn permissions_markdown() -> String {
    let mut page = String::from(
        "# Permissions\n\nGenerated from the table that the server itself goes by. \
         [Who is let in](access.md) explains roles and scopes. What no route of the table needs yet \
         is there so that tokens and roles need not be made anew.\n\n",
    );
    page.push_str("| permission | allows | roles |\n|---|---|---|\n");
    for permission in P::ALL {
        let roles = Role::ALL.into_iter().filter(|role| role.permissions().contains(*permission));
        let roles: Vec<_> = roles.map(Role::as_str).collect();
        let meaning = permission.meaning();
        let _ = writeln!(page, "| `{permission}` | {meaning} | {} |", roles.join(", "));
    }
    page.push_str("\n| route | needs |\n|---|---|\n");
    for (method, path, need) in ROUTES {
        let need = match need {
            Need::Public => "nothing".to_owned(),
            Need::OwnKey => "the key of an integration".to_owned(),
            Need::Signed => "to be known".to_owned(),
            Need::MayAsPerson => "to be a person".to_owned(),
            Need::May(permission) => format!("`{permission}`"),
            Need::MaySomewhere(permission) => {
                format!("`{permission}`, at least for a team or a service")
            }
        };
        let _ = writeln!(page, "| `{method} {path}` | {need} |");
    }
    page
}
