//! How a person is reached.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use tocsin_core::paging::{
    Channel, Contacts, Method, MethodId, QuietHours, Rule, Rules, Verification,
};
use utoipa::ToSchema;

use super::FieldError;

/// How a person can be reached, and how they want to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonContacts {
    /// Ways to reach them, the preferred first.
    pub methods: Vec<ContactMethod>,
    /// When which is used.
    pub rules: NotificationRules,
}

/// A way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactMethod {
    /// Its name, for rules.
    #[schema(example = "phone")]
    pub id: String,
    /// What it is, such as `sms`.
    pub channel: String,
    /// Where it leads; only the person and those who may change people see all of it.
    #[schema(example = "+4915112345678")]
    pub address: String,
    /// Whether parts of the address are left out.
    pub is_masked: bool,
    /// `unverified`, `pending` or `verified`.
    #[schema(example = "verified")]
    pub verification: String,
    /// When the code that was sent ends; absent when none is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_ends_at: Option<Timestamp>,
    /// Whether it comes from the configuration file, and is changed there only.
    pub is_provisioned: bool,
    /// Whether the person wants no messages there, as by answering STOP.
    pub is_stopped: bool,
    /// Whether pages may go there.
    pub is_usable: bool,
}

/// A contact method as it is made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a contact method: an object")]
pub struct ContactMethodDraft {
    /// What it is: `email`, `sms`, `voice`, `slack`, `ntfy`, …
    pub channel: String,
    /// Where it leads.
    pub address: String,
}

impl ContactMethodDraft {
    /// Returns the channel.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn channel(&self) -> Result<Channel, FieldError> {
        Channel::from_word(&self.channel).ok_or_else(|| {
            let all: Vec<_> = Channel::ALL.into_iter().map(Channel::as_str).collect();
            FieldError::at("/channel", format!("is none of {}", all.join(", ")))
        })
    }
}

/// The code that was sent to an address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `code`")]
pub struct ContactCode {
    /// Six digits.
    #[schema(example = "123456")]
    pub code: String,
}

/// When a person is reached by which method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "rules: an object")]
pub struct NotificationRules {
    /// For what is urgent; empty means all methods, a minute apart.
    #[serde(default)]
    pub high: Vec<NotificationRule>,
    /// For everything else; empty means all methods, ten minutes apart.
    #[serde(default)]
    pub low: Vec<NotificationRule>,
    /// When nothing that is not urgent goes out, where the person lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietTime>,
    /// Whether the person hears when somebody else took over or it ended.
    #[serde(default)]
    pub wants_updates: bool,
}

/// Some time after somebody is paged, one of their methods is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationRule {
    /// How long after.
    #[serde(default)]
    pub after_seconds: u32,
    /// The name of the method.
    pub method: String,
}

/// A part of the day in which a person is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietTime {
    /// First minute.
    #[schema(example = "22:00")]
    pub from: String,
    /// The minute after the last; not later than `from` means the next day.
    #[schema(example = "07:00")]
    pub to: String,
    /// The days on which it begins, Monday is 1; empty means every day.
    #[serde(default)]
    pub weekdays: Vec<u8>,
}

impl PersonContacts {
    /// Returns how a person is reached; `is_masked` when the reader may not see addresses.
    pub fn new(contacts: &Contacts, is_masked: bool) -> Self {
        Self {
            methods: contacts
                .methods
                .iter()
                .map(|method| ContactMethod::new(method, is_masked))
                .collect(),
            rules: NotificationRules::from(&contacts.rules),
        }
    }
}

impl ContactMethod {
    /// Returns a method; `is_masked` when the reader may not see where it leads.
    pub fn new(method: &Method, is_masked: bool) -> Self {
        let (verification, code_ends_at) = match &method.verification {
            Verification::Unverified => ("unverified", None),
            Verification::Pending(pending) => ("pending", Some(pending.expires_at)),
            Verification::Verified { .. } => ("verified", None),
        };
        let address = &method.address;
        Self {
            id: method.id.to_string(),
            channel: method.channel.to_string(),
            address: if is_masked { masked(method.channel, address) } else { address.clone() },
            is_masked,
            verification: verification.to_owned(),
            code_ends_at,
            is_provisioned: method.is_provisioned,
            is_stopped: method.is_stopped,
            is_usable: method.is_usable(),
        }
    }
}

