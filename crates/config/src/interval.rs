//! `time_intervals` as they are written.

use jiff::tz::TimeZone;
use tocsin_core::time_interval::{
    BadTimeInterval, DayRange, MinuteRange, TimeInterval, parse_days_of_month, parse_months,
    parse_times, parse_weekdays, parse_years, time_zone,
};

use crate::reader::{Fields, Reader, Value};
use crate::section::{Out, Shape, Text, section};
use crate::yaml::Node;

section! {
    /// Calendar conditions under a name that routes refer to.
    NamedTimeIntervalConfig, check = |_, fields: &Fields<'_>, reader: &mut Reader<'_>| {
        reader.require(fields, &["name"]);
    } => {
        /// The name.
        name: String;
        /// The conditions; one of them must hold.
        time_intervals: Vec<TimeIntervalConfig>;
    }
}

section! {
    /// One set of calendar conditions; what is given must hold altogether.
    TimeIntervalConfig => {
        /// Times of the day.
        times: Vec<TimeRange>;
        /// Days of the week, `monday:friday`.
        weekdays: Vec<Weekdays>;
        /// Days of the month, `1:5`, or `-3:-1` counted from its end.
        days_of_month: Vec<DaysOfMonth>;
        /// Months, `january:march` or `1:3`.
        months: Vec<Months>;
        /// Years, `2027:2029`.
        years: Vec<Years>;
        /// The zone in which all of it is read: an IANA name, `UTC` or `Local`. Unset means UTC.
        location: Option<Zone>;
    }
}

section! {
    /// A span of the day; it cannot pass midnight.
    TimeRange, check = check_times => {
        /// The first minute, `09:00`.
        start_time: String;
        /// The minute after the last, `17:00`; `24:00` is the end of the day.
        end_time: String;
    }
}

fn check_times(range: &mut TimeRange, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["start_time", "end_time"]);
    if !range.start_time.is_empty()
        && !range.end_time.is_empty()
        && let Err(error) = parse_times(&range.start_time, &range.end_time)
    {
        let end = matches!(&error, BadTimeInterval::Time { text } if *text == range.end_time);
        reader.error_at(fields, if end { "end_time" } else { "start_time" }, error.to_string());
    }
}

/// Ranges of days keep their text, so that they are written back as they were.
macro_rules! day_ranges {
    ($($(#[doc = $doc:literal])+ $name:ident: $parse:path, $shape:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name {
            text: String,
            range: DayRange,
        }

        impl Value for $name {
            fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let text = reader.text(node, concat!("a text, ", $shape))?;
                match $parse(text) {
                    Ok(range) => Some(Self { text: text.to_owned(), range }),
                    Err(error) => {
                        reader.error(node, error.to_string());
                        None
                    }
                }
            }

            fn encode(&self) -> Out {
                Out::text(&self.text)
            }

            fn shape() -> Shape {
                Shape::Text(Text::Named($shape))
            }
        }
    )+};
}

day_ranges! {
    /// Days of the week.
    Weekdays: parse_weekdays, "weekdays";
    /// Days of the month.
    DaysOfMonth: parse_days_of_month, "days of the month";
    /// Months.
    Months: parse_months, "months";
    /// Years.
    Years: parse_years, "years";
}

/// A time zone by the name that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    name: String,
    /// The zone.
    pub zone: TimeZone,
}

impl Zone {
    /// Returns the zone, UTC when none was written.
    pub(crate) fn of(zone: Option<&Self>) -> TimeZone {
        zone.map_or(TimeZone::UTC, |zone| zone.zone.clone())
    }
}

impl Value for Zone {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "the name of a time zone")?;
        let zone = match text {
            "" => Ok(TimeZone::UTC),
            "Local" => Ok(local()),
            name => time_zone(name),
        };
        match zone {
            Ok(zone) => Some(Self { name: text.to_owned(), zone }),
            Err(error) => {
                let hint = nearest_zone(text);
                reader.error(node, format!("{error}{hint}"));
                None
            }
        }
    }

    fn encode(&self) -> Out {
        Out::text(&self.name)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("time zone"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the configuration asks for the machine's zone by name"
)]
fn local() -> TimeZone {
    TimeZone::system()
}

fn nearest_zone(text: &str) -> String {
    let names: Vec<String> =
        jiff::tz::TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    crate::reader::nearest(text, names.iter().map(String::as_str))
}

impl TimeIntervalConfig {
    pub(crate) fn compile(&self) -> TimeInterval {
        let times = self
            .times
            .iter()
            .filter_map(|range| parse_times(&range.start_time, &range.end_time).ok());
        TimeInterval {
            times: times.collect::<Vec<MinuteRange>>(),
            weekdays: self.weekdays.iter().map(|days| days.range).collect(),
            days_of_month: self.days_of_month.iter().map(|days| days.range).collect(),
            months: self.months.iter().map(|months| months.range).collect(),
            years: self.years.iter().map(|years| years.range).collect(),
            zone: Zone::of(self.location.as_ref()),
        }
    }
}
