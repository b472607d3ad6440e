//! Constants as Go writes them.

use crate::value::Value;

/// Reads a number: decimal, `0x`, `0o`, `0b`, with `_` between digits, a fraction or an exponent.
pub(super) fn number(text: &str) -> Result<Value, String> {
    if text.ends_with('i') && !is_hexadecimal(text) {
        return Err(format!("`{text}` is an imaginary number, which no function here takes"));
    }
    match integer(text) {
        Some(Ok(number)) => return Ok(Value::Int(number)),
        Some(Err(())) => {
            return Err(format!("`{text}` is too large for a whole number of 64 bits"));
        }
        None => {}
    }
    float(text).map(Value::Float).ok_or_else(|| match text {
        "+" | "-" => format!("`{text}` alone is not a number, and there are no operators"),
        _ => format!("`{text}` is not a number"),
    })
}

fn is_hexadecimal(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.starts_with("0x") || digits.starts_with("0X")
}

/// `None` when it is not a whole number, an error when it does not fit.
fn integer(text: &str) -> Option<Result<i64, ()>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let digits = without_underscores(digits, radix != 10)?;
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = i128::from_str_radix(&digits, radix)
        .ok()
        .map(|number| if negative { -number } else { number });
    Some(number.and_then(|number| i64::try_from(number).ok()).ok_or(()))
}

/// An underscore stands between digits, or between a prefix and a digit.
fn without_underscores(digits: &str, has_prefix: bool) -> Option<String> {
    let misplaced =
        digits.ends_with('_') || digits.contains("__") || (digits.starts_with('_') && !has_prefix);
    (!misplaced).then(|| digits.replace('_', ""))
}

fn float(text: &str) -> Option<f64> {
    if is_hexadecimal(text) {
        return hexadecimal_float(text);
    }
    let plain = without_underscores(text, false).filter(|text| text.contains(['.', 'e', 'E']))?;
    // Rust also reads `inf` and `nan`; the lexer lets no such word get here.
    plain
        .chars()
        .all(|character| matches!(character, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'))
        .then_some(())?;
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// `0x1.8p3`: a hexadecimal mantissa times two to the exponent.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let negative = text.starts_with('-');
    let digits = without_underscores(&text.trim_start_matches(['+', '-'])[2..], true)?;
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    // Fifteen digits are exact enough for what anyone writes in a template.
    if all.is_empty() || all.len() > 15 {
        return None;
    }
    let mantissa = i64::from_str_radix(&all, 16).ok()?;
    let exponent =
        exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "Go rounds to the nearest as well")]
    let value = mantissa as f64 * 2f64.powi(exponent);
    value.is_finite().then_some(if negative { -value } else { value })
}

/// Reads a character in quotes as its number.
pub(super) fn character(text: &str) -> Result<Value, String> {
    let inner = &text[1..text.len() - 1];
    let malformed = || format!("{text} is not one character; a text stands in double quotes");
    let bytes = unescape(inner, '\'').map_err(|reason| format!("{reason} in {text}"))?;
    if let [byte] = bytes[..] {
        return Ok(Value::Int(i64::from(byte)));
    }
    let decoded = String::from_utf8(bytes).map_err(|_| malformed())?;
    let mut characters = decoded.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(Value::Int(i64::from(u32::from(character)))),
        _ => Err(malformed()),
    }
}

/// Reads a text in double quotes. Bytes that are not UTF-8 become the replacement character.
pub(super) fn quoted(text: &str) -> Result<String, String> {
    let bytes =
        unescape(&text[1..text.len() - 1], '"').map_err(|reason| format!("{reason} in {text}"))?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn unescape(text: &str, quote: char) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = escape(&rest[at + 1..], quote, &mut out)?;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Reads what follows a backslash and returns the rest.
fn escape<'t>(text: &'t str, quote: char, out: &mut Vec<u8>) -> Result<&'t str, String> {
    let Some(letter) = text.chars().next() else {
        return Err("a backslash stands at the end".to_owned());
    };
    let simple = match letter {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '\'' | '"' if letter == quote => text.as_bytes()[0],
        'x' => return number_escape(text, 1, 2, 16, out),
        'u' => return number_escape(text, 1, 4, 16, out),
        'U' => return number_escape(text, 1, 8, 16, out),
        '0'..='7' => return number_escape(text, 0, 3, 8, out),
        _ => {
            return Err(format!(
                "there is no escape `\\{letter}`; a backslash itself is written `\\\\`"
            ));
        }
    };
    out.push(simple);
    Ok(&text[1..])
}

fn number_escape<'t>(
    text: &'t str,
    skip: usize,
    length: usize,
    radix: u32,
    out: &mut Vec<u8>,
) -> Result<&'t str, String> {
    let wrong =
        || format!("the escape `\\{}` needs {length} digits that name a character", &text[..skip]);
    let digits = text.get(skip..skip + length).ok_or_else(wrong)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(wrong());
    }
    let number = u32::from_str_radix(digits, radix).map_err(|_| wrong())?;
    if length <= 3 {
        out.push(u8::try_from(number).map_err(|_| wrong())?);
    } else {
        let character = char::from_u32(number).ok_or_else(wrong)?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(&text[skip + length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_writes_them() {
        for (text, expected) in [
            ("0x1F", 31),
            ("0b11", 3),
            ("0o17", 15),
            ("017", 15),
            ("1_000", 1000),
            ("-3", -3),
            ("+3", 3),
        ] {
            assert!(matches!(number(text), Ok(Value::Int(read)) if read == expected), "{text}");
        }
        for (text, expected) in [
            ("1e3", 1000.0),
            (".5", 0.5),
            ("0x1p4", 16.0),
            ("0x1.8p1", 3.0),
            ("1.", 1.0),
            ("-2.5e-1", -0.25),
        ] {
            assert!(matches!(number(text), Ok(Value::Float(read)) if read == expected), "{text}");
        }
        for text in ["1i", "9223372036854775808", "-", "0x", "1__0", "08", "1e", "1e999", "0xg"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn escapes_are_read_as_go_writes_them() {
        assert_eq!(quoted(r#""\x41\u00e9\101\"\n\U0001F600""#).as_deref(), Ok("Aé\u{41}\"\n😀"));
        for text in [r#""\q""#, r#""\x4""#, r#""\ud800""#, r#""\'""#, r#""\400""#] {
            assert!(quoted(text).is_err(), "{text}");
        }
        assert!(matches!(character(r"'\''"), Ok(Value::Int(39))));
        assert!(matches!(character("'é'"), Ok(Value::Int(233))));
        assert!(character("'ab'").is_err());
    }
}
