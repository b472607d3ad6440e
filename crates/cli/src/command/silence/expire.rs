//! `tocsin silence expire`.

use anyhow::Result;

use super::{path, unknown};
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{count, note};

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Expire {
    /// Which silences.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Ends silences; one that cannot be ended does not keep the others from it.
pub(super) async fn run(client_args: &ClientArgs, expire: &Expire) -> Result<()> {
    let paths = expire.ids.iter().map(|id| path(id)).collect::<Result<Vec<_>, _>>()?;
    let client = Client::new(&client_args.server)?;
    let mut failures = Vec::new();
    for (id, path) in expire.ids.iter().zip(&paths) {
        let answer = client.delete(path).await?;
        if answer.status() == 404 {
            failures.push(unknown(&format!("with the id {id}")));
        } else if let Err(error) = answer.into_success() {
            failures.push(error.downcast::<Failure>()?);
        }
    }
    match failures.pop() {
        None => Ok(()),
        Some(only) if expire.ids.len() == 1 => Err(only.into()),
        Some(last) => {
            failures.push(last);
            for failure in &failures {
                note(&format!("tocsin: {failure}"));
            }
            let of = count(expire.ids.len(), "silence", "silences");
            Err(Failure::no(format!("{} of {of} could not be ended", failures.len())).into())
        }
    }
}
