//! `tocsin secret rotate-key`: another master key, and nothing that was sealed is lost on the way,
//! wherever it is interrupted.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json;
use tempfile::TempDir;
use tocsin_server::secrets::MasterKey;
use tokio::process::Command;

use crate::support::api::firing;
use crate::support::hook::Hook;
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::{until, within};

const NOW: &str = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s\n";

/// What the sealed values of this test are bound to.
const PLACES: [&str; 2] = ["secret/hook", "tenant/acme/secret/hook"];

/// Two tenants whose receivers are stored secrets.
struct Stage {
    tocsin: Tocsin,
    hook: Hook,
    fired: usize,
    files: TempDir,
}

impl Stage {
    async fn start() -> Self {
        let (hook, files) = (Hook::start().await, tempfile::tempdir().unwrap());
        let config = hook.config(NOW).replace(&hook.url("/hook"), "\"${secret:hook}\"");
        let main = format!("{config}tenants: [{{ name: acme, config: acme.yaml }}]\n");
        std::fs::write(files.path().join("tocsin.yaml"), main).unwrap();
        let open = format!("{config}access: {{ loopback: open }}\n");
        std::fs::write(files.path().join("acme.yaml"), open).unwrap();
        let setup = Setup::default().config(files.path().join("tocsin.yaml"));
        let tocsin = setup.start("").await;
        let stage = Self { tocsin, hook, fired: 0, files };
        for tenant in ["", "/t/acme"] {
            let url = stage.tocsin.url(&format!("{tenant}/api/v1/secrets/hook"));
            let value = json!({ "value": stage.hook.url("/hook") });
            let set = stage.tocsin.client().put(url).json(&value).send().await.unwrap();
            assert_eq!(set.status(), 200);
        }
        stage
    }

    fn key_file(&self) -> PathBuf {
        self.tocsin.data().join("secrets.key")
    }

