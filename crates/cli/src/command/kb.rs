//! `tocsin kb`: what was written down, found again.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tocsin_wire::v1::{Article, KnowledgePage};

use crate::client::{Client, ClientArgs, segment};
use crate::failure::EXIT_CODES;
use crate::output::{self, Format, Rows, Tone, clean, instant, note};

/// Search what was learned, and write articles.
#[derive(Args, Clone, Debug)]
pub(crate) struct KbArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: KbCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum KbCommand {
    /// Search incidents, comments, postmortems, action items, runbooks and articles.
    #[command(after_help = EXIT_CODES)]
    Search {
        /// Words, and phrases in double quotes.
        #[arg(value_name = "WORDS", required = true)]
        words: Vec<String>,

        #[command(flatten)]
        filter: Filter,
    },
    /// List articles, or documents of another kind, the newest first.
    #[command(after_help = EXIT_CODES)]
    List {
        #[command(flatten)]
        filter: Filter,
    },
    /// Show an article.
    #[command(after_help = EXIT_CODES)]
    Show {
        /// Its number.
        #[arg(value_name = "NUMBER")]
        number: u64,
    },
    /// Write an article.
    #[command(visible_alias = "new", after_help = EXIT_CODES)]
    Add {
        /// What it is about, in one line.
        #[arg(value_name = "TITLE")]
        title: String,

        /// What it says, in Markdown.
        #[arg(value_name = "TEXT", required_unless_present = "file")]
        text: Option<String>,

        /// The file with what it says.
        #[arg(long, value_name = "FILE", conflicts_with = "text")]
        file: Option<PathBuf>,

        /// best_practice or lesson.
        #[arg(long, default_value = "lesson", value_name = "KIND")]
        kind: String,

        /// A word by which it is found; may be repeated.
        #[arg(long, value_name = "TAG")]
        tag: Vec<String>,

        /// The service that it is for.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
        service: String,

        /// The team that it is for.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
        team: String,

        /// The number of the incident that it was learned from.
        #[arg(long, value_name = "NUMBER")]
        incident: Option<u64>,
    },
    /// Change an article; what is not named stays.
    #[command(after_help = EXIT_CODES)]
    Edit {
        /// Its number.
        #[arg(value_name = "NUMBER")]
        number: u64,

        #[command(flatten)]
        change: Box<Change>,
    },
    /// Archive an article that holds no more: it is found only by those who ask for it.
    #[command(after_help = EXIT_CODES)]
    Archive {
        /// Its number.
        #[arg(value_name = "NUMBER")]
        number: u64,

        /// It holds again.
        #[arg(long)]
        undo: bool,
    },
}

/// What is to be changed of an article.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true)]
struct Change {
    /// What it is about, in one line.
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,

    /// What it says, in Markdown.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,

    /// The file with what it says.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// best_practice or lesson.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// A word by which it is found, in the place of those it has; may be repeated, and empty for
    /// none.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// The service that it is for; empty for any.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The team that it is for; empty for any.
    #[arg(long, value_name = "NAME")]
    team: Option<String>,

    /// The number of the incident that it was learned from; 0 for none.
    #[arg(long, value_name = "NUMBER")]
    incident: Option<u64>,
}

impl Change {
    /// Returns an article as it is to be.
    fn apply(self, it: Article) -> Result<Value> {
        let said = match (self.text, self.file) {
            (Some(said), _) => said,
            (None, Some(file)) => read(&file)?,
            (None, None) => it.body,
        };
        let tags = if self.tag.is_empty() { it.tags } else { self.tag };
        let tags: Vec<String> = tags.into_iter().filter(|tag| !tag.is_empty()).collect();
        Ok(json!({
            "title": self.title.unwrap_or(it.title),
            "body": said,
            "kind": self.kind.unwrap_or_else(|| it.kind.as_str().to_owned()),
            "tags": tags,
            "service": self.service.unwrap_or(it.service),
            "team": self.team.unwrap_or(it.team),
            "incident": self.incident.or(it.incident).filter(|number| *number > 0),
            "is_archived": it.is_archived,
        }))
    }
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

#[derive(Args, Clone, Debug)]
struct Filter {
    /// incident, comment, postmortem, action, runbook, best_practice or lesson; may be repeated.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,

    /// Only what has this tag; may be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// How many at most.
    #[arg(
        long,
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=99),
        value_name = "N"
    )]
    limit: u16,
}

