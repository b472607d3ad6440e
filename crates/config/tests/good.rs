//! Configurations that can be used, and what becomes of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_config::{LoadOptions, Loaded, Loopback, Settings, load, load_str};
use tocsin_core::compat::Compat;
use tocsin_core::labels::Labels;
use tocsin_core::policy::{GroupBy, Route};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn loaded(name: &str) -> Loaded {
    load(&fixture(name), &LoadOptions::default()).unwrap_or_else(|report| panic!("{report}"))
}

fn text(text: &str) -> Loaded {
    load_str("tocsin.yaml", text, &LoadOptions::default())
        .unwrap_or_else(|report| panic!("{report}"))
}

fn route(loaded: &Loaded, index: usize) -> &Route {
    &loaded.policy.routes.nodes[index]
}

fn names(route: &Route) -> Vec<&str> {
    match &route.group_by {
        GroupBy::All => vec!["..."],
        GroupBy::Names(names) => names.iter().map(AsRef::as_ref).collect(),
    }
}

#[test]
fn every_section_and_receiver_type_is_read() {
    let full = loaded("full.yml");
    assert_eq!(full.policy.resolve_timeout.as_secs(), 180);
    assert_eq!(full.policy.routes.nodes.len(), 5);
    assert_eq!(full.policy.inhibit_rules.len(), 3);
    assert_eq!(full.policy.receivers.len(), 5);
    assert_eq!(full.policy.time_intervals["nights"][0].times[1].end, 1440);
    assert_eq!(full.policy.time_intervals["office"][0].days_of_month.len(), 3);
    assert_eq!(full.policy.compat, Compat::NATIVE);
    assert_eq!(full.config.limits.max_request_bytes, 32 << 20);
    let newer = loaded("newer.yml");
    assert_eq!(newer.policy.limits.alerts, 50_000);
    assert_eq!(newer.policy.compat, Compat { exact_repeat: true, ..Compat::ALERTMANAGER });
    assert_eq!(newer.config.retention.alerts.as_hours(), 7 * 24);
    assert_eq!(newer.config.limits.max_request_bytes, 8 << 20);
    assert_eq!(newer.config.limits.requests_per_second, 50);
    assert_eq!(newer.config.event_recorder.unwrap().kafka_outputs[0].buffer_size, 1024);
    let window = &newer.policy.maintenance_windows[0];
    assert_eq!((window.duration.as_hours(), window.created_by.as_str()), (2, "configuration"));
}

#[test]
fn every_type_of_receiver_is_taken() {
    let full = loaded("full.yml");
    let receiver = full.policy.receiver("every_other").unwrap();
    assert_eq!(receiver.integrations.len(), 10);
}

