//! The first administrator: made at the first start, by a link that is printed once.

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{
    Actor, Directory, Grant, Handle, IdentityChange, Permission, Person, PersonOrigin, Role, Scope,
};
use tocsin_server::App;
use tracing::info;

/// How long the link works.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What the first administrator is called unless somebody is one already.
const HANDLE: &str = "admin";

/// Prints a link that makes its opener the administrator: at the first start, or when `is_wanted`.
///
/// `local` is the address under which this machine itself reaches the server, when nobody said how
/// others do: browsers keep a sign-in over plain HTTP only there.
pub(super) async fn welcome(app: &App, local: Option<&str>, is_wanted: bool) -> Result<()> {
    let directory = app.engine.directory();
    let known = administrator(&directory);
    // Where the listener's own file says who is let in, nobody has to be made here; it says nothing
    // about other tenants.
    let is_main = app.options.is_default_tenant();
    let is_open = app.web.is_open() || !is_main;
    let is_first = known.is_none() && !directory.has_accounts() && is_open;
    if !is_first && !is_wanted {
        return Ok(());
    }
    let handle = match known {
        Some(handle) => handle,
        None => make(app).await?,
    };
    let link = tocsin_server::sign_in::make_link(app, handle.clone(), LINK_LIFE).await;
    let mut url = link.map_err(|why| anyhow::anyhow!("no link can be made: {why}"))?;
    if let (Some(local), Some(path)) = (local, url.strip_prefix(&app.options.external_url)) {
        url = format!("{local}{path}");
    }
    if !is_main {
        let tenant = &app.options.tenant;
        info!(
            "to sign in as the administrator `{handle}` of the tenant `{tenant}` and choose a \
             password, open {url} within a week"
        );
        return Ok(());
    }
    info!(
        "to sign in as the administrator `{handle}` and choose a password, open {url} within a \
         week; until somebody has an account, whoever works on this machine may do everything"
    );
    Ok(())
}

/// Returns an administrator who is active, preferably one made here.
fn administrator(directory: &Directory) -> Option<Handle> {
    let may = |person: &Person| {
        directory.access_of(person.handle.as_str()).allows(Permission::PeopleWrite)
    };
    directory.people().find(|person| may(person)).map(|person| person.handle.clone())
}

async fn make(app: &App) -> Result<Handle> {
    let handle = Handle::parse(HANDLE)?;
    let person = Person {
        handle: handle.clone(),
        name: "Administrator".to_owned(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        contact_methods: Vec::new(),
        expertise: Vec::new(),
        manager: None,
        grants: vec![Grant { role: Role::Admin, scope: Scope::Tenant }],
        is_active: true,
        origin: PersonOrigin::Api,
    };
    let order = Command::Identity(IdentityChange::AddPerson(Box::new(person))).by(Actor::OPERATOR);
    match app.engine.command(order).await.context("the first administrator cannot be made")? {
        Reply::Done => Ok(handle),
        other => anyhow::bail!("the first administrator cannot be made: {other:?}"),
    }
}
