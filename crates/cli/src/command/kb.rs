//! `tocsin kb`: what was written down, found again.

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::json;
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
    #[command(after_help = EXIT_CODES)]
    Add {
        /// What it is about, in one line.
        #[arg(value_name = "TITLE")]
        title: String,

        /// What it says, in Markdown.
        #[arg(value_name = "TEXT", required_unless_present = "file")]
        text: Option<String>,

        /// The file with what it says.
        #[arg(long, value_name = "FILE", conflicts_with = "text")]
        file: Option<std::path::PathBuf>,

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
            let path = format!("/api/v1/kb/articles/{}", segment(&number.to_string()));
            let answer = client.get(&path, &[]).await?;
            match format {
                Format::Json => output::print(answer.text()?),
                _ => output::print(&text(&answer.json()?)),
            }
        }
        KbCommand::Add { title, text: said, file, kind, tag, service, team, incident } => {
            let said = match (said, file) {
                (Some(said), _) => said,
                (None, Some(file)) => std::fs::read_to_string(&file)
                    .with_context(|| format!("{} cannot be read", file.display()))?,
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
    }
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
