//! What is shown to others: no secret, and nothing that amtool cannot read.

use std::path::Path;
use std::process::Command;

use tocsin_config::{LoadOptions, Loaded, load, load_str};

fn fixture(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    load(&path, &LoadOptions::default()).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn no_secret_is_ever_printed() {
    for name in ["full.yml", "newer.yml"] {
        let loaded = fixture(name);
        let texts = [
            loaded.show(),
            loaded.original_yaml(),
            format!("{loaded:?}"),
            format!("{:?}", loaded.config),
            format!("{:?}", loaded.policy),
        ];
        for text in texts {
            let leak = text.lines().find(|line| line.contains("CANARY"));
            assert_eq!(leak, None, "{name}");
        }
    }
}

#[test]
fn complaints_do_not_repeat_secrets() {
    let text = "global:\n  slack_api_url: CANARY-a\n  smtp_auth_password: [CANARY-b]\n  \
                http_config: {proxy_url: 'ftp://u:CANARY-c@x'}\nroute: {receiver: a}\n";
    let report = load_str("tocsin.yaml", text, &LoadOptions::default()).unwrap_err();
    assert!(report.errors().count() >= 3);
    assert!(!report.to_string().contains("CANARY"), "{report}");
}

/// Damages every line of a good file in a few ways: nothing may panic, and no complaint may repeat
/// a secret.
#[test]
fn damaged_files_neither_panic_nor_leak() {
    for name in ["full.yml", "newer.yml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            // Most lines are much alike; those around secrets are all tried.
            let near = &lines[index.saturating_sub(1)..lines.len().min(index + 2)];
            if !near.iter().any(|line| line.contains("CANARY")) && index % 7 != 0 {
                continue;
            }
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            let damaged = [
                String::new(),
                line.replacen(':', "", 1),
                line.replacen(": ", "x: ", 1),
                line.replacen(": ", ": [", 1),
                line.replacen("https", "ftp", 1),
                format!("{line}\n{line}"),
                format!(" {line}"),
                format!("{indent}- {}", line.trim_start()),
                format!("{line} \""),
            ];
            for damage in damaged {
                let mut changed = lines.clone();
                changed[index] = &damage;
                let changed = changed.join("\n");
                let said = match load_str("tocsin.yaml", &changed, &LoadOptions::default()) {
                    Ok(loaded) => format!("{}{}", loaded.show(), loaded.original_yaml()),
                    Err(report) => report.to_string(),
                };
                let leak = said.lines().find(|line| line.contains("CANARY"));
                // A canary that stands where no secret belongs is none.
                assert_eq!(leak, None, "{name}:{}: {damage}", index + 1);
            }
        }
    }
}

#[test]
fn only_keys_that_alertmanager_knows_are_in_the_original() {
    let original = fixture("newer.yml").original_yaml();
    for native in ["compat", "retention", "limits", "maintenance", "stdout_configs", "by_severity"]
    {
        assert!(!original.contains(&format!("{native}:")), "{native}\n{original}");
    }
    for kept in ["slack_app_token: \"<secret>\"", "  labels:", "msteams_configs:", "tracing:"] {
        assert!(original.contains(kept), "{kept}\n{original}");
    }
}

#[test]
fn the_original_is_what_alertmanager_would_show() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let original = fixture("full.yml").original_yaml().replace(directory, "/etc/tocsin");
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!("original", original);
    });
}

#[test]
fn everything_in_effect_is_shown_with_its_origin() {
    let text = "global: {smtp_from: a@b, smtp_smarthost: 'h:25'}\nroute:\n  receiver: a\n  \
                group_wait_by_severity: standard\n  routes: [{matchers: [x=1], group_wait: 1s}]\n\
                receivers:\n- name: a\n  email_configs:\n  - to: c@d\ncompat: alertmanager\n";
    let loaded = load_str("tocsin.yaml", text, &LoadOptions::default()).unwrap();
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!("show", loaded.show());
    });
}

/// Runs amtool on a text; `None` where it is not installed.
fn amtool(arguments: &[&str], text: &str) -> Option<(bool, String)> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("alertmanager.yml");
    std::fs::write(&file, text).expect("the file can be written");
    let output = Command::new("amtool").args(arguments).arg(&file).output().ok()?;
    let both = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&both).into_owned()))
}

#[test]
fn amtool_reads_the_original() {
    let original = fixture("full.yml").original_yaml();
    let Some((accepted, said)) = amtool(&["check-config"], &original) else {
        eprintln!("skipped: amtool is not installed");
        return;
    };
    assert!(accepted, "{said}\n{original}");
    for count in ["3 inhibit rules", "5 receivers"] {
        assert!(said.contains(count), "{said}");
    }
    let (accepted, said) = amtool(&["config", "routes", "--config.file"], &original).unwrap();
    assert!(accepted, "{said}");
    assert!(said.contains(r#"{severity=~"critical|warning",team="db"}  continue: true"#), "{said}");
}

#[test]
fn the_original_loads_again_and_decides_the_same() {
    let full = fixture("full.yml");
    let again = load_str("alertmanager.yml", &full.original_yaml(), &LoadOptions::default());
    let again = again.unwrap_or_else(|report| panic!("{report}"));
    let nodes = |loaded: &Loaded| format!("{:?}", loaded.policy.routes);
    assert_eq!(nodes(&full), nodes(&again));
    let rest = |loaded: &Loaded| {
        format!("{:?}{:?}", loaded.policy.inhibit_rules, loaded.policy.time_intervals)
    };
    assert_eq!(rest(&full), rest(&again));
    assert_eq!(full.original_yaml(), again.original_yaml());
}