/// Runs the command.
pub(crate) async fn run(args: KbArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let format = args.client.output;
    match args.command {
        KbCommand::Search { words, filter } => {
            find(&client, format, Some(words.join(" ")), filter).await
        }
        KbCommand::List { mut filter } => {
            if filter.kind.is_empty() {
                filter.kind = vec!["best_practice".to_owned(), "lesson".to_owned()];
            }
            find(&client, format, None, filter).await
        }
        KbCommand::Show { number } => {
            let answer = client.get(&path_of(number), &[]).await?;
            match format {
                Format::Json => output::print(answer.text()?),
                _ => output::print(&text(&answer.json()?)),
            }
        }
        KbCommand::Add { title, text: said, file, kind, tag, service, team, incident } => {
            let said = match (said, file) {
                (Some(said), _) => said,
                (None, Some(file)) => read(&file)?,
                (None, None) => String::new(),
            };
            let body = json!({
                "title": title,
                "body": said,
                "kind": kind,
                "tags": tag,
                "service": service,
                "team": team,
                "incident": incident,
            });
            let answer = client.post("/api/v1/kb/articles", &body).await?.into_success()?;
            if format == Format::Json {
                return output::print(answer.text()?);
            }
            let it: Article = answer.json()?;
            output::print(&format!("article {} is written: {}", it.number, clean(&it.title)))
        }
        KbCommand::Edit { number, change } => {
            let it: Article = client.get(&path_of(number), &[]).await?.json()?;
            let version = it.version;
            put(&client, format, (number, version), change.apply(it)?).await
        }
        KbCommand::Archive { number, undo } => {
            let it: Article = client.get(&path_of(number), &[]).await?.json()?;
            if it.is_archived != undo {
                let word = if undo { "holds" } else { "is archived" };
                note(&format!("article {number} {word} already"));
                return Ok(());
            }
            let version = it.version;
            let body = json!({
                "title": it.title,
                "body": it.body,
                "kind": it.kind.as_str(),
                "tags": it.tags,
                "service": it.service,
                "team": it.team,
                "incident": it.incident,
                "is_archived": !undo,
            });
            put(&client, format, (number, version), body).await
        }
    }
}

fn path_of(number: u64) -> String {
    format!("/api/v1/kb/articles/{}", segment(&number.to_string()))
}

/// Writes an article over the version that was read, and over no other.
async fn put(
    client: &Client,
    format: Format,
    (number, version): (u64, u64),
    body: Value,
) -> Result<()> {
    let tag = format!("\"{version}\"");
    let answer = client.put_with(&path_of(number), ("if-match", &tag), &body).await?;
    let answer = answer.into_success()?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let it: Article = answer.json()?;
    let title = clean(&it.title);
    let line = match (it.is_archived, it.version == version) {
        (_, true) => format!("article {number} said so already: {title}"),
        (true, _) => format!("article {number} is archived, version {}: {title}", it.version),
        (false, _) => format!("article {number} is written, version {}: {title}", it.version),
    };
    output::print(&line)
}

async fn find(
    client: &Client,
    format: Format,
    words: Option<String>,
    filter: Filter,
) -> Result<()> {
    let mut query = vec![("limit", filter.limit.to_string())];
    query.extend(words.map(|words| ("q", words)));
    query.extend(filter.kind.into_iter().map(|kind| ("kind", kind)));
    query.extend(filter.tag.into_iter().map(|tag| ("tag", tag)));
    let answer = client.get("/api/v1/kb/search", &query).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let page: KnowledgePage = answer.json()?;
    let mut rows =
        Rows::new(&["KIND", "WHICH", "WRITTEN", "TITLE", "WORDS"], output::is_coloured());
    for it in &page.items {
        rows.add([
            (it.kind.clone(), Tone::Plain),
            (it.key.clone(), Tone::Plain),
            (instant(it.at), Tone::Plain),
            (it.title.clone(), Tone::Plain),
            (it.excerpt.clone(), Tone::Faint),
        ]);
    }
    output::print(&rows.text())?;
    if page.is_partial {
        note("nothing has all of these words; what has some of them is shown");
    }
    if page.next_cursor.is_some() {
        note("there are more; raise --limit or narrow the filters");
    }
    Ok(())
}

/// Returns an article as text for people.
fn text(it: &Article) -> String {
    let kind = it.kind.as_str().replace('_', " ");
    let by = clean(&it.changed_by);
    let mut out = format!("{} ({kind} {}, version {})", clean(&it.title), it.number, it.version);
    out.push_str(&format!("\n  by {by}, {}", instant(it.changed_at)));
    if !it.tags.is_empty() {
        out.push_str(&format!("\n  tags: {}", clean(&it.tags.join(", "))));
    }
    out.push('\n');
    for line in it.body.lines() {
        out.push_str(&format!("\n{}", clean(line)));
    }
    out
}
