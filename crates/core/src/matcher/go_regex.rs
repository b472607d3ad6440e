//! Go's regular expressions in Rust's dialect.
//!
//! The two are close relatives, but not twins: `\d`, `\w`, `\s` and `\b` are ASCII in Go and
//! Unicode in Rust, `[a&&b]` is a set of three characters in Go and an intersection in Rust,
//! `\<` is a plain `<` in Go, and a `{` that begins no count is literal. A pattern is therefore
//! read by Go's rules and written anew, every literal in a spelling that means the same in both.
//!
//! Source: package `regexp/syntax` of Go, "Syntax".

/// The highest count in `x{n,m}`; Go's own bound.
const MAX_REPEAT: u32 = 1000;

/// The names that may stand in `[[:name:]]`.
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Returns the pattern in Rust's dialect.
///
/// # Errors
/// One line that says what Go's regular expressions do not have, or what has no counterpart here.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translation =
        Translation { rest: pattern, out: String::with_capacity(pattern.len() + 16) };
    translation.run()?;
    Ok(translation.out)
}

struct Translation<'a> {
    rest: &'a str,
    out: String,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), String> {
        let mut follows_repeat = false;
        while let Some(c) = self.next() {
            let mut is_repeat = false;
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' | '|' | '.' | '^' | '$' => self.out.push(c),
                '*' | '+' | '?' => {
                    self.out.push(c);
                    is_repeat = true;
                }
                '{' => match self.count()? {
                    Some(count) => {
                        self.out.push_str(&count);
                        is_repeat = true;
                    }
                    None => self.literal('{'),
                },
                c => self.literal(c),
            }
            if is_repeat {
                if follows_repeat {
                    return Err(format!("`{c}` repeats a repetition"));
                }
                if self.eat("?") {
                    self.out.push('?');
                }
            }
            follows_repeat = is_repeat;
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Writes a character that stands for itself, in a class or outside.
    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            self.out.push(c);
        } else {
            self.out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
        }
    }

    /// Reads the part of `{n}`, `{n,}` or `{n,m}` after the brace; anything else is no count.
    fn count(&mut self) -> Result<Option<String>, String> {
        let Some((inside, rest)) = self.rest.split_once('}') else { return Ok(None) };
        let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(low) || !(high.is_empty() || is_number(high)) {
            return Ok(None);
        }
        for number in [low, high].into_iter().filter(|number| !number.is_empty()) {
            if number.parse::<u32>().map_or(true, |number| number > MAX_REPEAT) {
                return Err(format!("`{{{inside}}}` repeats more than {MAX_REPEAT} times"));
            }
        }
        self.rest = rest;
        Ok(Some(format!("{{{inside}}}")))
    }

    /// Reads what follows `(`. The name of a group is dropped when it begins with a digit, which
    /// only Go allows.
    fn group(&mut self) -> Result<(), String> {
        if !self.eat("?") {
            self.out.push('(');
            return Ok(());
        }
        if ["=", "!", "<=", "<!"].iter().any(|look| self.rest.starts_with(look)) {
            return Err("look-around such as `(?=…)` is not supported".to_owned());
        }
        if self.eat("P<") || self.eat("<") {
            let (name, rest) = self.rest.split_once('>').ok_or("a group's name has no `>`")?;
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(format!("`{name}` cannot name a group"));
            }
            self.rest = rest;
            self.out.push('(');
            if !name.starts_with(|c: char| c.is_ascii_digit()) {
                self.out.push_str(&format!("?P<{name}>"));
            }
            return Ok(());
        }
        let end = self.rest.find([':', ')']).ok_or("missing closing )")?;
        let flags = &self.rest[..end];
        if let Some(flag) = flags.chars().find(|c| !"imsU-".contains(*c)) {
            return Err(format!("`{flag}` in `(?{flags}` is not one of the flags i, m, s, U"));
        }
        let is_flags_only = self.rest[end..].starts_with(')');
        if !(flags.is_empty() && is_flags_only) {
            self.out.push_str("(?");
            self.out.push_str(&self.rest[..=end]);
        }
        self.rest = &self.rest[end + 1..];
        Ok(())
    }

    /// Reads what follows a back-slash outside a class.
    fn escape(&mut self) -> Result<(), String> {
        match self.peek().ok_or("trailing backslash")? {
            'Q' => {
                let quoted = &self.rest[1..];
                // Without an end the quotation would swallow the anchors.
                let (text, rest) = quoted.split_once("\\E").ok_or("missing `\\E` after `\\Q`")?;
                self.rest = rest;
                text.chars().for_each(|c| self.literal(c));
                return Ok(());
            }
            'C' => return Err("`\\C`, a single byte, is not supported".to_owned()),
            'A' => self.out.push_str("\\A"),
            'z' => self.out.push_str("\\z"),
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => self.out.push_str("(?-u:\\B)"),
            c => {
                if let Some((is_negated, set)) = perl_class(c) {
                    self.out.push_str(if is_negated { "[^" } else { "[" });
                    self.out.push_str(set);
                    self.out.push(']');
                } else if c == 'p' || c == 'P' {
                    return self.unicode_class();
                } else {
                    let c = self.escaped_character()?;
                    self.literal(c);
                    return Ok(());
                }
            }
        }
        self.next();
        Ok(())
    }

    /// Reads `p{Greek}`, `pL`, `P{…}` or `p{^…}`.
    fn unicode_class(&mut self) -> Result<(), String> {
        let mut is_negated = self.next() == Some('P');
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("missing } after `\\p{`")?;
            self.rest = rest;
            name.to_owned()
        } else {
            self.next().ok_or("`\\p` names no class")?.to_string()
        };
        let bare = name.strip_prefix('^').unwrap_or(&name);
        is_negated ^= bare.len() != name.len();
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') {
            return Err(format!("`{name}` is not a Unicode class"));
        }
        self.out.push_str(if is_negated { "\\P{" } else { "\\p{" });
        self.out.push_str(bare);
        self.out.push('}');
        Ok(())
    }

    /// Reads the escape of one character, without its back-slash.
    fn escaped_character(&mut self) -> Result<char, String> {
        let start = self.rest;
        let invalid = |rest: &str| {
            let read = &start[..start.len() - rest.len()];
            format!("invalid escape sequence `\\{read}`")
        };
        let c = self.next().ok_or("trailing backslash")?;
        let code = match c {
            // A single digit would be a back-reference.
            '0'..='7' if c == '0' || self.peek().is_some_and(|c| c.is_digit(8)) => {
                let mut code = u32::from(c) - u32::from('0');
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.next();
                }
                code
            }
            'x' => {
                let digits = if self.eat("{") {
                    let (digits, rest) =
                        self.rest.split_once('}').ok_or_else(|| invalid(self.rest))?;
                    self.rest = rest;
                    digits
                } else {
                    let digits = self.rest.get(..2).ok_or_else(|| invalid(self.rest))?;
                    self.rest = &self.rest[2..];
                    digits
                };
                // `from_str_radix` would take a sign.
                if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(invalid(self.rest));
                }
                u32::from_str_radix(digits, 16).map_err(|_| invalid(self.rest))?
            }
            'a' => 0x07,
            'f' => 0x0c,
            'n' => u32::from('\n'),
            'r' => u32::from('\r'),
            't' => u32::from('\t'),
            'v' => 0x0b,
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => u32::from(c),
            _ => return Err(invalid(self.rest)),
        };
        char::from_u32(code).ok_or_else(|| invalid(self.rest))
    }

    /// Reads what follows `[`.
    fn class(&mut self) -> Result<(), String> {
        const UNCLOSED: &str = "missing closing ]";
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            if !is_first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            if self.posix_class()? {
                continue;
            }
            if let Some(escape) = self.rest.strip_prefix('\\').and_then(|rest| rest.chars().next())
            {
                if let Some((is_negated, set)) = perl_class(escape) {
                    self.rest = &self.rest[2..];
                    if is_negated {
                        self.out.push_str(&format!("[^{set}]"));
                    } else {
                        self.out.push_str(set);
                    }
                    continue;
                }
                if escape == 'p' || escape == 'P' {
                    self.rest = &self.rest[1..];
                    self.unicode_class()?;
                    continue;
                }
            }
            let low = self.class_character()?.ok_or(UNCLOSED)?;
            self.literal(low);
            // In `[a-]` the dash is a character.
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
                self.rest = &self.rest[1..];
                let high = self.class_character()?.ok_or(UNCLOSED)?;
                if high < low {
                    return Err(format!("invalid character class range `{low}-{high}`"));
                }
                self.out.push('-');
                self.literal(high);
            }
        }
    }

    fn class_character(&mut self) -> Result<Option<char>, String> {
        match self.next() {
            Some('\\') => self.escaped_character().map(Some),
            other => Ok(other),
        }
    }

    /// Reads `[:alpha:]` or `[:^alpha:]`; returns whether there was one.
    fn posix_class(&mut self) -> Result<bool, String> {
        let Some((name, rest)) =
            self.rest.strip_prefix("[:").and_then(|inside| inside.split_once(":]"))
        else {
            return Ok(false);
        };
        if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("invalid character class range `[:{name}:]`"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = rest;
        Ok(true)
    }
}

