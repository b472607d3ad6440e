//! `printf`: reads a format and writes the arguments that it asks for.

use super::spec::Spec;
use super::{Failure, Sink, verb};
use crate::value::Value;

/// The largest width, precision or index; larger ones count as mistakes in the format.
const MAX_NUMBER: usize = 1_000_000;

/// Writes the arguments as the format says. Mistakes in a format are written where they show, in
/// Go's notation: `%!d(string=x)`.
pub(crate) fn printf(format: &str, arguments: &[Value]) -> Result<String, Failure> {
    let mut sink = Sink::new();
    let mut reader = Reader { rest: format, arguments, next: 0, is_good: true, was_indexed: false };
    while let Some(at) = reader.rest.find('%') {
        sink.push(&reader.rest[..at])?;
        reader.rest = &reader.rest[at + 1..];
        reader.directive(&mut sink)?;
    }
    sink.push(reader.rest)?;
    if !reader.was_indexed && reader.next < arguments.len() {
        write_extra(&mut sink, &arguments[reader.next..])?;
    }
    Ok(sink.text)
}

fn write_extra(sink: &mut Sink, extra: &[Value]) -> Result<(), Failure> {
    sink.push("%!(EXTRA ")?;
    for (index, value) in extra.iter().enumerate() {
        if index > 0 {
            sink.push(", ")?;
        }
        if !matches!(value, Value::Nil) {
            sink.push(value.type_name())?;
            sink.push("=")?;
        }
        verb::write(sink, value, &Spec::plain(), 0)?;
    }
    sink.push(")")
}

struct Reader<'f> {
    rest: &'f str,
    arguments: &'f [Value],
    next: usize,
    /// Whether the index of this directive names an argument.
    is_good: bool,
    /// Whether any index was written, after which nothing counts as extra.
    was_indexed: bool,
}

impl Reader<'_> {
    fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Works off what follows a `%`.
    fn directive(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        let mut spec = Spec::plain();
        self.is_good = true;
        self.flags(&mut spec);
        let mut indexed = self.index();
        if self.take('*') {
            match self.number_argument() {
                Some(width) => {
                    spec.minus |= width < 0;
                    spec.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => sink.push("%!(BADWIDTH)")?,
            }
            indexed = false;
        } else {
            spec.width = self.number();
            if indexed && spec.width.is_some() {
                self.is_good = false;
            }
        }
        if self.take('.') {
            if indexed {
                self.is_good = false;
            }
            indexed = self.index();
            if self.take('*') {
                spec.precision =
                    self.number_argument().and_then(|precision| usize::try_from(precision).ok());
                if spec.precision.is_none() {
                    sink.push("%!(BADPREC)")?;
                }
                indexed = false;
            } else {
                spec.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !indexed {
            self.index();
        }
        let Some(letter) = self.rest.chars().next() else {
            return sink.push("%!(NOVERB)");
        };
        self.rest = &self.rest[letter.len_utf8()..];
        self.argument(sink, spec.with_verb(letter))
    }

    fn argument(&mut self, sink: &mut Sink, mut spec: Spec) -> Result<(), Failure> {
        if spec.verb == '%' {
            return sink.push("%");
        }
        if !self.is_good {
            return sink.push(&format!("%!{}(BADINDEX)", spec.verb));
        }
        let Some(value) = self.arguments.get(self.next) else {
            return sink.push(&format!("%!{}(MISSING)", spec.verb));
        };
        self.next += 1;
        if spec.verb == 'v' {
            (spec.source, spec.sharp) = (spec.sharp, false);
            (spec.named, spec.plus) = (spec.plus, false);
        }
        verb::write(sink, value, &spec, 0)
    }

    fn flags(&mut self, spec: &mut Spec) {
        loop {
            match self.rest.as_bytes().first() {
                Some(b'-') => spec.minus = true,
                Some(b'+') => spec.plus = true,
                Some(b'#') => spec.sharp = true,
                Some(b' ') => spec.space = true,
                Some(b'0') => spec.zero = true,
                _ => return,
            }
            self.rest = &self.rest[1..];
        }
    }

    fn number(&mut self) -> Option<usize> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        digits.parse().ok().filter(|number| *number <= MAX_NUMBER)
    }

    /// Reads `[n]` and goes to that argument; returns whether one stood here.
    fn index(&mut self) -> bool {
        let Some(inside) = self.rest.strip_prefix('[') else { return false };
        self.was_indexed = true;
        let Some(end) = inside.find(']') else {
            self.is_good = false;
            self.rest = inside;
            return false;
        };
        self.rest = &inside[end + 1..];
        match inside[..end].parse::<usize>() {
            Ok(number) if (1..=self.arguments.len()).contains(&number) => self.next = number - 1,
            _ => self.is_good = false,
        }
        true
    }

    /// Takes a width or precision from the arguments.
    fn number_argument(&mut self) -> Option<i64> {
        let value = self.arguments.get(self.next)?.plain();
        self.next += 1;
        match value {
            Value::Int(number) if number.unsigned_abs() <= MAX_NUMBER as u64 => Some(number),
            _ => None,
        }
    }
}
