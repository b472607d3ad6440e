//! Sizes: `32MiB`.

use std::fmt;

use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl Bytes {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "" => Some(1),
            unit => UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .map(|(_, size)| *size),
        };
        let number = number.parse::<u64>().ok();
        unit.zip(number)
            .and_then(|(unit, number)| number.checked_mul(unit))
            .map(Self)
            .ok_or_else(|| "write it as `32MiB` or as a number of bytes".to_owned())
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, size): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*size);
        match UNITS.iter().find(fits) {
            Some((name, size)) if *size > 1 => write!(f, "{}{name}", self.0 / size),
            _ => write!(f, "{}", self.0),
        }
    }
}

impl Value for Bytes {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "a size", Self::parse)
    }

    fn encode(&self) -> Out {
        Out::word(self.to_string())
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("size"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        for (text, bytes, printed) in [
            ("32MiB", 32 << 20, "32MiB"),
            ("1000", 1000, "1KB"),
            ("5 kb", 5000, "5KB"),
            ("7", 7, "7"),
        ] {
            let size = Bytes::parse(text).unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, printed));
        }
        for bad in ["", "MiB", "1.5MiB", "1TB", "99999999999GiB"] {
            assert!(Bytes::parse(bad).is_err(), "{bad}");
        }
    }
}