/// Returns whether `\c` is a negated class, and the ASCII characters of it.
fn perl_class(c: char) -> Option<(bool, &'static str)> {
    let set = match c.to_ascii_lowercase() {
        'd' => "0-9",
        's' => "\\t\\n\\x0C\\r\\x20",
        'w' => "0-9A-Za-z_",
        _ => return None,
    };
    Some((c.is_ascii_uppercase(), set))
}

#[cfg(test)]
mod tests {
    use crate::matcher::{MatchOp, Matcher};

    fn matches(pattern: &str, value: &str) -> bool {
        Matcher::new("a", MatchOp::Regex, pattern).unwrap().matches_value(value)
    }

    fn refusal(pattern: &str) -> String {
        Matcher::new("a", MatchOp::Regex, pattern).unwrap_err().message
    }

    #[test]
    fn patterns_match_what_go_matches() {
        for (pattern, value, expected) in [
            ("a|b", "b", true),
            ("a|b", "ab", false),
            (".", "\n", false),
            ("(?s).", "\n", true),
            ("[^a]", "\n", true),
            ("a$", "a\n", false),
            ("(?m)a$\nb", "a\nb", true),
            // Perl classes and word boundaries are ASCII.
            (r"\d", "7", true),
            (r"\d", "٣", false),
            (r"\D", "٣", true),
            (r"\w+", "aB_9", true),
            (r"\w", "é", false),
            (r"\W", "é", true),
            (r"\s", "\u{a0}", false),
            (r"\s", "\t", true),
            (r"\s", "\x0b", false),
            (r"[\d\s]+", "1 2", true),
            (r"[^\d]", "٣", true),
            (r"[\D]", "5", false),
            (r"[\W5]", "5", true),
            (r".*\bfoo\b.*", "éfoo", true),
            (r"a\Bb", "ab", true),
            // Case folding knows Unicode in both.
            ("(?i)É", "é", true),
            (r"(?i)\w", "\u{212a}", true),
            // Quoted text.
            (r"\Qa.b\E.", "a.bx", true),
            (r"\Qa.b\E.", "axbx", false),
            (r"\Q[a\E", "[a", true),
            (r"\Qab\E*", "abbb", true),
            // What is special in Rust alone stays literal.
            (r"\<a\>", "<a>", true),
            ("[a&&b]", "&", true),
            ("[a&&b]", "b", true),
            ("[a~~b]", "~", true),
            ("[a[b]", "[", true),
            ("[[:foo]", "[", true),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            ("[a-]", "-", true),
            ("[+--]", ",", true),
            (r"[\--\]]", ".", true),
            ("a{", "a{", true),
            ("a{,2}", "a{,2}", true),
            ("a{1", "a{1", true),
            ("a{x}", "a{x}", true),
            ("a}", "a}", true),
            ("a]", "a]", true),
            ("a#b c", "a#b c", true),
            (r"\_\-\&", "_-&", true),
            // Escapes of single characters.
            (r"\x41\x{1F642}\101\0", "A🙂A\0", true),
            (r"\a\f\n\r\t\v", "\x07\x0c\n\r\t\x0b", true),
            (r"\Aa\z", "a", true),
            // Unicode and POSIX classes.
            (r"\pL\p{Greek}\p{^Greek}\PL", "aαa1", true),
            (r"\P{^Greek}", "α", true),
            (r"[\p{Greek}x]", "α", true),
            ("[[:alpha:]]", "é", false),
            ("[[:^alpha:]]", "é", true),
            ("[[:word:]-]+", "a-_", true),
            // Groups.
            ("(?P<x>a)(?<y>b)(?:c)(?i:D)", "abcd", true),
            ("(?i)a(?-i)b", "Ab", true),
            ("(?i)a(?-i)b", "AB", false),
            ("(?)a", "a", true),
            ("(?U)a+?", "aa", true),
            ("a{2,3}?", "aaa", true),
            ("", "", true),
            ("", "a", false),
            ("|a", "", true),
        ] {
            assert_eq!(matches(pattern, value), expected, "{pattern:?} on {value:?}");
        }
    }