/// Returns as much of an address as tells its owner which one it is.
fn masked(channel: Channel, address: &str) -> String {
    match channel {
        Channel::Sms | Channel::Voice => {
            let count = address.chars().count();
            let last: String = address.chars().skip(count.saturating_sub(2)).collect();
            format!("…{last}")
        }
        Channel::Email => match address.split_once('@') {
            Some((name, host)) => {
                let first: String = name.chars().take(1).collect();
                format!("{first}…@{host}")
            }
            None => "…".to_owned(),
        },
        _ => "…".to_owned(),
    }
}

impl From<&Rules> for NotificationRules {
    fn from(rules: &Rules) -> Self {
        let shown = |rules: &[Rule]| {
            let shown = rules.iter().map(|rule| NotificationRule {
                after_seconds: rule.after_seconds,
                method: rule.method.to_string(),
            });
            shown.collect()
        };
        let quiet_hours = rules.quiet_hours.as_ref().map(|quiet| QuietTime {
            from: quiet.from.strftime("%H:%M").to_string(),
            to: quiet.to.strftime("%H:%M").to_string(),
            weekdays: quiet.weekdays.clone(),
        });
        Self {
            high: shown(&rules.high),
            low: shown(&rules.low),
            quiet_hours,
            wants_updates: rules.wants_updates,
        }
    }
}

impl NotificationRules {
    /// Returns the rules.
    ///
    /// # Errors
    /// The fields that make no sense.
    pub fn into_rules(self) -> Result<Rules, Vec<FieldError>> {
        let mut errors = Vec::new();
        let high = read_rules(&self.high, "high", &mut errors);
        let low = read_rules(&self.low, "low", &mut errors);
        let quiet_hours = self.quiet_hours.map(|quiet| {
            let mut time = |text: &str, field: &str| {
                let time = Time::strptime("%H:%M", text);
                time.unwrap_or_else(|_| {
                    let place = format!("/quiet_hours/{field}");
                    errors.push(FieldError::at(place, "is no time of day such as 22:00"));
                    Time::midnight()
                })
            };
            let (from, to) = (time(&quiet.from, "from"), time(&quiet.to, "to"));
            if quiet.weekdays.iter().any(|day| !(1..=7).contains(day)) {
                let why = "are numbers from 1 (Monday) to 7";
                errors.push(FieldError::at("/quiet_hours/weekdays", why));
            }
            QuietHours { from, to, weekdays: quiet.weekdays }
        });
        if errors.is_empty() {
            return Ok(Rules { high, low, quiet_hours, wants_updates: self.wants_updates });
        }
        Err(errors)
    }
}

fn read_rules(rules: &[NotificationRule], field: &str, errors: &mut Vec<FieldError>) -> Vec<Rule> {
    let mut read = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        match MethodId::parse(&rule.method) {
            Ok(method) => read.push(Rule { after_seconds: rule.after_seconds, method }),
            Err(why) => {
                errors.push(FieldError::at(format!("/{field}/{index}/method"), why.to_string()));
            }
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_tells_its_owner_which_one_it_is() {
        assert_eq!(masked(Channel::Sms, "+4915112345678"), "…78");
        assert_eq!(masked(Channel::Email, "ada@example.org"), "a…@example.org");
        assert_eq!(masked(Channel::Webhook, "https://example.org/secret"), "…");
    }

    #[test]
    fn rules_are_read_back_as_they_are_shown() {
        let rules = NotificationRules {
            high: vec![NotificationRule { after_seconds: 60, method: "phone".to_owned() }],
            quiet_hours: Some(QuietTime {
                from: "22:00".to_owned(),
                to: "07:30".to_owned(),
                weekdays: vec![6, 7],
            }),
            wants_updates: true,
            ..NotificationRules::default()
        };
        assert_eq!(NotificationRules::from(&rules.clone().into_rules().unwrap()), rules);
        let bad = NotificationRules {
            low: vec![NotificationRule { after_seconds: 0, method: "My Phone".to_owned() }],
            quiet_hours: Some(QuietTime {
                from: "25:00".to_owned(),
                to: "07:30".to_owned(),
                weekdays: vec![8],
            }),
            ..NotificationRules::default()
        };
        let errors = bad.into_rules().unwrap_err();
        let places: Vec<_> = errors.iter().filter_map(|it| it.pointer.as_deref()).collect();
        assert_eq!(places, ["/low/0/method", "/quiet_hours/from", "/quiet_hours/weekdays"]);
    }
}
