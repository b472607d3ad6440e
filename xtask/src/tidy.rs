//! The house rules as checks. Each complaint names the place and says how to mend it.

mod adr;
mod arrows;
mod crates;
mod files;
mod links;
mod source;
mod words;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use source::Source;

/// One breach of a house rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file, with the line where there is one.
    place: String,
    /// What is wrong and how to mend it.
    message: String,
    /// Whether it is told without failing.
    is_warning: bool,
}

impl Problem {
    fn at(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), is_warning: false }
    }

    fn on_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self::at(format!("{path}:{line}"), message)
    }
}

/// A file of the project with its text.
pub(crate) struct TextFile {
    path: String,
    text: String,
}

/// Checks every house rule, prints what is wrong and fails when anything is.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let problems = problems(workspace)?;
    for problem in &problems {
        let kind = if problem.is_warning { "warning" } else { "error" };
        println!("{kind}: {}: {}", problem.place, problem.message);
    }
    let errors = problems.iter().filter(|problem| !problem.is_warning).count();
    if errors > 0 {
        bail!("{errors} breaches of the house rules");
    }
    println!("the house rules hold");
    Ok(())
}

fn problems(workspace: &Workspace) -> Result<Vec<Problem>> {
    let paths = workspace.files()?;
    let metadata = workspace.metadata(&["--no-deps", "--offline"])?;
    let mut problems = arrows::check(&metadata);
    problems.extend(adr::check(&files_of(workspace, &paths, adr::is_record)));
    problems.extend(crates::check(workspace, &paths, &metadata)?);

    let pages = files_of(workspace, &paths, |path| path.ends_with(".md"));
    problems.extend(links::check(&pages, &paths));
    problems.extend(files::check_pages(&pages));

    let all = files_of(workspace, &paths, |_| true);
    problems.extend(files::check_machine_paths(&all, workspace.root()));
    for file in all.iter().filter(|file| file.path.ends_with(".rs")) {
        problems.extend(files::check_length(file));
        let source = Source::read(&file.path, &file.text);
        problems.extend(words::check(&source));
    }
    problems.sort_by(|a, b| (a.is_warning, &a.place).cmp(&(b.is_warning, &b.place)));
    Ok(problems)
}

/// Returns the chosen files with their text; what is not UTF-8 is no text.
fn files_of(
    workspace: &Workspace,
    paths: &[String],
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<TextFile> {
    paths
        .iter()
        .filter(|path| is_wanted(path))
        .filter_map(|path| Some(TextFile { path: path.clone(), text: workspace.read(path).ok()? }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_rules_hold() {
        let workspace = Workspace::find().expect("the workspace of these tests");
        let errors: Vec<String> = problems(&workspace)
            .expect("a readable tree")
            .into_iter()
            .filter(|problem| !problem.is_warning)
            .map(|problem| format!("{}: {}", problem.place, problem.message))
            .collect();
        assert!(errors.is_empty(), "`cargo xtask tidy` complains:\n{}", errors.join("\n"));
    }

    /// A reader that lost its way in a literal or comment would leave braces without partners.
    #[test]
    fn every_source_file_is_taken_apart_rightly() {
        let workspace = Workspace::find().expect("the workspace of these tests");
        let paths = workspace.files().expect("a list of files");
        for file in files_of(&workspace, &paths, |path| path.ends_with(".rs")) {
            let source = Source::read(&file.path, &file.text);
            let count = |brace: char| -> usize {
                source.numbered().map(|(_, line)| line.code.matches(brace).count()).sum()
            };
            assert_eq!(count('{'), count('}'), "{}", file.path);
        }
    }
}
