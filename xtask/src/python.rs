//! The Python packages that the tests speak with: clients of vendors whose protocols are spoken here.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::tools::{self, install, is_debian, is_root};
use crate::workspace::{Workspace, answers, run};

/// What the packages are, with their versions.
const REQUIREMENTS: &str = "crates/cli/tests/clients/requirements.txt";

/// Where they are put, in the target directory; the tests look there.
const ENVIRONMENT: &str = "python";

/// The list that was installed, in the environment.
const INSTALLED: &str = "installed.txt";

/// Brings the packages into an environment of their own, or says why the tests that need them are
/// skipped.
///
/// # Errors
/// When they cannot be had on a machine of CI, where no test may be skipped.
pub(crate) fn ensure(workspace: &Workspace, may_install: bool) -> Result<()> {
    let requirements = workspace.read(REQUIREMENTS)?;
    let environment = workspace.target()?.join(ENVIRONMENT);
    let installed = environment.join(INSTALLED);
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        println!("all there: the Python packages of {REQUIREMENTS}");
        return Ok(());
    }
    let made = if may_install {
        make(workspace, &environment)
            .and_then(|()| std::fs::write(&installed, requirements).context("cannot note it"))
    } else {
        Err(anyhow::anyhow!("not installing because of --no-install"))
    };
    match made {
        Err(error) if tools::is_ci() => Err(error.context("CI=true asks for all tests")),
        Err(error) => {
            println!("tests with the clients of vendors are skipped and say so: {error:#}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn make(workspace: &Workspace, environment: &Path) -> Result<()> {
    println!("installing the Python packages of {REQUIREMENTS} into {}", environment.display());
    // Debian packages Python without what makes environments.
    let can_make = answers(Command::new("python3").args(["-c", "import ensurepip, venv"]));
    if !can_make && is_debian() && is_root() {
        install(&["python3-venv"])?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(workspace.root().join(REQUIREMENTS)))
}
