//! What Go's decoder says about a text that is not JSON.

/// Returns Go's complaint about the first JSON value in `text`; `None` when that is well-formed.
/// What follows the first value is not looked at, as Go's decoder does not either.
pub(super) fn complaint(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.value().err()
}

/// Deeper nesting is refused, as Go does.
const MAX_DEPTH: usize = 10_000;

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

type Scan = Result<(), String>;

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, place: &str) -> String {
        let Some(byte) = self.peek() else { return "unexpected EOF".to_owned() };
        let shown = match byte {
            b'\'' => r"'\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            0x20..=0x7e if byte != b'\\' => format!("'{}'", char::from(byte)),
            _ => {
                let quoted = tocsin_core::quote::go(&char::from(byte).to_string());
                format!("'{}'", quoted.trim_matches('"'))
            }
        };
        format!("invalid character {shown} {place}")
    }

    /// Scans one value. What is open is kept in a list, not on the stack, which callers could
    /// exhaust.
    fn value(&mut self) -> Scan {
        let mut open = Vec::new();
        loop {
            if open.len() > MAX_DEPTH {
                return Err("exceeded max depth".to_owned());
            }
            self.skip_space();
            match self.peek() {
                Some(begin @ (b'{' | b'[')) => {
                    let end = if begin == b'{' { b'}' } else { b']' };
                    self.at += 1;
                    self.skip_space();
                    if self.peek() == Some(end) {
                        self.at += 1;
                    } else {
                        if begin == b'{' {
                            self.key()?;
                        }
                        open.push(end);
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => return Err(self.unexpected("looking for beginning of value")),
            }
            if self.is_over(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Looks at what follows a value: closes what ends with it, and returns whether nothing is open
    /// any more; otherwise another value comes.
    fn is_over(&mut self, open: &mut Vec<u8>) -> Result<bool, String> {
        while let Some(end) = open.last().copied() {
            self.skip_space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    if end == b'}' {
                        self.key()?;
                    }
                    return Ok(false);
                }
                Some(byte) if byte == end => {
                    self.at += 1;
                    open.pop();
                }
                _ if end == b'}' => return Err(self.unexpected("after object key:value pair")),
                _ => return Err(self.unexpected("after array element")),
            }
        }
        Ok(true)
    }

    /// Scans a key and the colon after it.
    fn key(&mut self) -> Scan {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Scan {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Scan {
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.unexpected(r"in \u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.unexpected("in string escape code")),
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Scan {
        for (i, expected) in word.bytes().enumerate() {
            if self.peek() != Some(expected) {
                let expected = char::from(expected);
                debug_assert!(i > 0, "the caller has seen the first letter");
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Scan {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
                return Err(self.unexpected("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
                return Err(self.unexpected("in exponent of numeric literal"));
            }
            self.digits();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn complaints_read_as_gos() {
        let cases = [
            ("nonsense", "invalid character 'o' in literal null (expecting 'u')"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("[", "unexpected EOF"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
            (r#"["\x"]"#, "invalid character 'x' in string escape code"),
            ("[\"\n\"]", r"invalid character '\n' in string literal"),
            ("[-]", "invalid character ']' in numeric literal"),
            ("[1.]", "invalid character ']' after decimal point in numeric literal"),
            ("[1e]", "invalid character ']' in exponent of numeric literal"),
        ];
        for (text, expected) in cases {
            assert_eq!(complaint(text.as_bytes()).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(complaint(br#" [{"a": [1.5e-3, true, null, "\u00e9"]}] trailing"#), None);
    }
}
