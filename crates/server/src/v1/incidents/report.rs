//! What many incidents say together.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::identity::Permission;
use tocsin_core::incident::{self, CustomMeasure, MAX_CUSTOM_MEASURES, ReportSpec, SeverityTable};
use tocsin_store::{IncidentQuery, MAX_INCIDENTS_PER_QUERY};
use tocsin_wire::v1::{
    IncidentCategory, IncidentGroupBy, IncidentReport, IncidentReportGroup, incident_report_csv,
};

use super::super::params::{Ask, FromQuery, Params, invalid};
use super::super::problem::Answer;
use super::{facets, sees, severities};
use crate::App;
use crate::access::Caller;

/// The most incidents that one report reads, the newest, whoever may see them.
const MAX_INCIDENTS: usize = 20_000;

/// How far back a report goes that names no beginning.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReportFormat {
    /// For programs.
    #[default]
    Json,
    /// For tables.
    Csv,
}

/// What a report is about.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// By what incidents are put together.
    #[param(inline, required = false)]
    by: Option<IncidentGroupBy>,
    /// Only those that were detected not earlier than this; thirty days ago when left out.
    from: Option<Timestamp>,
    /// Only those that were detected earlier than this; now when left out.
    to: Option<Timestamp>,
    /// Whose days, weeks and months, as in `Europe/Berlin`; UTC when left out.
    zone: Option<String>,
    /// A measure between two moments, as in `detected..identified`; may be repeated.
    #[param(required = false)]
    measure: Vec<String>,
    /// Only those of this severity; may be repeated.
    #[param(required = false)]
    severity: Vec<String>,
    /// Only those of this service.
    service: Option<String>,
    /// Only those of this kind of harm.
    #[param(inline, required = false)]
    category: Option<IncidentCategory>,
    /// Only those with this label `team`.
    team: Option<String>,
    /// `json`, or `csv` for one line for each group and measure; `json` when left out.
    #[param(inline, required = false)]
    format: Option<ReportFormat>,
    /// Whether tests, drills, false positives, duplicates, merged and cancelled ones count, too, and
    /// those written down afterwards of which nobody said when they ended.
    #[param(required = false)]
    all: Option<bool>,
}

impl FromQuery for ReportQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            by: params.choice("by")?,
            from: params.instant("from")?,
            to: params.instant("to")?,
            zone: params.text("zone")?,
            measure: params.many("measure"),
            severity: params.many("severity"),
            service: params.text("service")?,
            category: params.choice("category")?,
            team: params.text("team")?,
            format: params.choice("format")?,
            all: params.parsed("all", "`true` or `false`")?,
        })
    }
}

impl ReportQuery {
    fn spec(&self, severities: SeverityTable) -> Answer<ReportSpec> {
        if self.measure.len() > MAX_CUSTOM_MEASURES {
            let why = format!("may be repeated {MAX_CUSTOM_MEASURES} times");
            return Err(invalid("measure", why));
        }
        let measures = self.measure.iter().map(|text| CustomMeasure::parse(text));
        let zone = self.zone.as_deref().map(TimeZone::get).transpose();
        Ok(ReportSpec {
            by: self.by.unwrap_or_default().into(),
            zone: zone.map_err(|_| invalid("zone", "is no time zone as in `Europe/Berlin`"))?,
            measures: measures.collect::<Result<_, _>>().map_err(|why| invalid("measure", why))?,
            severities,
            counts_all: self.all.unwrap_or(false),
        })
    }

    fn asked(&self, now: Timestamp) -> Answer<(Timestamp, Timestamp, IncidentQuery)> {
        let to = self.to.unwrap_or(now);
        let usual = || to.checked_sub(USUAL_SPAN).unwrap_or(Timestamp::MIN);
        let from = self.from.unwrap_or_else(usual);
        if from >= to {
            return Err(invalid("from", "must be earlier than `to`"));
        }
        let query = IncidentQuery {
            severities: severities(&self.severity)?,
            service: self.service.clone(),
            facets: facets(self.category, self.team.as_deref()),
            from: Some(from),
            to: self.to,
            limit: MAX_INCIDENTS_PER_QUERY,
            ..IncidentQuery::default()
        };
        Ok((from, to, query))
    }
}

/// Returns what a report tells of an incident: nothing where the caller may see none like it, and no
/// word of what it is about where they may not see this one. Whoever asks for what it is about does
/// not learn that it is there.
fn told_of(
    app: &App,
    caller: &Caller,
    it: incident::Incident,
    is_narrowed: bool,
) -> Option<incident::Incident> {
    if sees(app, caller, &it) {
        return Some(it);
    }
    let may = caller.may(Permission::IncidentRead, &it.labels);
    (may && !is_narrowed).then(|| incident::Incident {
        owner: None,
        service: Default::default(),
        labels: Default::default(),
        category: None,
        ..it
    })
}

/// Say how long incidents took
///
/// Counts incidents by when they were detected. Each measure tells how many values it has and how
/// many are not known; what is not known is never counted as nothing. Restricted ones count without a
/// word about them.
#[utoipa::path(
    get, path = "/api/v1/incidents/metrics", operation_id = "report_incidents", tag = "incidents",
    params(ReportQuery),
    responses((status = 200, description = "The report", body = IncidentReport))
)]
pub(in super::super) async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<ReportQuery>,
) -> Answer<Response> {
    let table = app.engine.read(|tenant, _| tenant.policy().incidents.severities.clone()).await?;
    let spec = query.spec(table)?;
    let now = app.engine.now();
    let (from, to, mut asked) = query.asked(now)?;
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut found = Vec::new();
    let (mut read, mut is_cut) = (0, false);
    loop {
        let page = store.incidents(tenant, asked.clone()).await?;
        let is_last = page.len() < asked.limit;
        asked.before = page.last().map(|it| it.number);
        read += page.len();
        // Few may read what a restricted one is about; that there was one is no secret, and no word of
        // it is told here.
        let is_narrowed = asked.service.is_some() || !asked.facets.is_empty();
        found.extend(page.into_iter().filter_map(|it| told_of(&app, &caller, it, is_narrowed)));
        if is_last {
            break;
        }
        if read >= MAX_INCIDENTS {
            is_cut = true;
            break;
        }
    }
    let told = incident::report(&found, &spec, now);
    let report = IncidentReport {
        from,
        to,
        by: query.by.unwrap_or_default(),
        groups: told.groups.iter().map(IncidentReportGroup::new).collect(),
        left_out: told.left_out,
        is_cut,
    };
    Ok(match query.format.unwrap_or_default() {
        ReportFormat::Json => Json(report).into_response(),
        ReportFormat::Csv => {
            let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
            (kind, incident_report_csv(&report)).into_response()
        }
    })
}
