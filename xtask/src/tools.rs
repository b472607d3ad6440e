//! Other people's programs that the tests speak with, and how they come onto the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{answers, output_of, run};

/// A program that some tests need.
struct Tool {
    program: &'static str,
    debian_package: &'static str,
    used_for: &'static str,
}

const TOOLS: [Tool; 2] = [
    Tool {
        program: "prometheus",
        debian_package: "prometheus",
        used_for: "a rule that fires in a real Prometheus and its message",
    },
    Tool {
        program: "amtool",
        debian_package: "prometheus-alertmanager",
        used_for: "amtool against our API; Alertmanager beside us, compared and in benchmarks",
    },
];

/// Debian asks this program before it starts a service; exit code 101 means "do not".
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";

/// How long apt waits for another apt to finish.
const APT_LOCK_SECONDS: u32 = 300;

/// Returns whether this is a CI machine, where a missing tool is a failure.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| matches!(value.as_str(), "true" | "1"))
}

/// Brings the tools that the tests need, or says what is missing.
pub(crate) fn ensure(may_install: bool) -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        println!("all there: {}", TOOLS.map(|tool| tool.program).join(", "));
        return Ok(());
    }
    for tool in &missing {
        println!("missing: {} ({})", tool.program, tool.used_for);
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.debian_package).collect();
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !may_install {
        println!("not installing because of --no-install");
    } else if !is_debian() {
        println!("this is not Debian: install them with your system's means");
    } else if !is_root() {
        println!("not root, so nothing is installed here; as root: {by_hand}");
    } else if let Err(error) = install(&packages) {
        println!("installing failed: {error:#}");
    }
    let missing: Vec<&str> = self::missing().iter().map(|tool| tool.program).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if is_ci() {
        bail!("{} missing, and CI=true asks for all tests; {by_hand}", missing.join(", "));
    }
    println!("tests that need {} are skipped and say so", missing.join(", "));
    Ok(())
}

/// Installs Debian packages without starting the services they bring.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    println!("installing {} with apt-get; their services are not started", packages.join(", "));
    let _guard = ServiceGuard::put(Path::new(SERVICE_POLICY))?;
    let lock = format!("DPkg::Lock::Timeout={APT_LOCK_SECONDS}");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y", "-o", &lock]).args(arguments);
        run(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages].concat())
}

/// Keeps Debian from starting services while it lives; leaves a policy that exists alone.
struct ServiceGuard {
    written: Option<PathBuf>,
}

impl ServiceGuard {
    fn put(path: &Path) -> Result<Self> {
        if path.exists() {
            return Ok(Self { written: None });
        }
        std::fs::write(path, "#!/bin/sh\nexit 101\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
        let guard = Self { written: Some(path.to_owned()) };
        run(Command::new("chmod").arg("755").arg(path))?;
        Ok(guard)
    }
}

impl Drop for ServiceGuard {
    fn drop(&mut self) {
        if let Some(path) = &self.written
            && let Err(error) = std::fs::remove_file(path)
        {
            eprintln!(
                "cannot remove {}: {error}; services will not start until you do",
                path.display()
            );
        }
    }
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !is_on_path(tool.program)).collect()
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

pub(crate) fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && answers(Command::new("apt-get").arg("--version"))
}

pub(crate) fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_guard_goes_away_and_leaves_a_policy_that_was_there() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("policy");
        drop(ServiceGuard::put(&path).expect("guard"));
        assert!(!path.exists());

        std::fs::write(&path, "mine").expect("policy");
        drop(ServiceGuard::put(&path).expect("guard"));
        assert_eq!(std::fs::read_to_string(&path).expect("policy"), "mine");
    }

    #[test]
    fn programs_are_looked_for_on_the_path() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("a-program-nobody-has"));
    }
}
