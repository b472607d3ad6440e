//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Alert, Change, Escalation, Event, Group, Incident, MaintenanceWindow, Notification, Receiver,
    Silence,
};

macro_rules! page {
    ($(#[$doc:meta])* $name:ident of $item:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $name {
            /// The entries of this page.
            pub items: Vec<$item>,
            /// What to give as `cursor` to get the next page; absent on the last one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub next_cursor: Option<String>,
        }
    };
}

page! {
    /// A page of alerts, ascending by fingerprint.
    AlertPage of Alert
}
page! {
    /// A page of groups, ascending by number.
    GroupPage of Group
}
page! {
    /// A page of changes, the newest first.
    ChangePage of Change
}
page! {
    /// A page of silences, the newest first.
    SilencePage of Silence
}
page! {
    /// A page of maintenance windows, ascending by name.
    MaintenanceWindowPage of MaintenanceWindow
}
page! {
    /// A page of receivers, ascending by name.
    ReceiverPage of Receiver
}
page! {
    /// A page of unsent notifications, ascending by number.
    NotificationPage of Notification
}
page! {
    /// A page of events, the newest first.
    EventPage of Event
}
page! {
    /// A page of escalations, the newest first.
    EscalationPage of Escalation
}
page! {
    /// A page of incidents, the newest first.
    IncidentPage of Incident
}
