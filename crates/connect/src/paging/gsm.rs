//! The alphabet of text messages: what fits into it costs half of what does not.
//!
//! Source: 3GPP TS 23.038, GSM 7-bit default alphabet with its extension table.

/// How many characters one message holds in the alphabet.
pub(super) const MESSAGE_CHARS: usize = 160;

/// The characters of the alphabet that ASCII does not have.
const OTHERS: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// The characters that count twice.
const DOUBLE: &str = "^{}\\[~]|€\u{c}";

/// The printable ones of ASCII that are missing.
const MISSING: &str = "`";

/// Returns the text with characters that look alike in place of those that the alphabet lacks, and
/// whether all of it found a place.
pub(super) fn to_gsm(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut is_whole = true;
    for c in text.chars() {
        if is_gsm(c) {
            out.push(c);
        } else if let Some(alike) = alike(c) {
            out.push_str(alike);
        } else {
            is_whole = false;
            out.push('?');
        }
    }
    (out, is_whole)
}

/// Returns how much room the text takes, for a text of the alphabet.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(|c| if DOUBLE.contains(c) { 2 } else { 1 }).sum()
}

fn is_gsm(c: char) -> bool {
    let is_ascii = c == '\n' || c == '\r' || ((' '..='~').contains(&c) && !MISSING.contains(c));
    is_ascii || OTHERS.contains(c) || DOUBLE.contains(c)
}

fn alike(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '′' | '`' | '´' => "'",
        '“' | '”' | '„' | '″' | '«' | '»' => "\"",
        '–' | '—' | '−' | '‐' | '‑' => "-",
        '…' => "...",
        '•' | '·' => "-",
        '→' => "->",
        '←' => "<-",
        '≥' => ">=",
        '≤' => "<=",
        '×' => "x",
        '\t' | '\u{a0}' | '\u{202f}' | '\u{2009}' => " ",
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "a",
        'Á' | 'À' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' => "c",
        'Ć' | 'Č' => "C",
        'ď' | 'đ' => "d",
        'Ď' | 'Đ' => "D",
        'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'ğ' => "g",
        'Ğ' => "G",
        'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'İ' => "I",
        'ł' | 'ľ' => "l",
        'Ł' | 'Ľ' => "L",
        'ń' | 'ň' => "n",
        'Ń' | 'Ň' => "N",
        'ó' | 'ô' | 'õ' | 'ő' | 'ō' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ő' => "O",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ţ' | 'ț' => "t",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'ú' | 'û' | 'ű' | 'ů' | 'ū' => "u",
        'Ú' | 'Ù' | 'Û' | 'Ű' | 'Ů' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ẞ' => "ß",
        'œ' => "oe",
        'Œ' => "OE",
        '©' => "(c)",
        '®' => "(r)",
        '™' => "(tm)",
        '°' => "deg",
        'µ' => "u",
        '\u{200b}' | '\u{200d}' | '\u{feff}' | '\u{fe0f}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_takes_the_place_of_what_is_missing() {
        let (text, is_whole) = to_gsm("p99 ≥ 2 s – “slow”…");
        assert_eq!((text.as_str(), is_whole), ("p99 >= 2 s - \"slow\"...", true));
        assert_eq!(
            to_gsm("Größe in Łódź"),
            ("Größe in Lódź".replace('ó', "o").replace('ź', "z"), true)
        );
        assert_eq!(to_gsm("диск 🔥"), ("???? ?".to_owned(), false));
        assert_eq!(length("a{b}"), 6);
        assert_eq!(length("äöü€"), 5);
    }
}
