//! Words that have no place in some rooms, or anywhere.

use super::Problem;
use super::source::{Source, is_word};

/// Words that may not stand in the code of a room, and what to do instead.
const PURE_ROOMS: [(&str, &str); 16] = [
    ("tokio", "decisions are plain functions; async belongs in `engine`"),
    ("async fn", "decisions are plain functions; async belongs in `engine`"),
    (".await", "decisions are plain functions; async belongs in `engine`"),
    ("SystemTime", "take `now: Timestamp` as a parameter"),
    ("Instant::now", "take `now: Timestamp` as a parameter"),
    ("Timestamp::now", "take `now: Timestamp` as a parameter"),
    ("Zoned::now", "take `now: Timestamp` as a parameter"),
    ("TimeZone::system", "the zone is part of the configuration, not of the machine"),
    ("rand::", "anything random arrives inside the command"),
    ("new_v4", "anything random arrives inside the command"),
    ("now_v7", "anything random arrives inside the command"),
    ("std::fs", "files belong in `store`, `config` or `cli`"),
    ("std::net", "sockets belong in `connect` or `server`"),
    ("std::env", "settings arrive as a `Policy`"),
    ("std::thread", "a decision runs where it is called"),
    ("RandomState", "order differs between runs; use BTreeMap"),
];

/// Macros that may not stand anywhere, tests included.
const UNFINISHED: [(&str, &str); 3] = [
    ("todo!", "finish it or leave it out"),
    ("unimplemented!", "finish it, leave it out, or return an error"),
    ("dbg!", "use `tracing`, or remove it"),
];

/// Marks in comments for work that was put off.
const PUT_OFF: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// How SQL statements begin. Case matters: prose does not shout.
const SQL: [&str; 11] = [
    "SELECT ",
    "INSERT INTO ",
    "INSERT OR ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE",
    "CREATE INDEX",
    "ALTER TABLE",
    "DROP TABLE",
    "PRAGMA ",
    "BEGIN IMMEDIATE",
];

/// Checks one source file for words.
pub(super) fn check(source: &Source) -> Vec<Problem> {
    let mut problems = unfinished(source);
    problems.extend(allowances(source));
    if matches!(source.room(), "core" | "analysis") {
        problems.extend(impure(source));
        problems.extend(unordered_loops(source));
    }
    if !matches!(source.room(), "store" | "xtask") {
        problems.extend(sql(source));
    }
    if !matches!(source.room(), "cli" | "xtask") {
        problems.extend(prints(source));
    }
    problems
}

fn impure(source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in source.program_lines() {
        for (word, remedy) in PURE_ROOMS.iter().filter(|(word, _)| has_word(&line.code, word)) {
            let message = format!("`{word}` in a crate that only decides; {remedy}");
            problems.push(Problem::on_line(&source.path, number, message));
        }
    }
    problems
}

fn unfinished(source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in source.numbered() {
        for (word, remedy) in UNFINISHED.iter().filter(|(word, _)| has_word(&line.code, word)) {
            problems.push(Problem::on_line(&source.path, number, format!("`{word}`: {remedy}")));
        }
        for mark in PUT_OFF.iter().filter(|mark| has_word(&line.comment, mark)) {
            let message = format!("`{mark}`: do it now, or open an issue and remove the mark");
            problems.push(Problem::on_line(&source.path, number, message));
        }
    }
    problems
}

fn allowances(source: &Source) -> Vec<Problem> {
    let attributes = ["#[allow(", "#![allow("];
    let lines = source.numbered().filter(|(number, line)| {
        let is_allowance = attributes.iter().any(|it| line.code.trim_start().starts_with(it));
        is_allowance && !gives_reason(source, *number)
    });
    let message = "write `#[expect(…, reason = \"…\")]` instead of `allow`: it says why, and \
                   complains once it is no longer needed; where it is needed only sometimes, as \
                   in a macro, give `allow` a reason";
    lines.map(|(number, _)| Problem::on_line(&source.path, number, message)).collect()
}

/// Returns whether the attribute that begins on that line has a reason.
fn gives_reason(source: &Source, number: usize) -> bool {
    let rest = source.numbered().skip(number - 1).map(|(_, line)| line.code.as_str());
    let mut is_over = false;
    rest.take_while(|code| !std::mem::replace(&mut is_over, code.contains(")]")))
        .any(|code| has_word(code, "reason"))
}

fn prints(source: &Source) -> Vec<Problem> {
    let macros = ["println!", "print!", "eprintln!", "eprint!"];
    let lines = source
        .program_lines()
        .filter(|(_, line)| macros.iter().any(|name| has_word(&line.code, name)));
    let message = "only `cli` and `xtask` print; use `tracing`, or return the text";
    lines.map(|(number, _)| Problem::on_line(&source.path, number, message)).collect()
}