#[test]
fn routes_inherit_what_alertmanager_inherits() {
    let full = loaded("full.yml");
    let [root, db, gold, checkout, rest] = [0, 1, 2, 3, 4].map(|index| route(&full, index));
    assert_eq!(names(root), ["alertname", "cluster"]);
    assert_eq!((&*db.receiver, names(db)), ("mail", vec!["..."]));
    assert!(db.is_continue && !gold.is_continue);
    assert_eq!((&*gold.receiver, names(gold)), ("mail", vec!["..."]));
    assert_eq!((names(checkout), names(rest)), (vec![], vec!["alertname", "cluster"]));
    assert_eq!((gold.group_interval.as_secs(), gold.repeat_interval.as_secs()), (120, 3600));
    assert_eq!((&*db.mute_time_intervals[0], &*db.active_time_intervals[0]), ("nights", "office"));
    assert!(gold.mute_time_intervals.is_empty() && gold.active_time_intervals.is_empty());
    assert_eq!(
        &*gold.key,
        r#"{}/{severity=~"critical|warning",team="db"}/{instance=~"db.*",tier="gold"}"#
    );
    assert_eq!(checkout.matchers.to_string(), r#"{region!="eu",service="checkout"}"#);
    assert!(full.policy.routes.matching(&Labels::from([("service", "checkout")])).len() == 1);
}

#[test]
fn native_route_options_and_labels_are_inherited() {
    let newer = loaded("newer.yml");
    let waits = |index: usize| {
        let waits = &route(&newer, index).group_wait_by_severity;
        waits.iter().map(|(name, wait)| (name.to_string(), wait.as_secs())).collect::<Vec<_>>()
    };
    let pair = |name: &str, wait: i64| (name.to_owned(), wait);
    assert_eq!(waits(0), [pair("critical", 0), pair("info", 60), pair("warning", 30)]);
    assert_eq!(waits(1), [pair("critical", 0), pair("page", 5)]);
    assert_eq!(route(&newer, 1).labels, Labels::from([("team", "db"), ("tier", "gold")]));
    assert_eq!(newer.policy.receivers[0].labels, Labels::from([("name", "all"), ("team", "ops")]));
}

#[test]
fn twins_among_siblings_have_keys_of_their_own() {
    let twins = text(
        "route:\n  receiver: a\n  routes:\n  - matchers: [x=1, y=2]\n  - matchers: [z=1]\n  \
         - matchers: ['y=2,x=1']\n    routes: [{matchers: [q=1]}]\nreceivers: [{name: a}]\n",
    );
    let keys = |index: usize| (&*route(&twins, index).key, &*route(&twins, index).unique_key);
    let twin = r#"{}/{x="1",y="2"}"#;
    assert_eq!(keys(1), (twin, twin));
    assert_eq!(keys(3), (twin, r#"{}/{x="1",y="2"}#2"#));
    assert_eq!(keys(4).1, r#"{}/{x="1",y="2"}#2/{q="1"}"#);
}

#[test]
fn receivers_take_over_what_global_says() {
    let full = loaded("full.yml");
    let settings = |receiver: &str, index: usize| {
        let receiver = full.config.receivers.iter().find(|r| &*r.name == receiver).unwrap();
        receiver.integrations[index].settings.clone()
    };
    let Settings::Email(first) = settings("mail", 0) else { panic!() };
    assert_eq!(first.smarthost.as_ref().unwrap().to_string(), "mail.example.org:587");
    assert_eq!(first.password().unwrap().read().unwrap().expose(), "CANARY-smtp");
    assert_eq!(
        (first.require_tls, first.hello.as_deref()),
        (Some(false), Some("tocsin.example.org"))
    );
    assert!(!first.is_implicit_tls());
    let Settings::Email(second) = settings("mail", 1) else { panic!() };
    assert_eq!(second.smarthost.as_ref().unwrap().host, "::1");
    // The pair of a value and its file is one thing: the global value does not hide the own file.
    assert_eq!(second.auth_password, None);
    assert_eq!(second.auth_password_file.as_deref(), Some(&*fixture("secrets/mail")));
    let Settings::Slack(slack) = settings("chat", 0) else { panic!() };
    assert!(slack.api_url.unwrap().expose().ends_with("CANARY-slack"));
    assert!(!slack.http_config.unwrap().follow_redirects);
    let Settings::Slack(own) = settings("chat", 2) else { panic!() };
    assert_eq!((own.api_url, own.api_url_file), (None, Some(fixture("secrets/slack"))));
    // A block of one's own replaces the global one as a whole.
    let Settings::Webhook(hook) = settings("hook", 0) else { panic!() };
    let http = hook.http_config.unwrap();
    assert!(http.follow_redirects && http.basic_auth.is_none() && http.proxy_url.is_none());
    assert_eq!(
        http.authorization.unwrap().credentials().unwrap().read().unwrap().expose(),
        "CANARY-bearer"
    );
    let integrations = &full.policy.receiver("hook").unwrap().integrations;
    assert_eq!((integrations[1].kind, integrations[1].index), ("webhook", 1));
    assert!(!integrations[0].send_resolved && integrations[1].send_resolved);
}

#[test]
fn a_slack_app_is_used_when_there_is_a_channel() {
    let both = text(
        "global: {slack_app_token: t, slack_api_url: 'https://h.example/x'}\n\
         route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs:\n  - channel: '#a'\n  - {}\n",
    );
    let settings: Vec<_> =
        both.config.receivers[0].integrations.iter().map(|i| i.settings.clone()).collect();
    let [Settings::Slack(app), Settings::Slack(hook)] = &settings[..] else { panic!() };
    assert!(app.app_token.is_some() && app.app_url.is_some() && app.api_url.is_none());
    assert!(hook.app_token.is_none() && hook.api_url.is_some());
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let merged = text(
        "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs:\n  \
         - &first\n    url: http://a/\n    max_alerts: 5\n    send_resolved: false\n  \
         - <<: *first\n    url: http://b/\n  - *first\n",
    );
    let seen: Vec<_> = merged.config.receivers[0]
        .integrations
        .iter()
        .map(|integration| {
            let Settings::Webhook(hook) = &integration.settings else { panic!() };
            let url = hook.url.as_ref().unwrap().expose().to_owned();
            (url, hook.max_alerts, integration.send_resolved)
        })
        .collect();
    let expected = ["http://a/", "http://b/", "http://a/"].map(|url| (url.to_owned(), 5, false));
    assert_eq!(seen, expected);
}

#[test]
fn the_environment_wins_and_says_so() {
    let variables = |name: &str| {
        let value = match name {
            "SLACK_BOT_TOKEN" => "CANARY-env",
            "SMTP_HOST" => "relay.example",
            "SMTP_PORT" => "2525",
            "SMTP_PASSWORD" => "CANARY-password",
            "SMTP_FROM" => "env@example.org",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let options = LoadOptions { environment: Arc::new(variables), ..LoadOptions::default() };
    let file = "global: {smtp_auth_password_file: f, smtp_from: file@example.org}\n\
                route: {receiver: a}\nreceivers:\n- name: a\n  email_configs: [{to: b@c}]\n  \
                slack_configs: [{channel: '#x'}]\n";
    let loaded = load_str("tocsin.yaml", file, &options).unwrap();
    let global = &loaded.config.global;
    assert_eq!(global.smtp_smarthost.as_ref().unwrap().to_string(), "relay.example:2525");
    assert_eq!(global.smtp_auth_password.as_ref().unwrap().expose(), "CANARY-password");
    assert_eq!(global.smtp_auth_password_file, None);
    let shown = loaded.show();
    for line in [
        "  slack_app_token: \"<secret>\"  # environment: SLACK_BOT_TOKEN",
        "  smtp_from: env@example.org  # environment: SMTP_FROM",
        "    from: env@example.org  # environment: SMTP_FROM",
        "  smtp_smarthost: relay.example:2525  # environment: SMTP_PORT",
        "- name: a  # tocsin.yaml:4",
        "  group_wait: 30s  # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    assert!(!shown.contains("CANARY"), "{shown}");
    assert_ne!(
        loaded.hash(),
        text(&file.replace("[{to: b@c}]", "[]").replace("[{channel: '#x'}]", "[]")).hash()
    );
}

#[test]
fn the_hash_changes_with_the_text_only() {
    let one = "route: {receiver: a}\nreceivers: [{name: a}]\n";
    assert_eq!(text(one).hash(), text(one).hash());
    assert_ne!(text(one).hash(), text(&one.replace("a}", "b}")).hash());
}

#[test]
fn a_directory_is_one_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("10-base.yaml", "route: {receiver: a}\nreceivers: [{name: a}]\ninhibit_rules:\n");
    write(
        "20-more.yml",
        "receivers:\n- name: b\n  email_configs: [{to: x@y, from: a@b, smarthost: 'h:1', auth_password_file: pw}]\n",
    );
    write("30-empty.yml", "# nothing yet\n");
    write("notes.txt", "not: yaml: at: all");
    write(".hidden.yml", "nonsense: true");
    let loaded = load(directory.path(), &LoadOptions::default()).unwrap();
    let names: Vec<_> = loaded.config.receivers.iter().map(|r| r.name.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
    let Settings::Email(mail) = &loaded.config.receivers[1].integrations[0].settings else {
        panic!()
    };
    assert_eq!(mail.auth_password_file.as_deref(), Some(&*directory.path().join("pw")));

    write("40-again.yml", "route: {receiver: b}\n");
    let report = load(directory.path(), &LoadOptions::default()).unwrap_err().to_string();
    assert!(report.contains("40-again.yml:1:1: `route` is already given at"), "{report}");
    assert!(report.contains("10-base.yaml:1:1; only lists are joined"), "{report}");
}

#[test]
fn matchers_are_read_in_the_mode_that_is_asked_for() {
    use tocsin_core::matcher::ParseMode;
    let file = |matcher: &str| {
        format!(
            "route: {{receiver: a, routes: [{{matchers: [{matcher}]}}]}}\nreceivers: [{{name: a}}]\n"
        )
    };
    let read = |parse_mode, matcher: &str| {
        let options = LoadOptions { parse_mode, ..LoadOptions::default() };
        load_str("tocsin.yaml", &file(matcher), &options).is_ok()
    };
    assert!(read(ParseMode::Fallback, "'foo='") && read(ParseMode::Classic, "'foo='"));
    assert!(!read(ParseMode::Utf8Strict, "'foo='"));
    assert!(read(ParseMode::Fallback, "'ünï=x'") && !read(ParseMode::Classic, "'ünï=x'"));
}

#[test]
fn routes_may_nest_deeply() {
    let mut file = "receivers: [{name: a}]\nroute:\n  receiver: a\n".to_owned();
    for level in 0..60 {
        let indent = "  ".repeat(level + 1);
        file.push_str(&format!("{indent}routes:\n{indent}- matchers: [level=\"{level}\"]\n"));
    }
    assert_eq!(text(&file).policy.routes.nodes.len(), 61);
    let shown = text(&file).show();
    assert!(shown.lines().last().unwrap().contains("default"), "{shown}");
}

#[test]
fn markers_around_the_document_are_fine() {
    text("---\nroute: {receiver: a}\nreceivers: [{name: a}]\n...\n");
    text("# first\n---\nroute: {receiver: a}\nreceivers: [{name: a}]\n---\n");
}

#[test]
fn what_alertmanager_takes_is_only_warned_about() {
    let odd = text(
        "global: {resolve_timeout: 0, smtp_require_tls: y}\nroute: {receiver: a}\n\
         receivers: [{name: a, slack_configs: [{api_url: <secret>, title: '{{ .x }}'}]}]\n\
         inhibit_rules: [null]\ntemplates: [nowhere/*.tmpl]\n",
    );
    let said: Vec<_> = odd.warnings.iter().map(|w| (w.line, w.message.clone())).collect();
    insta::with_settings!({omit_expression => true}, {
        insta::assert_debug_snapshot!("warnings", said);
    });
}

#[test]
fn a_tenant_has_a_configuration_of_its_own_and_lets_nobody_in_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(
            directory.path().join(name),
            format!("route: {{receiver: a}}\nreceivers: [{{name: a}}]\n{text}"),
        )
        .unwrap();
    };
    write("main.yaml", "tenants:\n- {name: acme, config: acme.yaml, hosts: [Acme.example]}\n");
    write("acme.yaml", "");
    let environment = Arc::new(|name: &str| (name == "SMTP_FROM").then(|| "a@b.c".to_owned()));
    let options = LoadOptions { environment, ..LoadOptions::default() };
    let main = load(&directory.path().join("main.yaml"), &options).unwrap();
    assert_eq!(main.config.access.loopback, Loopback::Open);
    let [acme] = &main.config.tenants[..] else { panic!("{:?}", main.config.tenants) };
    assert_eq!((acme.name.as_str(), &acme.hosts[..]), ("acme", &["acme.example".to_owned()][..]));

    let loaded = acme.load(&options).unwrap();
    assert_eq!(loaded.config.access.loopback, Loopback::Closed);
    assert_eq!(loaded.config.access.hosts, ["acme.example"]);
    assert!(main.config.global.smtp_from.is_some(), "the environment is the default tenant's");
    assert!(loaded.config.global.smtp_from.is_none());

    write("acme.yaml", "access: {loopback: ingest}\n");
    assert_eq!(acme.load(&options).unwrap().config.access.loopback, Loopback::Ingest);
    write("acme.yaml", "tenants:\n- {name: b, config: b.yaml}\n");
    let report = acme.load(&options).unwrap_err().to_string();
    assert!(report.contains("acme.yaml:3:1: this configures the tenant `acme`"), "{report}");
}

#[test]
fn channels_fall_back_on_what_holds_everywhere() {
    let loaded = text(
        "global:\n  smtp_from: a@b\n  smtp_smarthost: h:25\n  smtp_auth_username: u\n  \
         smtp_auth_password: p\n  slack_app_token: xoxb-1\n  http_config:\n    \
         authorization: {credentials: canary}\n    proxy_url: http://proxy:1\n\
         route: {receiver: a}\nreceivers: [{name: a}]\n\
         channels:\n  slack: {signing_secret: s}\n",
    );
    let channels = &loaded.config.channels;
    let mail = channels.email.server();
    assert_eq!(mail.smarthost.unwrap().host, "h");
    assert_eq!(mail.auth_username.as_deref(), Some("u"));
    assert!(channels.slack.token().is_some() && channels.slack.has_buttons());
    let http = |config: &Option<tocsin_config::HttpConfig>| {
        let config = config.clone().unwrap();
        (config.authorization.is_some(), config.proxy_url.is_some())
    };
    assert_eq!(http(&channels.slack.http_config), (true, true));
    assert_eq!(http(&channels.webhook.http_config), (false, true), "people set that address");
    assert!(!loaded.show().contains("xoxb") && !loaded.show().contains("canary"));
    let other = text(
        "global: {smtp_smarthost: 'h:25', smtp_auth_username: u, smtp_auth_password: p}\n\
         route: {receiver: a}\nreceivers: [{name: a}]\n\
         channels: {email: {smarthost: 'other:25', from: a@b}}\n",
    );
    let mail = other.config.channels.email.server();
    assert_eq!(mail.auth_username, None, "another server is another account");
}

#[test]
fn the_environment_switches_what_is_learned_from_incidents() {
    let variables = |name: &str| {
        let value = match name {
            "POSTMORTEM_AUTOMATION_ENABLED" => "false",
            "AUTO_DOCUMENTATION" => "off",
            "ACTION_ITEM_TRACKING" => "0",
            "KNOWLEDGE_BASE_INTEGRATION" => "No",
            "IMPROVEMENT_RECOMMENDATIONS" => "FALSE",
            "SLA_MONITORING" => "true",
            "SLACK_CHANNEL_INCIDENTS" => "#incidents",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let options = LoadOptions { environment: Arc::new(variables), ..LoadOptions::default() };
    let file = "route: {receiver: a}\nreceivers: [{name: a}]\nincidents: {remind: false}\n";
    let loaded = load_str("tocsin.yaml", file, &options).unwrap();
    let settings = &loaded.policy.incidents;
    let automation = settings.automation;
    assert!(!automation.begins_postmortems && !automation.drafts_postmortems);
    assert!(!automation.tracks_actions && !automation.uses_knowledge);
    assert!(!automation.recommends_actions && settings.remind);
    assert_eq!(settings.variables["incident_channel"], "#incidents");
    let shown = loaded.show();
    for line in [
        "  draft_postmortems: false  # environment: AUTO_DOCUMENTATION",
        "  remind: true  # environment: SLA_MONITORING",
        "  use_knowledge: false  # environment: KNOWLEDGE_BASE_INTEGRATION",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    let unset = load_str("tocsin.yaml", file, &LoadOptions::default()).unwrap();
    assert!(unset.policy.incidents.automation.begins_postmortems);
    assert_ne!(unset.hash(), loaded.hash());
}

#[test]
fn severities_are_what_the_file_says() {
    use tocsin_core::incident::Role;
    use tocsin_core::severity::Severity;
    let loaded = text(
        "route: {receiver: a}\nreceivers: [{name: a}]\nincidents:\n  severities:\n    \
         sev1: {acknowledge: 3m, update: 10m, escalate: 20m, resolve: 45m, postmortem_days: 2}\n    \
         sev3: {resolve: 0s, roles: [scribe, incident_commander], tells_executives: true}\n",
    );
    let settings = &loaded.policy.incidents;
    let sev1 = settings.targets(Severity::Sev1);
    assert_eq!((sev1.acknowledge_minutes, sev1.update_minutes), (3, 10));
    assert_eq!((sev1.escalate_minutes, sev1.resolve_minutes), (20, Some(45)));
    assert_eq!(sev1.postmortem_days(), (2, false));
    assert_eq!(sev1.roles.len(), 6);
    let sev3 = settings.targets(Severity::Sev3);
    assert_eq!((sev3.acknowledge_minutes, sev3.resolve_minutes), (30, None));
    assert_eq!(sev3.roles, [Role::IncidentCommander, Role::Scribe]);
    assert!(sev3.tells_executives);
    assert_eq!(
        *settings.targets(Severity::Sev2),
        *text("route: {receiver: a}\nreceivers: [{name: a}]\n")
            .policy
            .incidents
            .targets(Severity::Sev2)
    );
}
