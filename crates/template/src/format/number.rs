//! Whole numbers under the verbs of `printf`.

use super::quote;
use super::spec::Spec;

/// Returns the number, filled up with zeros where the flags ask for it; `None` when the verb does
/// not fit.
pub(super) fn integer(number: i64, spec: &Spec) -> Option<String> {
    let (radix, prefix) = match spec.verb {
        'v' | 'd' => (10, ""),
        'b' => (2, if spec.sharp { "0b" } else { "" }),
        'o' => (8, if spec.sharp { "0" } else { "" }),
        'O' => (8, "0o"),
        'x' => (16, if spec.sharp { "0x" } else { "" }),
        'X' => (16, if spec.sharp { "0X" } else { "" }),
        'c' => return Some(character(number).to_string()),
        'q' => return Some(quote::quote_character(character(number), spec.plus)),
        'U' => return Some(code_point(number, spec)),
        _ => return None,
    };
    let sign = sign(number < 0, spec);
    let mut digits = digits(number.unsigned_abs(), radix);
    if spec.verb == 'X' {
        digits.make_ascii_uppercase();
    }
    let least = match spec.precision {
        Some(0) if number == 0 => return Some(String::new()),
        Some(precision) => precision,
        None if spec.zero && !spec.minus => spec.width.unwrap_or(0).saturating_sub(sign.len()),
        None => 0,
    };
    if digits.len() < least {
        digits.insert_str(0, &"0".repeat(least - digits.len()));
    }
    let is_marked = digits.starts_with('0');
    if spec.verb == 'O' && spec.sharp && !is_marked {
        digits.insert(0, '0');
    }
    let prefix = if prefix == "0" && is_marked { "" } else { prefix };
    Some(format!("{sign}{prefix}{digits}"))
}

pub(super) fn sign(is_negative: bool, spec: &Spec) -> &'static str {
    match is_negative {
        true => "-",
        false if spec.plus => "+",
        false if spec.space => " ",
        false => "",
    }
}

fn digits(mut number: u64, radix: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % radix).unwrap_or(0);
        digits.extend(char::from_digit(digit, 16));
        number /= radix;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `U+0041`, or `U+0041 'A'`.
fn code_point(number: i64, spec: &Spec) -> String {
    let least = spec.precision.unwrap_or(4).max(4);
    let digits = format!("{number:X}");
    let mut text = format!("U+{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
    if spec.sharp
        && let Some(character) = u32::try_from(number).ok().and_then(char::from_u32)
        && quote::is_printable(character)
    {
        text.push_str(&format!(" '{character}'"));
    }
    text
}