    fn keys(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.key_file()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Sends an alert to each tenant, whose messages arrive only when the secret opens.
    async fn all_opens(&mut self) {
        for tenant in ["", "/t/acme"] {
            self.fired += 1;
            let name = format!("A{}", self.fired);
            let alerts = json!([firing(&[("alertname", &name)])]);
            let path = format!("{tenant}/api/v2/alerts");
            assert_eq!(self.tocsin.post(&path, &alerts).await.pair(), (200, ""));
            self.hook.told(&[&format!("{name} firing")]).await;
        }
    }

    /// Returns all values that a copy of the database holds sealed.
    async fn sealed(&self) -> Vec<String> {
        let copy = self.tocsin.data().parent().unwrap().join("copy.db");
        let words = ["backup", "--force", "--storage.path"].map(str::to_owned);
        let paths = [self.tocsin.data(), &copy].map(|path| path.to_str().unwrap().to_owned());
        let made = tocsin(words.into_iter().chain(paths)).await;
        assert!(made.status.success(), "{made:?}");
        let sealed = sealed_in(&std::fs::read(&copy).unwrap());
        std::fs::remove_file(&copy).unwrap();
        sealed
    }
}

/// Returns the sealed values among the bytes of a database that has no leftovers.
fn sealed_in(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let values = text.split("\"sealed\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    values.map(str::to_owned).collect()
}

/// Returns which of the values a key opens.
fn opened(key: &str, sealed: &[String]) -> usize {
    let key = MasterKey::parse(key, "the test").unwrap();
    let opens = |value: &&String| PLACES.iter().any(|place| key.open_sealed(place, value).is_ok());
    sealed.iter().filter(opens).count()
}

async fn tocsin(words: impl IntoIterator<Item = String>) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_tocsin")).args(words).output();
    within("the command ends", output).await.unwrap()
}

async fn rotate(directory: &Path) -> String {
    let words = ["secret", "rotate-key", "--storage.path", directory.to_str().unwrap()];
    let output = tocsin(words.map(str::to_owned)).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test]
async fn a_new_key_opens_everything_and_the_old_one_nothing() {
    let mut stage = Stage::start().await;
    stage.all_opens().await;
    let old = stage.keys().remove(0);
    let before = stage.sealed().await;
    assert_eq!((before.len(), opened(&old, &before)), (2, 2), "{before:?}");

    let said = rotate(stage.tocsin.data()).await;
    assert!(said.contains("a new key above 1 older"), "{said}");
    assert!(said.contains(&format!("process {}", stage.tocsin.pid())), "{said}");
    let keys = stage.keys();
    assert_eq!((keys.len(), &keys[1]), (2, &old));
    let renewed = until("everything is sealed anew", async || {
        let sealed = stage.sealed().await;
        (opened(&keys[0], &sealed) == 2).then_some(sealed)
    });
    let renewed = renewed.await;
    assert_eq!((renewed.len(), opened(&old, &renewed)), (2, 0), "{renewed:?}");
    stage.tocsin.logged("sealed anew").await;
    stage.all_opens().await;

    // The old line can go now.
    std::fs::write(stage.key_file(), format!("{}\n", keys[0])).unwrap();
    assert!(stage.tocsin.stop().await.success());
    stage.tocsin.start_again().await;
    stage.all_opens().await;
    // And the old key is of no use to whoever kept it.
    assert!(stage.tocsin.stop().await.success());
    std::fs::write(stage.key_file(), format!("{old}\n")).unwrap();
    stage.tocsin.start_again().await;
    stage.tocsin.logged("secrets cannot be sealed anew: secret/hook: a sealed secret").await;
    stage.tocsin.tell(&[firing(&[("alertname", "Closed")])]).await;
    stage.tocsin.logged("the secret `hook` does not open").await;
}

#[tokio::test]
async fn a_change_of_keys_that_is_interrupted_loses_nothing() {
    let mut stage = Stage::start().await;
    let old = stage.keys().remove(0);
    // The command was ended while it wrote: what it left behind is no key file.
    let left = stage.tocsin.data().join("secrets.key.new");
    std::fs::write(&left, &old[..7]).unwrap();
    stage.all_opens().await;
    // The server ends at once, when the file is there and before, while and after it seals anew.
    for round in 0..8_u64 {
        if round % 2 == 0 {
            rotate(stage.tocsin.data()).await;
            stage.tocsin.kill().await;
        } else {
            stage.tocsin.kill().await;
            let said = rotate(stage.tocsin.data()).await;
            assert!(said.contains("no server runs on it"), "{said}");
            stage.tocsin.launch();
            // From before anything is read to after everything is done.
            tokio::time::sleep(std::time::Duration::from_millis(round * round * 10)).await;
            stage.tocsin.kill().await;
        }
        assert!(!left.exists());
        stage.tocsin.start_again().await;
        stage.all_opens().await;
        let (keys, sealed) = (stage.keys(), stage.sealed().await);
        let file = keys.join("\n");
        assert_eq!((sealed.len(), opened(&file, &sealed)), (2, 2), "round {round}");
        // A start seals anew before it listens, so only the newest key is needed from here on.
        assert_eq!(opened(&keys[0], &sealed), 2, "round {round}");
    }
    assert_eq!(stage.keys().len(), 9);
    assert_eq!(stage.keys().last(), Some(&old));
}

#[tokio::test]
async fn the_secrets_of_every_tenant_are_known_to_the_doctor_and_to_config_check() {
    let stage = Stage::start().await;
    let file = stage.files.path().join("tocsin.yaml").to_str().unwrap().to_owned();
    let data = stage.tocsin.data().to_str().unwrap().to_owned();
    let ask = async |words: &[&str]| {
        let output = tocsin(words.iter().map(|word| (*word).to_owned())).await;
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let check = ["config", "check", &file, "--storage.path", &data];
    let doctor = ["doctor", "--config.file", &file, "--storage.path", &data];
    let (is_well, said) = ask(&check).await;
    assert!(is_well, "{said}");
    let (_, said) = ask(&doctor).await;
    assert!(said.contains("tenant `acme`: 1 secret is referred to, and stored"), "{said}");

    let url = stage.tocsin.url("/t/acme/api/v1/secrets/hook");
    let removed = stage.tocsin.client().delete(url).send().await.unwrap();
    assert_eq!(removed.status(), 204);
    let (is_well, said) = ask(&check).await;
    assert!(!is_well && said.contains("not usable: the secret `hook` is not stored"), "{said}");
    assert!(said.contains("tocsin.yaml: usable"), "the default tenant has its own: {said}");
    let (is_well, said) = ask(&doctor).await;
    assert!(!is_well, "{said}");
    assert!(said.contains("tenant `acme`: the secret `hook` is not stored"), "{said}");
    assert!(said.contains("1 secret is referred to, and stored"), "{said}");
}
