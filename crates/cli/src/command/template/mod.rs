//! `tocsin template`: try out what messages say.

mod data;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_template::{Conditions, Escaping, Limits, Templates};

use crate::failure::{EXIT_CODES, Failure};
use crate::output;

/// The most files that patterns may name together.
const MAX_FILES: usize = 1_000;

/// The most bytes of one file of templates or of data.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The name of what is given on the command line, for errors.
const TEXT: &str = "--template.text";

/// Try out what messages say.
#[derive(Args, Clone, Debug)]
pub(crate) struct TemplateArgs {
    #[command(subcommand)]
    command: TemplateCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum TemplateCommand {
    /// Print what a text with templates becomes.
    ///
    /// The built-in templates are always there: `tocsin template render --template.text
    /// '{{ template "slack.default.title" . }}'`.
    #[command(after_help = EXIT_CODES)]
    Render(RenderArgs),
}

#[derive(Args, Clone, Debug)]
struct RenderArgs {
    /// A pattern of files with templates, such as 'templates/*.tmpl'; may be given several times.
    #[arg(long = "template.glob", value_name = "PATTERN")]
    globs: Vec<String>,

    /// The text to fill in.
    #[arg(long = "template.text", value_name = "TEXT")]
    text: String,

    /// Whether the text is plain or a page, in which values are escaped.
    #[arg(long = "template.type", default_value = "text", value_name = "TYPE")]
    kind: Kind,

    /// A JSON file with the data, shaped like the body of a webhook; an example of a firing and a
    /// resolved alert unless given.
    #[arg(long = "template.data", value_name = "FILE")]
    data: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Text,
    Html,
}

/// Runs the command.
pub(crate) fn run(args: &TemplateArgs) -> Result<()> {
    let TemplateCommand::Render(args) = &args.command;
    let now = SystemClock.now();
    let templates = templates(&args.globs)?;
    let (notification, external_url) = match &args.data {
        Some(path) => data::read(path, &text_of(path)?, now)?,
        None => (data::example(now), data::EXAMPLE_URL.to_owned()),
    };
    let data = tocsin_template::data(&Arc::new(notification), &external_url);
    let escaping = match args.kind {
        Kind::Text => Escaping::None,
        Kind::Html => Escaping::Html,
    };
    let conditions = Conditions { now, limits: Limits::default() };
    templates
        .check_as(TEXT, &args.text, escaping)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let rendered = templates
        .render(TEXT, &args.text, escaping, &data, conditions)
        .map_err(|error| Failure::no(error.to_string()))?;
    output::print(&rendered)
}

fn templates(globs: &[String]) -> Result<Templates> {
    let mut templates = Templates::builtin();
    let mut files = 0;
    for pattern in globs {
        let paths = glob::glob(pattern).map_err(|error| {
            Failure::usage(format!("`{pattern}` is not a pattern of files: {}", error.msg))
        })?;
        for path in paths {
            let path = path.map_err(|error| Failure::usage(error.to_string()))?;
            files += 1;
            if files > MAX_FILES {
                let message = format!("the patterns name more than {MAX_FILES} files");
                return Err(Failure::usage(message).into());
            }
            templates
                .add_file(&path.to_string_lossy(), &text_of(&path)?)
                .map_err(|error| Failure::usage(error.to_string()))?;
        }
    }
    Ok(templates)
}

fn text_of(path: &PathBuf) -> Result<String> {
    use std::io::Read as _;
    let failed = |why: String| Failure::usage(format!("cannot read {}: {why}", path.display()));
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(failed(format!("it is longer than {MAX_FILE_BYTES} bytes")).into());
    }
    Ok(text)
}
