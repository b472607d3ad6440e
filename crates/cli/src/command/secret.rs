//! `tocsin secret`: what messages are sent with, set here and never shown.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::json;
use tocsin_config::{MAX_SECRET_FILE_BYTES, is_secret_name};
use tocsin_server::secrets::MasterKey;
use tocsin_wire::v1::StoredSecrets;

use crate::client::{Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean, instant};
use crate::serve::KEY_FILE;

/// Set, list and remove what messages are sent with, and change the key that seals it.
///
/// The configuration uses a stored secret as `${secret:NAME}` wherever it takes a secret.
#[derive(Args, Clone, Debug)]
pub(crate) struct SecretArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum SecretCommand {
    /// Set a secret; what is sent from now on uses it.
    ///
    /// The value comes from the standard input or a file, never from the command line, which
    /// others on the machine can see. White space around it is dropped.
    #[command(after_help = EXIT_CODES)]
    Set {
        /// Letters, digits, `.`, `-` and `_`.
        #[arg(value_name = "NAME")]
        name: String,

        /// The file that holds the value; the standard input when it is not given.
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
    },
    /// List secrets: their names, who set them, and when they were used last.
    #[command(after_help = EXIT_CODES)]
    List,
    /// Remove a secret; what refers to it cannot be sent any more.
    #[command(after_help = EXIT_CODES)]
    Remove {
        /// As `tocsin secret list` shows it.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Put a new key above the old one in the key file, and tell the server to seal everything
    /// anew with it.
    ///
    /// The server's log says when that is done; then the old line can go. Keep a copy of the file
    /// apart from the backups of the database.
    #[command(after_help = EXIT_CODES)]
    RotateKey {
        /// The data directory, which holds the key file.
        #[arg(long = "storage.path", default_value = "data/", value_name = "DIR")]
        storage_path: PathBuf,
    },
}

/// Runs the command.
pub(crate) async fn run(args: SecretArgs) -> Result<()> {
    if let SecretCommand::RotateKey { storage_path } = &args.command {
        return rotate_key(storage_path);
    }
    let client = Client::new(&args.client.server)?;
    match args.command {
        SecretCommand::Set { name, from_file } => {
            if !is_secret_name(&name) {
                let why = "a name has at most 64 letters, digits, `.`, `-` and `_`, and begins \
                           with a letter or digit";
                return Err(Failure::usage(why).into());
            }
            let body = json!({ "value": value(from_file.as_deref())? });
            client.put(&format!("/api/v1/secrets/{name}"), &body).await?.into_success()?;
            output::note(&format!("{name} is stored; use it as ${{secret:{name}}}"));
            Ok(())
        }
        SecretCommand::List => {
            let answer = client.get("/api/v1/secrets", &[]).await?;
            if args.client.output == Format::Json {
                return output::print(answer.text()?);
            }
            let secrets: StoredSecrets = answer.json()?;
            let mut rows = Rows::new(&["NAME", "SET", "BY", "LAST USED"], output::is_coloured());
            for secret in &secrets.items {
                rows.add([
                    (clean(&secret.name), Tone::Plain),
                    (instant(secret.set_at), Tone::Plain),
                    (clean(&secret.set_by), Tone::Plain),
                    (secret.last_used_at.map(instant).unwrap_or_default(), Tone::Plain),
                ]);
            }
            output::print(&rows.text())
        }
        SecretCommand::Remove { name } => {
            client.delete(&format!("/api/v1/secrets/{name}")).await?.into_success()?;
            Ok(())
        }
        SecretCommand::RotateKey { .. } => Ok(()),
    }
}

/// Reads the value of a secret.
fn value(file: Option<&Path>) -> Result<String> {
    let (mut source, name): (Box<dyn std::io::Read>, String) = match file {
        Some(path) => {
            let name = path.display().to_string();
            let opened = std::fs::File::open(path);
            (Box::new(opened.map_err(|why| Failure::usage(format!("{name}: {why}")))?), name)
        }
        None => {
            if std::io::stdin().is_terminal() {
                output::note("type the value, then Ctrl-D; it shows while you type");
            }
            (Box::new(std::io::stdin()), "the standard input".to_owned())
        }
    };
    let mut text = String::new();
    // What is wrong with the text is not repeated: it is a secret.
    let read = source.by_ref().take(MAX_SECRET_FILE_BYTES + 1).read_to_string(&mut text);
    read.map_err(|why| Failure::usage(format!("{name} cannot be read: {why}")))?;
    if text.len() as u64 > MAX_SECRET_FILE_BYTES {
        let why = format!("{name} holds more than {MAX_SECRET_FILE_BYTES} bytes");
        return Err(Failure::usage(why).into());
    }
    match text.trim() {
        "" => Err(Failure::usage(format!("{name} is empty")).into()),
        text => Ok(text.to_owned()),
    }
}

fn rotate_key(directory: &Path) -> Result<()> {
    if std::env::var(crate::serve::KEY_VARIABLE).is_ok_and(|text| !text.is_empty()) {
        let why = format!(
            "the key comes from {}; put a new one before it there, and start the server anew",
            crate::serve::KEY_VARIABLE
        );
        return Err(Failure::usage(why).into());
    }
    let path = directory.join(KEY_FILE);
    let keys = MasterKey::rotate(&path)?;
    output::note(&format!("{} has a new key above {} older", path.display(), keys - 1));
    let Some(process) = tocsin_store::process_of(directory) else {
        output::note("no server runs on it; the next start seals everything anew");
        return Ok(());
    };
    let number = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    let number = number.context("the lock file names no process")?;
    rustix::process::kill_process(number, rustix::process::Signal::HUP)
        .with_context(|| format!("process {process} cannot be told; send it SIGHUP"))?;
    output::note(&format!(
        "process {process} was told to seal everything anew and to read its configuration; its \
         log says when older keys are no longer needed"
    ));
    Ok(())
}
