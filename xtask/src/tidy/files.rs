//! How long files are, and what may not stand in any of them.

use std::path::Path;

use super::links::{prose, without_code};
use super::{Problem, TextFile};

/// A longer source file is told.
const LINES_WARNED: usize = 700;
/// A longer source file is an error.
const LINES_MAX: usize = 800;

/// Marks of work that was put off, as they stand in pages.
const PUT_OFF: [&str; 3] = ["TODO", "FIXME", "TBD"];

/// Checks the length of a source file; generated ones may be longer.
pub(super) fn check_length(file: &TextFile) -> Option<Problem> {
    let lines = file.text.lines().count();
    if lines <= LINES_WARNED || file.text.lines().take(5).any(|line| line.contains("@generated")) {
        return None;
    }
    let bound =
        format!("the bound is {LINES_MAX}; look for the second idea in it and split it off");
    let mut problem = Problem::at(&file.path, format!("has {lines} lines; {bound}"));
    problem.is_warning = lines <= LINES_MAX;
    Some(problem)
}

/// Checks pages for work that was put off.
pub(super) fn check_pages(pages: &[TextFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for page in pages {
        for (number, line) in prose(&page.text) {
            let line = without_code(line);
            for mark in PUT_OFF.iter().filter(|mark| line.contains(*mark)) {
                let message = format!("`{mark}`: write it now, or leave it out");
                problems.push(Problem::on_line(&page.path, number, message));
            }
        }
    }
    problems
}

/// Checks that no file names a place that only one machine has: a home directory, or where the
/// project happens to lie now.
pub(super) fn check_machine_paths(files: &[TextFile], root: &Path) -> Vec<Problem> {
    let mut places: Vec<String> =
        ["home", "Users"].iter().map(|name| format!("/{name}/")).collect();
    // A root directly below `/`, such as `/src`, would be found in many innocent texts.
    if root.components().count() > 2 {
        places.push(format!("{}/", root.display()));
    }
    let mut problems = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(place) = places.iter().find(|place| names_place(line, place)) {
                let message = format!("names `{place}…`, which other machines do not have");
                problems.push(Problem::on_line(&file.path, number, message));
            }
        }
    }
    problems
}

/// Returns whether the line holds the place as the start of a path, not inside a longer one.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|character| !character.is_alphanumeric() && !"./_-}".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn long_files_are_warned_of_and_then_refused() {
        let of_length = |lines: usize| check_length(&file("a.rs", &"x\n".repeat(lines)));
        assert!(of_length(LINES_WARNED).is_none());
        assert!(of_length(LINES_WARNED + 1).expect("a warning").is_warning);
        assert!(!of_length(LINES_MAX + 1).expect("an error").is_warning);
        let generated = format!("// @generated\n{}", "x\n".repeat(LINES_MAX));
        assert!(check_length(&file("a.rs", &generated)).is_none());
    }

    #[test]
    fn pages_put_nothing_off() {
        let mark = "TO".to_owned() + "DO";
        let pages = [file("a.md", &format!("{mark}: more\n`{mark}`\n```\n{mark}\n```\n"))];
        let problems = check_pages(&pages);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].place, "a.md:1");
    }

    #[test]
    fn places_of_one_machine_are_found() {
        let home = format!("/{}/ada", "home");
        let text =
            format!("see {home}/x\nhttps://example.org{home}\n/srv/build/tocsin/a\n${{DIR}}{home}");
        let problems = check_machine_paths(&[file("a", &text)], Path::new("/srv/build/tocsin"));
        let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["a:1", "a:3"]);
    }
}
