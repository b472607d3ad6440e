//! Links between the pages: every relative one leads somewhere, and every page can be found.

use std::collections::{BTreeMap, BTreeSet};

use super::{Problem, TextFile};

/// The page from which every page of the manual can be reached.
const INDEX: &str = "docs/README.md";

/// Checks every link of every page, and that the index names every page of the manual.
pub(super) fn check(pages: &[TextFile], paths: &[String]) -> Vec<Problem> {
    let files: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
    let anchors: BTreeMap<&str, BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_str(), anchors(&page.text))).collect();
    let mut problems = Vec::new();
    for page in pages {
        for (line, target) in links(&page.text) {
            if let Some(message) = trouble(&page.path, &target, &files, &anchors) {
                problems.push(Problem::on_line(&page.path, line, message));
            }
        }
    }
    problems.extend(unlisted(pages));
    problems
}

/// Says what is wrong with a link; `None` when nothing is, or when it leads out of the project.
fn trouble(
    page: &str,
    target: &str,
    files: &BTreeSet<&str>,
    anchors: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let Some(path) = (if path.is_empty() { Some(page.to_owned()) } else { resolve(page, path) })
    else {
        return Some(format!("the link `{target}` leads out of the project; link inside it"));
    };
    let is_directory = || files.iter().any(|file| file.starts_with(&format!("{path}/")));
    if !files.contains(path.as_str()) && !path.is_empty() && !is_directory() {
        return Some(format!("the link `{target}` leads to `{path}`, which does not exist"));
    }
    let anchor = anchor?;
    // Anchors into code are lines, which the code host knows.
    let known = anchors.get(path.as_str())?;
    if known.contains(anchor) {
        return None;
    }
    let nearest: Vec<&str> = known.iter().map(String::as_str).take(8).collect();
    Some(format!("`{path}` has no heading `#{anchor}`; it has: {}", nearest.join(", ")))
}

/// Returns the path that `target` names as seen from `page`; `None` above the root.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Returns the pages of the manual that the index does not name.
fn unlisted(pages: &[TextFile]) -> Vec<Problem> {
    let Some(index) = pages.iter().find(|page| page.path == INDEX) else {
        return vec![Problem::at(INDEX, "does not exist; it lists the pages of the manual")];
    };
    let named: BTreeSet<String> = links(&index.text)
        .into_iter()
        .filter_map(|(_, target)| resolve(INDEX, target.split('#').next().unwrap_or_default()))
        .collect();
    pages
        .iter()
        .filter(|page| page.path.starts_with("docs/") && page.path != INDEX)
        .filter(|page| !named.contains(&page.path))
        .map(|page| Problem::at(&page.path, format!("cannot be found; add a line to {INDEX}")))
        .collect()
}

/// Returns the targets of all links with their lines. Code is left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let definition =
            line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition {
            found
                .extend(target.split_whitespace().next().map(|target| (number, target.to_owned())));
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let end = closing(rest).unwrap_or(rest.len());
            // A title may follow the target.
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            found.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
    }
    found
}

/// Returns where the bracket that was open before `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Returns the names under which headings can be linked, as code hosts derive them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        for part in line.split("id=\"").skip(1) {
            found.extend(part.split('"').next().map(str::to_owned));
        }
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let name = anchor(title.trim());
        let count = seen.entry(name.clone()).or_default();
        found.insert(if *count == 0 { name } else { format!("{name}-{count}") });
        *count += 1;
    }
    found
}

fn anchor(title: &str) -> String {
    let shown = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    let lower = link_texts(title).to_lowercase();
    lower
        .chars()
        .filter(shown)
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

/// Returns a title with every link replaced by its text.
fn link_texts(title: &str) -> String {
    let mut shown = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        shown.push_str(before);
        rest = closing(after).map_or("", |end| &after[end + 1..]);
    }
    shown + rest
}

/// Returns the lines outside fenced code, with their numbers.
pub(super) fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => lines.push((number, line)),
            _ => {}
        }
    }
    lines
}

/// Returns the line with `code` spans blanked.
pub(super) fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_owned();
    }
    let outside = |(index, part): (usize, &&str)| {
        if index % 2 == 0 { (*part).to_owned() } else { String::new() }
    };
    parts.iter().enumerate().map(outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn messages(pages: &[TextFile]) -> Vec<String> {
        let paths: Vec<String> = pages.iter().map(|page| page.path.clone()).collect();
        check(pages, &paths)
            .into_iter()
            .map(|problem| format!("{}: {}", problem.place, problem.message))
            .collect()
    }

    #[test]
    fn links_to_files_directories_and_headings_are_followed() {
        let pages = [
            page(
                "README.md",
                "[m](docs/README.md) [c](docs/a.md#two-words-here \"t\") [d](docs) [w](https://x.org/y) [s](#top)\n# Top",
            ),
            page("docs/README.md", "[a](a.md) [up](../README.md)\n\n[x]: ./a.md#two-words-here-1"),
            page(
                "docs/a.md",
                "# Two *words*, `here`\n# Two words here\n```\n[no](nowhere.md)\n```\n`[no](nowhere.md)`",
            ),
        ];
        assert_eq!(messages(&pages), Vec::<String>::new());
    }

    #[test]
    fn a_link_to_nowhere_is_told_with_its_line() {
        let pages = [
            page("docs/README.md", "fine\n[a](b.md) [o](../../out.md) [h](#nope)\n# Yes"),
            page("docs/lonely.md", ""),
        ];
        let told = messages(&pages);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].starts_with("docs/README.md:2: ") && told[0].contains("`docs/b.md`"));
        assert!(told[1].contains("out of the project"));
        assert!(told[2].contains("no heading `#nope`; it has: yes"));
        assert!(told[3].starts_with("docs/lonely.md: cannot be found"));
    }
}
