//! Times as people write and read them: by the clock of a zone.

use anyhow::Result;
use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use tocsin_core::oncall::Zone;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_wire::v1::Identity;

use crate::client::Client;
use crate::failure::Failure;

/// An instant as it is given; without an offset it is read by the clock of the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At once.
    Now,
    /// With an offset.
    Instant(Timestamp),
    /// What the clock of the zone shows.
    Local(DateTime),
    /// The next time that the clock of the zone shows it.
    Next(Time),
}

/// Reads an instant; for clap.
pub(super) fn when(text: &str) -> Result<When, String> {
    if text == "now" {
        return Ok(When::Now);
    }
    let instant = text.parse().map(When::Instant);
    let local = instant.or_else(|_| text.parse().map(When::Local));
    local.or_else(|_| text.parse().map(When::Next)).map_err(|_| {
        "not a time; write it like 2026-11-21T09:00, 2026-11-21, 09:00, now \
         or 2026-11-21T09:00:00Z"
            .to_owned()
    })
}

/// The zone in which times are read and shown.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ZoneArgs {
    /// The IANA name of the zone in which times are read and shown; by default your own, as your
    /// account says, or UTC.
    #[arg(long, global = true, env = "TOCSIN_ZONE", value_name = "ZONE")]
    zone: Option<String>,
}

/// Reads and shows times.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    zone: Zone,
}

impl Clock {
    /// Finds out which zone is meant: the one that is given, or that of whoever asks.
    pub(super) async fn of(client: &Client, args: &ZoneArgs) -> Result<Self> {
        let name = match args.zone.clone().filter(|name| !name.is_empty()) {
            Some(name) => Some(name),
            None => client.get("/api/v1/me", &[]).await?.json::<Identity>()?.time_zone,
        };
        Self::in_zone(name)
    }

    /// Finds out which zone is meant without asking anybody: the one that is given, or UTC.
    pub(super) fn named(args: &ZoneArgs) -> Result<Self> {
        Self::in_zone(args.zone.clone().filter(|name| !name.is_empty()))
    }

    fn in_zone(name: Option<String>) -> Result<Self> {
        let zone = match name {
            Some(name) => {
                Zone::named(&name).map_err(|error| Failure::usage(format!("--zone: {error}")))?
            }
            None => Zone::utc(),
        };
        Ok(Self { now: SystemClock.now(), zone })
    }

    /// Returns the zone.
    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Returns the instant that is meant, the first that its clock means; a bare clock time is the
    /// next one from `since` on.
    pub(super) fn begin(&self, when: When, since: Timestamp) -> Timestamp {
        self.read(when, since, Zone::first)
    }

    /// Returns the instant that is meant, the last that its clock means, after `since`.
    pub(super) fn end(&self, when: When, since: Timestamp) -> Timestamp {
        self.read(when, since, Zone::last)
    }

    fn read(
        &self,
        when: When,
        since: Timestamp,
        resolve: fn(&Zone, DateTime) -> Timestamp,
    ) -> Timestamp {
        match when {
            When::Now => self.now,
            When::Instant(at) => at,
            When::Local(local) => resolve(&self.zone, local),
            When::Next(time) => {
                let today = self.zone.local(since).date();
                let at = resolve(&self.zone, today.to_datetime(time));
                if at > since {
                    return at;
                }
                let tomorrow = today.tomorrow().unwrap_or(today);
                resolve(&self.zone, tomorrow.to_datetime(time))
            }
        }
    }

    /// Returns a time with its zone, such as `Fri 2026-11-20 09:00 CET`.
    pub(super) fn show(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.rules().clone());
        zoned.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
    }

    /// Returns a time, or what stands for none.
    pub(super) fn show_or(&self, at: Option<Timestamp>, none: &str) -> String {
        at.map_or_else(|| none.to_owned(), |at| self.show(at))
    }
}

/// Returns how long something lasts, in days, hours and minutes.
pub(super) fn lasts(from: Timestamp, to: Timestamp) -> String {
    let minutes = to.duration_since(from).as_mins();
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "m")];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}"));
    let text: String = parts.collect();
    if text.is_empty() { "0m".to_owned() } else { text }
}

/// From when to when, for views.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct SpanArgs {
    /// When it begins; now unless given.
    #[arg(long, value_parser = when, value_name = "TIME")]
    from: Option<When>,

    /// When it ends.
    #[arg(long, value_parser = when, conflicts_with = "days", value_name = "TIME")]
    to: Option<When>,

    /// How many days it lasts.
    #[arg(
        long,
        default_value_t = 14,
        value_parser = clap::value_parser!(u16).range(1..=730),
        value_name = "N"
    )]
    days: u16,
}

impl SpanArgs {
    /// Returns both ends.
    pub(super) fn ends(&self, clock: &Clock) -> Result<(Timestamp, Timestamp)> {
        let from = self.from.map_or(clock.now, |when| clock.begin(when, clock.now));
        let to = match self.to {
            Some(when) => clock.end(when, from),
            None => {
                let days = SignedDuration::from_hours(24 * i64::from(self.days));
                from.checked_add(days).unwrap_or(Timestamp::MAX)
            }
        };
        if to <= from {
            return Err(Failure::usage("--to must come after --from").into());
        }
        Ok((from, to))
    }

    /// Returns both ends as a query.
    pub(super) fn query(&self, clock: &Clock) -> Result<Vec<(&'static str, String)>> {
        let (from, to) = self.ends(clock)?;
        Ok(vec![("from", from.to_string()), ("to", to.to_string())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_the_clock_of_the_zone() {
        let now: Timestamp = "2026-10-24T22:30:00Z".parse().unwrap();
        let clock = Clock { now, zone: Zone::named("Europe/Berlin").unwrap() };
        let begin = |text: &str| clock.begin(when(text).unwrap(), now).to_string();
        assert_eq!(begin("now"), "2026-10-24T22:30:00Z");
        assert_eq!(begin("2026-11-21T09:00:00Z"), "2026-11-21T09:00:00Z");
        assert_eq!(begin("2026-11-21T09:00"), "2026-11-21T08:00:00Z");
        assert_eq!(begin("2026-11-21"), "2026-11-20T23:00:00Z");
        // Half past midnight in Berlin: nine is today, midnight is tomorrow.
        assert_eq!(begin("09:00"), "2026-10-25T08:00:00Z");
        assert_eq!(begin("00:00"), "2026-10-25T23:00:00Z");
        // The clock shows half past two twice that night.
        assert_eq!(begin("02:30"), "2026-10-25T00:30:00Z");
        assert_eq!(clock.end(when("02:30").unwrap(), now).to_string(), "2026-10-25T01:30:00Z");
        assert!(when("tomorrow").is_err());
    }

    #[test]
    fn times_are_shown_with_their_zone_and_lengths_in_units() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let clock =
            Clock { now: at("2026-11-20T12:00:00Z"), zone: Zone::named("Asia/Tokyo").unwrap() };
        assert_eq!(clock.show(clock.now), "Fri 2026-11-20 21:00 JST");
        assert_eq!(lasts(at("2026-11-20T12:00:00Z"), at("2026-11-22T13:05:00Z")), "2d1h5m");
        assert_eq!(lasts(clock.now, clock.now), "0m");
    }
}