    #[test]
    fn patterns_that_go_refuses_are_refused_with_a_reason() {
        for (pattern, reason) in [
            (r"\C", "`\\C`, a single byte, is not supported"),
            (r"\Qa", "missing `\\E`"),
            ("(?=a)", "look-around"),
            ("(?<!a)", "look-around"),
            ("(?x)a b", "`x` in `(?x` is not one of the flags"),
            ("(?u:a)", "`u` in `(?u` is not one of the flags"),
            ("(?R)a", "`R`"),
            ("(?P<a-b>x)", "`a-b` cannot name a group"),
            ("(?P<ax)", "no `>`"),
            (r"\1", r"invalid escape sequence `\1`"),
            (r"\8", r"invalid escape sequence `\8`"),
            (r"\Z", r"invalid escape sequence `\Z`"),
            (r"\E", r"invalid escape sequence `\E`"),
            (r"\u0041", r"invalid escape sequence `\u`"),
            (r"\é", r"invalid escape sequence `\é`"),
            (r"\x4", r"invalid escape sequence `\x`"),
            (r"\x+4", r"invalid escape sequence `\x+4`"),
            (r"\x4é", r"invalid escape sequence `\x`"),
            (r"\x{110000}", r"invalid escape sequence `\x{110000}`"),
            (r"\x{d800}", r"invalid escape sequence `\x{d800}`"),
            (r"\x{}", r"invalid escape sequence `\x{}`"),
            (r"[\b]", r"invalid escape sequence `\b`"),
            (r"\p{gc=Lu}", "not a Unicode class"),
            (r"\pé", "not a Unicode class"),
            (r"\p{Lu", "missing }"),
            ("a\\", "trailing backslash"),
            ("[a\\", "trailing backslash"),
            ("[a", "missing closing ]"),
            ("[]", "missing closing ]"),
            ("[a-", "missing closing ]"),
            ("[z-a]", "invalid character class range `z-a`"),
            ("[[:foo:]]", "invalid character class range `[:foo:]`"),
            ("a**", "repeats a repetition"),
            ("a{2}{3}", "repeats a repetition"),
            ("a{1001}", "more than 1000 times"),
            ("a{99999999999}", "more than 1000 times"),
            ("(a", "unclosed group"),
            ("a)", "unopened group"),
            ("*", "repetition operator missing expression"),
        ] {
            let message = refusal(pattern);
            assert!(message.contains(reason), "{pattern:?}: {message}");
            assert!(!message.contains('\n'));
        }
    }

    #[test]
    fn patterns_are_bounded_in_length_and_compiled_size() {
        let message = refusal(&"a".repeat(crate::matcher::MAX_PATTERN_BYTES + 1));
        assert!(message.contains("longer than"), "{message}");
        let message = refusal("(?:\\pL{1000}){1000}");
        assert!(message.contains("size limit"), "{message}");
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics(pattern in r"[\\\[\](){}?*+|.^$\-a-cPpQEx0-9:<>=!iUé&~,]{0,24}") {
            let _ = Matcher::new("a", MatchOp::Regex, pattern);
        }
    }
}
