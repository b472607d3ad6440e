//! How incidents are called: a number to say aloud, and a reference to write down.

use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// An incident of a tenant, counted from 1: "incident 142".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct IncidentNumber(pub u64);

impl fmt::Display for IncidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Odd, so multiplying by it is a bijection on 32 bits; its inverse undoes that.
const SPREAD: u32 = 0x9e37_79b1;
const GATHER: u32 = inverse(SPREAD);

/// An incident's reference, `INC-20260131-1f2e3d4c`: the day it was detected and its number,
/// spread over eight digits. Two incidents of a tenant never have the same one, so none is ever
/// tried twice, and the number can be read back from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentRef {
    day: u32,
    number: IncidentNumber,
}

/// A text that names no incident.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no incident; write a number such as 142, or INC-20260131-1f2e3d4c")]
pub struct RefError {
    /// What was written.
    pub text: String,
}

impl IncidentRef {
    /// Returns the reference of an incident that was detected at `detected_at`.
    pub fn new(number: IncidentNumber, detected_at: Timestamp) -> Self {
        let day = detected_at.to_zoned(TimeZone::UTC).date();
        let (year, month, day) = (day.year(), day.month(), day.day());
        let part = |value: i8| u32::try_from(value).unwrap_or(0);
        let day = u32::try_from(year).unwrap_or(0) * 10_000 + part(month) * 100 + part(day);
        Self { day, number }
    }
}

impl fmt::Display for IncidentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // More than four thousand million incidents would get longer references, never equal ones.
        let low = u32::try_from(self.number.0 & 0xffff_ffff).unwrap_or(0);
        let high = self.number.0 >> 32;
        write!(f, "INC-{:08}-{:08x}", self.day, low.wrapping_mul(SPREAD))?;
        if high > 0 { write!(f, "{high:x}") } else { Ok(()) }
    }
}

impl FromStr for IncidentNumber {
    type Err = RefError;

    /// Reads `142`, `#142`, `INC-142` or a whole reference.
    fn from_str(text: &str) -> Result<Self, RefError> {
        let wrong = || RefError { text: text.chars().take(60).collect() };
        let trimmed = text.trim();
        let rest = trimmed.strip_prefix('#').unwrap_or(trimmed);
        let rest = match rest.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("inc-") => &rest[4..],
            _ => rest,
        };
        let number = match rest.split_once('-') {
            None => rest.parse::<u64>().map_err(|_| wrong())?,
            Some((day, digits)) => {
                let is_day = day.len() == 8 && day.bytes().all(|it| it.is_ascii_digit());
                let is_hex = digits.bytes().all(|it| it.is_ascii_hexdigit());
                if !is_day || !is_hex || !(8..=16).contains(&digits.len()) {
                    return Err(wrong());
                }
                let (low, high) = digits.split_at(8);
                let low = u32::from_str_radix(low, 16).map_err(|_| wrong())?;
                let high = match high {
                    "" => 0,
                    high => u64::from_str_radix(high, 16).map_err(|_| wrong())?,
                };
                (high << 32) | u64::from(low.wrapping_mul(GATHER))
            }
        };
        if number == 0 { Err(wrong()) } else { Ok(Self(number)) }
    }
}

/// Newton's iteration; each round doubles the number of right bits, beginning with three.
const fn inverse(odd: u32) -> u32 {
    let mut guess = odd;
    let mut round = 0;
    while round < 5 {
        guess = guess.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(guess)));
        round += 1;
    }
    guess
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_ways_to_write_one_are_read() {
        let at: Timestamp = "2026-01-31T23:59:59Z".parse().unwrap();
        let written = IncidentRef::new(IncidentNumber(142), at).to_string();
        assert!(written.starts_with("INC-20260131-"), "{written}");
        assert_eq!(written.len(), "INC-20260131-".len() + 8);
        for text in ["142", "#142", "INC-142", "inc-142", &written, &written.to_lowercase()] {
            assert_eq!(text.parse(), Ok(IncidentNumber(142)), "{text}");
        }
        for text in ["", "0", "INC-", "INC-20260131-", "INC-2026-1f2e3d4c", "x", "-1", "ÄÄ"] {
            assert!(text.parse::<IncidentNumber>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_reference_leads_back_to_its_number(number in 1_u64.., second in 0_i64..4_000_000_000) {
            let at = Timestamp::from_second(second).unwrap();
            let written = IncidentRef::new(IncidentNumber(number), at).to_string();
            prop_assert_eq!(written.parse(), Ok(IncidentNumber(number)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<IncidentNumber>();
        }
    }
}
