//! Licence expressions as crates state them: SPDX, and the slash that older crates use for "or".

use std::collections::BTreeSet;

/// Returns whether `expression` can be satisfied with allowed licences only.
///
/// # Errors
/// What cannot be read, for people.
pub(crate) fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> Result<bool, String> {
    let tokens = tokens(expression);
    let mut reader = Reader { tokens: &tokens, position: 0, allowed };
    let result = reader.any()?;
    match reader.peek() {
        None => Ok(result),
        Some(token) => Err(format!("unexpected `{token}` in licence `{expression}`")),
    }
}

fn tokens(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// A recursive descent over `any := all {OR all}`, `all := one {AND one}`,
/// `one := ( any ) | licence [WITH exception]`.
struct Reader<'a> {
    tokens: &'a [String],
    position: usize,
    allowed: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut result = self.all()?;
        while self.take("OR") {
            result |= self.all()?;
        }
        Ok(result)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut result = self.one()?;
        while self.take("AND") {
            result &= self.one()?;
        }
        Ok(result)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let result = self.any()?;
            return if self.take(")") { Ok(result) } else { Err("missing `)`".to_owned()) };
        }
        let mut licence = match self.peek() {
            Some(token) if !matches!(token, "OR" | "AND" | "WITH" | ")") => token.to_owned(),
            found => return Err(format!("expected a licence, found {found:?}")),
        };
        self.position += 1;
        if self.take("WITH") {
            let exception = self.peek().ok_or("expected an exception after `WITH`")?;
            licence = format!("{licence} WITH {exception}");
            self.position += 1;
        }
        Ok(self.allowed.contains(&licence))
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.position).map(String::as_str)
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.peek() == Some(token);
        self.position += usize::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Result<bool, String> {
        let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
        is_allowed(expression, &allowed.map(str::to_owned).into())
    }

    #[test]
    fn one_side_of_an_or_is_enough_and_both_of_an_and_are_needed() {
        assert_eq!(check("MIT OR GPL-3.0"), Ok(true));
        assert_eq!(check("MIT AND GPL-3.0"), Ok(false));
        assert_eq!(check("GPL-2.0/MIT"), Ok(true));
        assert_eq!(check("GPL-3.0"), Ok(false));
        assert_eq!(check("ISC AND (GPL-3.0 OR ISC)"), Ok(true));
        assert_eq!(check("GPL-3.0 OR MIT AND GPL-3.0"), Ok(false));
        assert_eq!(check("Apache-2.0 WITH LLVM-exception"), Ok(true));
        assert_eq!(check("MIT WITH Odd-exception"), Ok(false));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for text in ["", "MIT OR", "(MIT", "MIT MIT", "MIT WITH", ") MIT"] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
