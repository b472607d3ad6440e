//! Numbers with a fraction under the verbs of `printf`.

use super::number::sign;
use super::spec::Spec;

/// Behind so many digits every number only has zeros; the formatter of the standard library refuses
/// far more.
const MAX_EXACT_DIGITS: usize = 1100;

/// Returns the number, filled up with zeros where the flags ask for it; `None` when the verb does
/// not fit.
pub(super) fn float(number: f64, spec: &Spec) -> Option<String> {
    let magnitude = number.abs();
    let text = if !number.is_finite() {
        matches!(spec.verb, 'v' | 'g' | 'G' | 'e' | 'E' | 'f' | 'F' | 'x' | 'X' | 'b')
            .then_some(())?;
        if number.is_nan() { "NaN" } else { "Inf" }.to_owned()
    } else {
        match spec.verb {
            'b' => binary(magnitude),
            'v' | 'g' => general(magnitude, spec.precision),
            'G' => general(magnitude, spec.precision).to_uppercase(),
            'e' => exponential(magnitude, spec.precision.or(Some(6))),
            'E' => exponential(magnitude, spec.precision.or(Some(6))).to_uppercase(),
            'f' | 'F' => fixed(magnitude, spec.precision.unwrap_or(6)),
            'x' => hexadecimal(magnitude, spec.precision),
            'X' => hexadecimal(magnitude, spec.precision).to_uppercase(),
            _ => return None,
        }
    };
    let text = if spec.sharp && number.is_finite() && !matches!(spec.verb, 'b' | 'x' | 'X') {
        with_point(&text, spec)
    } else {
        text
    };
    let is_negative = number.is_sign_negative() && !number.is_nan();
    let sign = if number.is_infinite() && !is_negative && spec.plus {
        "+"
    } else {
        sign(is_negative, spec)
    };
    let sign = if number == f64::INFINITY && sign.is_empty() { "+" } else { sign };
    let fills = spec.zero && !spec.minus && number.is_finite();
    let missing =
        if fills { spec.width.unwrap_or(0).saturating_sub(sign.len() + text.len()) } else { 0 };
    Some(format!("{sign}{}{text}", "0".repeat(missing)))
}

/// `%#g`: always with a point, and with the zeros that other verbs leave out.
fn with_point(text: &str, spec: &Spec) -> String {
    let (digits, tail) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let significant =
        digits.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
    let wanted = match spec.verb {
        'v' | 'g' | 'G' => spec.precision.unwrap_or(6),
        _ => 0,
    };
    // The zero before the point counts when there is nothing else.
    let counted = if digits == "0" { 1 } else { significant };
    let zeros = "0".repeat(wanted.saturating_sub(counted));
    let point = if digits.contains('.') { "" } else { "." };
    format!("{digits}{point}{zeros}{tail}")
}

/// `4503599627370496p-52`: the mantissa as it is stored, times two to the exponent.
fn binary(number: f64) -> String {
    let bits = number.to_bits();
    let (field, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let (exponent, mantissa) =
        if field == 0 { (1, fraction) } else { (field, fraction | (1 << 52)) };
    format!("{mantissa}p{:+}", i64::try_from(exponent).unwrap_or(0) - 1023 - 52)
}

/// `d.ddde±dd`, with the fewest digits that tell the number when there is no precision.
fn exponential(number: f64, precision: Option<usize>) -> String {
    let (text, zeros) = match precision {
        Some(precision) => {
            let exact = precision.min(MAX_EXACT_DIGITS);
            (format!("{number:.exact$e}"), "0".repeat(precision - exact))
        }
        None => (format!("{number:e}"), String::new()),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{zeros}e{sign}{:02}", exponent.abs())
}

/// `ddd.ddd`.
fn fixed(number: f64, precision: usize) -> String {
    let exact = precision.min(MAX_EXACT_DIGITS);
    format!("{number:.exact$}{}", "0".repeat(precision - exact))
}

/// The shorter of the two notations, as Go's `%g` chooses.
pub(crate) fn general(number: f64, precision: Option<usize>) -> String {
    let significant = precision.map(|precision| precision.max(1));
    let scientific = exponential(number, significant.map(|digits| digits - 1));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if precision.is_some() {
        let trimmed = digits.trim_end_matches('0').len().max(1);
        digits.truncate(trimmed);
    }
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    // Without a precision the choice is made as if it were six.
    let threshold = match significant {
        None => 6,
        Some(significant) => {
            let significant = i64::try_from(significant).unwrap_or(i64::MAX);
            if significant > count && count > exponent { count } else { significant }
        }
    };
    if exponent < -4 || exponent >= threshold {
        let fraction = if digits.len() > 1 { format!(".{}", &digits[1..]) } else { String::new() };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}{fraction}e{sign}{:02}", &digits[..1], exponent.abs());
    }
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= whole {
        let missing = whole - digits.len();
        return format!("{digits}{}", "0".repeat(missing));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

/// `0x1.8p+01`.
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    if number == 0.0 {
        let fraction =
            precision.filter(|digits| *digits > 0).map(|digits| format!(".{}", "0".repeat(digits)));
        return format!("0x0{}p+00", fraction.unwrap_or_default());
    }
    let bits = number.to_bits();
    let mut exponent = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0) - 1023;
    let mut mantissa = bits & ((1 << 52) - 1);
    if exponent == -1023 {
        // A subnormal number: shift until the leading one stands where the others have it.
        let shift = mantissa.leading_zeros() - 11;
        mantissa = (mantissa << shift) & ((1 << 52) - 1);
        exponent = -1022 - i64::from(shift);
    }
    let mut lead = 1_u64;
    let mut digits = format!("{mantissa:013x}");
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(precision) if precision < 13 => {
            let drop = 4 * u32::try_from(13 - precision).unwrap_or(0);
            let half = 1_u64 << (drop - 1);
            let full = (lead << 52) | mantissa;
            let kept = full >> drop;
            let rest = full & ((1 << drop) - 1);
            let rounded = kept + u64::from(rest > half || (rest == half && kept & 1 == 1));
            let width = 4 * u32::try_from(precision).unwrap_or(0);
            lead = rounded >> width;
            let fraction = rounded & ((1_u64 << width) - 1);
            digits =
                if precision == 0 { String::new() } else { format!("{fraction:0precision$x}") };
            if lead == 2 {
                lead = 1;
                exponent += 1;
            }
        }
        Some(precision) => digits.push_str(&"0".repeat(precision - 13)),
    }
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{lead}{point}{digits}p{sign}{:02}", exponent.abs())
}
