//! What may have to be done before an incident is closed.

use super::{Incident, IncidentSettings};

/// Something that may have to be done before an incident is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Tasks that block are done or given up.
    Tasks,
    /// A postmortem that its severity asks for is published.
    Postmortem,
    /// Every role that its severity asks for was somebody's.
    Roles,
    /// It is said what kind of harm it was.
    Category,
    /// It is said which service it was about.
    Service,
    /// There is a summary.
    Summary,
    /// It is said when harm began and ended.
    Impact,
}

impl Duty {
    /// Returns what is missing, in words for people; `None` when nothing is.
    pub fn missing(self, incident: &Incident, settings: &IncidentSettings) -> Option<String> {
        match self {
            Self::Tasks => {
                let open = |it: &&super::Task| it.is_blocking && !it.status.is_over();
                let open: Vec<String> =
                    incident.tasks.iter().filter(open).map(|it| it.number.to_string()).collect();
                (!open.is_empty()).then(|| match open.len() {
                    1 => format!("task {} is open", open[0]),
                    _ => format!("tasks {} are open", open.join(", ")),
                })
            }
            Self::Postmortem => {
                let is_owed = incident.owes_postmortem(settings);
                is_owed.then(|| "the postmortem is not published".to_owned())
            }
            Self::Roles => {
                let roles = settings.targets(incident.severity).roles.iter().copied();
                let ever = |role| incident.crew.holdings.iter().any(|it| it.role == role);
                let missing: Vec<String> =
                    roles.filter(|role| !ever(*role)).map(super::Role::title).collect();
                let list = missing.join(", ");
                (!missing.is_empty()).then(|| format!("nobody was {list}"))
            }
            Self::Category => incident.category.is_none().then(|| "it has no category".to_owned()),
            Self::Service => {
                incident.service.is_empty().then(|| "it is not said of which service".to_owned())
            }
            Self::Summary => {
                incident.summary.trim().is_empty().then(|| "it has no summary".to_owned())
            }
            Self::Impact => {
                let measure = &incident.measure;
                let is_said =
                    measure.impact_started_at.is_some() && measure.impact_ended_at.is_some();
                (!is_said).then(|| "it is not said when harm began and ended".to_owned())
            }
        }
    }
}