fn sql(source: &Source) -> Vec<Problem> {
    let is_sql = |text: &String| {
        let text = text.trim_start();
        SQL.iter().any(|begin| text.starts_with(begin))
            && (!text.starts_with("UPDATE ") || text.contains(" SET "))
    };
    let lines = source.program_lines().filter(|(_, line)| line.texts.iter().any(is_sql));
    let message = "looks like SQL; it belongs in `store`, behind a method of the `Store` trait";
    lines.map(|(number, _)| Problem::on_line(&source.path, number, message)).collect()
}

/// Finds `for … in` over a name that the file declares as a hash map or set. The linter bans the
/// iterating methods; such a loop calls none of them.
fn unordered_loops(source: &Source) -> Vec<Problem> {
    let names: Vec<&str> =
        source.program_lines().filter_map(|(_, line)| hashed_name(&line.code)).collect();
    let mut problems = Vec::new();
    for (number, line) in source.program_lines() {
        let Some((_, rest)) = line.code.split_once(" in ") else { continue };
        if !line.code.trim_start().starts_with("for ") {
            continue;
        }
        let looped = rest.split('{').next().unwrap_or(rest).trim().trim_start_matches('&');
        let looped = looped.trim_start_matches("mut ").trim_start_matches("self.");
        if names.contains(&looped) {
            let message = format!(
                "a loop over `{looped}`, a hash map or set: order differs between runs; use \
                 BTreeMap or BTreeSet"
            );
            problems.push(Problem::on_line(&source.path, number, message));
        }
    }
    problems
}

/// Returns the name that a line declares as a hash map or set: `name: HashMap<…>` or
/// `let name = HashSet::new()`.
fn hashed_name(code: &str) -> Option<&str> {
    let at = code.find("HashMap").or_else(|| code.find("HashSet"))?;
    let before = code[..at].trim_end().trim_end_matches('&').trim_end();
    let before = before.strip_suffix([':', '=']).filter(|rest| !rest.ends_with(':'))?.trim_end();
    let begin = before.rfind(|character| !is_word(character)).map_or(0, |at| at + 1);
    Some(&before[begin..]).filter(|name| !name.is_empty())
}

/// Returns whether `code` holds `word`, not as a part of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let begins = !word.starts_with(is_word) || !code[..at].ends_with(is_word);
        let ends = !word.ends_with(is_word) || !code[at + word.len()..].starts_with(is_word);
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        check(&Source::read(path, text)).into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn clocks_async_and_chance_stay_out_of_the_core() {
        let text = "use jiff::Timestamp;\nlet a = Timestamp::now();\nasync fn b() {}\n\
                    // Instant in prose\nlet operand = brand::new();\nlet c = Uuid::new_v4();";
        let path = "crates/core/src/a.rs";
        assert_eq!(places(path, text), [2, 3, 6].map(|line| format!("{path}:{line}")));
        assert!(places("crates/engine/src/a.rs", text).is_empty());
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_comments_but_not_in_texts() {
        let text =
            "fn a() { todo!() }\n// TODO later\nlet b = \"TODO todo!()\";\nlet mastodon = 1;";
        let path = "crates/wire/src/a.rs";
        assert_eq!(places(path, text), [1, 2].map(|line| format!("{path}:{line}")));
    }

    #[test]
    fn printing_and_allowing_are_told() {
        let text =
            "println!();\n#[allow(dead_code)]\n#[cfg(test)]\nmod tests { fn a() { println!() } }";
        assert_eq!(places("crates/wire/src/a.rs", text).len(), 2);
        assert_eq!(places("crates/cli/src/a.rs", text), ["crates/cli/src/a.rs:2"]);
    }

    #[test]
    fn sql_belongs_in_the_store() {
        let text = "q(\"SELECT a FROM b\");\nq(\"UPDATE a SET b = 1\");\nq(\"UPDATE_EXPECT\");\n\
                    q(\"Select one\");\nq(\"UPDATE the file\");";
        let path = "crates/engine/src/a.rs";
        assert_eq!(places(path, text), [1, 2].map(|line| format!("{path}:{line}")));
        assert!(places("crates/store/src/a.rs", text).is_empty());
    }

    #[test]
    fn loops_over_hash_maps_are_found_in_the_core() {
        let text = "struct A { seen: HashSet<u8>, kept: BTreeMap<u8, u8> }\n\
                    let mut index = HashMap::new();\nfor a in &self.seen {\nfor b in &self.kept {\n\
                    for (c, d) in index {\nuse std::collections::HashMap;";
        let path = "crates/core/src/a.rs";
        assert_eq!(places(path, text), [3, 5].map(|line| format!("{path}:{line}")));
    }
}
