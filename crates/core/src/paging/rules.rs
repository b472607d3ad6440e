//! When a person is reached on which of their methods.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::contact::{Contacts, Method, MethodId};

/// The most rules one person has for one urgency.
pub const MAX_RULES_PER_PERSON: usize = 15;

/// How long the usual rules wait between one method and the next when it is urgent.
const URGENT_GAP: SignedDuration = SignedDuration::from_mins(1);

/// How long the usual rules wait between one method and the next when it is not.
const CALM_GAP: SignedDuration = SignedDuration::from_mins(10);

/// Whether somebody may be woken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Whatever it takes, at any hour.
    High,
    /// As the person likes, and not in their quiet hours.
    Low,
}

impl Urgency {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// Some time after somebody is paged, one of their methods is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// How long after, in seconds.
    pub after_seconds: u32,
    /// Which method.
    pub method: MethodId,
}

/// A person's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// For what is urgent; the usual ones when empty.
    #[serde(default)]
    pub high: Vec<Rule>,
    /// For everything else; the usual ones when empty.
    #[serde(default)]
    pub low: Vec<Rule>,
    /// When nothing that is not urgent goes out.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
    /// Whether the person wants to hear when somebody else took over or it ended.
    #[serde(default)]
    pub wants_updates: bool,
}

/// A part of the day in which a person is left alone, in their own zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First minute.
    pub from: Time,
    /// The minute after the last; not later than `from` means the next day.
    pub to: Time,
    /// The days on which it begins; empty means every day.
    #[serde(default)]
    pub weekdays: Vec<u8>,
}

impl QuietHours {
    /// Returns when the quiet hours end that `at` lies in; `None` when it lies in none.
    pub fn end_of(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = at.to_zoned(zone.clone());
        // The one that began yesterday may go on.
        [local.date().yesterday().ok(), Some(local.date())].into_iter().flatten().find_map(|day| {
            if !self.weekdays.is_empty() && !self.weekdays.contains(&number_of(day.weekday())) {
                return None;
            }
            let last = if self.to > self.from { day } else { day.tomorrow().ok()? };
            let start = resolve(zone, day.to_datetime(self.from))?;
            let end = resolve(zone, last.to_datetime(self.to))?;
            (start <= at && at < end).then_some(end)
        })
    }
}

/// Returns the ISO number of a weekday: Monday is 1.
fn number_of(weekday: Weekday) -> u8 {
    u8::try_from(weekday.to_monday_one_offset()).unwrap_or(1)
}

/// Returns the instant of a local time: the first when there are two, the first after a gap.
fn resolve(zone: &TimeZone, local: jiff::civil::DateTime) -> Option<Timestamp> {
    let zoned: Zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
    Some(zoned.timestamp())
}

impl Rules {
    /// Returns which methods are used how long after somebody is paged, in order. Rules that name
    /// a method which cannot be used are left out; a person whose rules come to nothing is reached
    /// by the usual ones: all methods in order, a minute or ten apart.
    pub fn plan<'c>(
        &self,
        contacts: &'c Contacts,
        urgency: Urgency,
    ) -> Vec<(SignedDuration, &'c Method)> {
        let own = match urgency {
            Urgency::High => &self.high,
            Urgency::Low => &self.low,
        };
        let mut plan: Vec<_> = own
            .iter()
            .take(MAX_RULES_PER_PERSON)
            .filter_map(|rule| {
                let method = contacts.method(&rule.method).filter(|method| method.is_usable())?;
                Some((SignedDuration::from_secs(rule.after_seconds.into()), method))
            })
            .collect();
        if plan.is_empty() {
            let gap = if urgency == Urgency::High { URGENT_GAP } else { CALM_GAP };
            let mut after = SignedDuration::ZERO;
            for method in contacts.usable() {
                plan.push((after, method));
                after += gap;
            }
        }
        plan.sort_by_key(|(after, _)| *after);
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paging::{Channel, Verification};

    fn method(id: &str, channel: Channel, is_verified: bool) -> Method {
        Method {
            id: MethodId::parse(id).unwrap(),
            channel,
            address: "x".to_owned(),
            verification: if is_verified {
                Verification::Verified { at: Timestamp::UNIX_EPOCH }
            } else {
                Verification::Unverified
            },
            is_provisioned: false,
            is_stopped: false,
        }
    }

    fn rule(after_seconds: u32, id: &str) -> Rule {
        Rule { after_seconds, method: MethodId::parse(id).unwrap() }
    }

    fn shown(plan: &[(SignedDuration, &Method)]) -> Vec<(i64, String)> {
        plan.iter().map(|(after, it)| (after.as_secs(), it.id.to_string())).collect()
    }

    #[test]
    fn without_rules_every_method_is_used_in_order() {
        let methods = vec![method("mail", Channel::Email, true), method("sms", Channel::Sms, true)];
        let contacts = Contacts { methods, rules: Rules::default() };
        let high = contacts.rules.plan(&contacts, Urgency::High);
        assert_eq!(shown(&high), [(0, "mail".to_owned()), (60, "sms".to_owned())]);
        let low = contacts.rules.plan(&contacts, Urgency::Low);
        assert_eq!(shown(&low), [(0, "mail".to_owned()), (600, "sms".to_owned())]);
    }

    #[test]
    fn a_rule_for_a_method_that_cannot_be_used_is_left_out_and_nobody_becomes_unreachable() {
        let methods =
            vec![method("mail", Channel::Email, true), method("sms", Channel::Sms, false)];
        let high = vec![rule(120, "mail"), rule(0, "sms")];
        let low = vec![rule(0, "sms")];
        let contacts = Contacts { methods, rules: Rules { high, low, ..Rules::default() } };
        let high = contacts.rules.plan(&contacts, Urgency::High);
        assert_eq!(shown(&high), [(120, "mail".to_owned())]);
        let low = contacts.rules.plan(&contacts, Urgency::Low);
        assert_eq!(shown(&low), [(0, "mail".to_owned())], "the usual rules");
    }

    #[test]
    fn quiet_hours_reach_over_midnight_and_clock_changes() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let time = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
        let nights = QuietHours { from: time(22, 0), to: time(7, 0), weekdays: Vec::new() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(nights.end_of(at("2026-07-01T19:59:59Z"), &zone), None);
        assert_eq!(
            nights.end_of(at("2026-07-01T20:00:00Z"), &zone),
            Some(at("2026-07-02T05:00:00Z"))
        );
        // The night in which the clocks go back is an hour longer.
        assert_eq!(
            nights.end_of(at("2026-10-24T20:00:00Z"), &zone),
            Some(at("2026-10-25T06:00:00Z"))
        );
        let weekend = QuietHours { from: time(0, 0), to: time(0, 0), weekdays: vec![6, 7] };
        assert_eq!(
            weekend.end_of(at("2026-07-04T12:00:00Z"), &zone),
            Some(at("2026-07-04T22:00:00Z"))
        );
        assert_eq!(weekend.end_of(at("2026-07-03T12:00:00Z"), &zone), None);
    }
}
