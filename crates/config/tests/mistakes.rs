//! What is said about mistakes. Each snapshot shows the file and the complaints about it.

use std::fmt::Write as _;
use std::sync::Arc;

use tocsin_config::{LoadOptions, load_str};

/// A file that is good up to what a mistake adds.
const BASE: &str = "route: {receiver: a}\nreceivers: [{name: a}]\n";

fn check(name: &str, mistakes: &[(&str, String)]) {
    let mut out = String::new();
    for (title, text) in mistakes {
        let Err(report) = load_str("tocsin.yaml", text, &LoadOptions::default()) else {
            panic!("{title}: nobody complained about\n{text}");
        };
        assert!(report.errors().next().is_some(), "{title}");
        let _ = write!(out, "== {title}\n{}\n-- {title}\n{report}\n\n", text.trim_end());
    }
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!(name, out);
    });
}

fn with_base(text: &str) -> String {
    format!("{BASE}{text}")
}

#[test]
fn files_that_are_no_configuration() {
    check(
        "files",
        &[
            ("empty", String::new()),
            ("only comments", "# nothing\n".to_owned()),
            ("not a mapping", "- route\n".to_owned()),
            ("bad indentation", "route:\n  receiver: a\n bad: x\n".to_owned()),
            ("a tab", "route:\n\treceiver: a\n".to_owned()),
            ("an open bracket", "route: {receiver: a\nreceivers: [\n".to_owned()),
            ("an unknown alias", "route: *nothing\n".to_owned()),
            ("two documents", format!("{BASE}---\n{BASE}")),
            ("a key twice", with_base("global:\n  resolve_timeout: 1m\n  resolve_timeout: 2m\n")),
            ("a section twice", with_base("receivers: []\n")),
            ("an unknown tag", with_base("global: {smtp_hello: !!python/x y}\n")),
            ("a bad merge", with_base("global: {<<: 5}\n")),
            ("an anchor inside itself", with_base("templates: &a [*a]\n")),
            (
                "nested too deep",
                with_base(&format!("templates: {}{}", "[".repeat(140), "]".repeat(140))),
            ),
        ],
    );
}

#[test]
fn aliases_cannot_blow_up_a_file() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{items}]");
    }
    let report = load_str("tocsin.yaml", &bomb, &LoadOptions::default()).unwrap_err();
    assert!(report.to_string().contains("more than 1000000 values"), "{report}");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(", "));
    let report = load_str("tocsin.yaml", &long, &LoadOptions::default()).unwrap_err();
    assert!(report.to_string().contains("more than 1000000 values"), "{report}");
}

#[test]
fn keys_and_values() {
    check(
        "values",
        &[
            ("an unknown section", with_base("recievers: []\n")),
            ("a section of a later version", with_base("status_pages: []\n")),
            (
                "an unknown key",
                "route: {recevier: a, receiver: a}\nreceivers: [{name: a}]\n".to_owned(),
            ),
            ("a key nobody knows", with_base("global: {colour: red}\n")),
            ("a number for a duration", with_base("global: {resolve_timeout: 5}\n")),
            ("an unknown unit", with_base("global: {resolve_timeout: 5 minutes}\n")),
            ("a text for a boolean", with_base("global: {smtp_require_tls: maybe}\n")),
            ("a list for a text", with_base("global: {smtp_hello: [a]}\n")),
            ("a mapping for a list", with_base("inhibit_rules: {a: b}\n")),
            ("a text for a mapping", with_base("global: hello\n")),
            ("no port", with_base("global: {smtp_smarthost: mail.example.org}\n")),
            ("no scheme", with_base("global: {pagerduty_url: events.pagerduty.com}\n")),
            (
                "a pair that excludes itself",
                with_base("global:\n  smtp_auth_password: x\n  smtp_auth_password_file: y\n"),
            ),
            (
                "a bad TLS version",
                with_base("global: {http_config: {tls_config: {min_version: TLS9}}}\n"),
            ),
            (
                "half a certificate",
                with_base("global: {http_config: {tls_config: {cert_file: a}}}\n"),
            ),
            (
                "two kinds of authorization",
                with_base(
                    "global:\n  http_config:\n    bearer_token: x\n    basic_auth: {username: a}\n",
                ),
            ),
            ("a switch that is none", with_base("compat: {exact_repaet: true}\n")),
            ("a preset that is none", with_base("compat: alertmanger\n")),
            ("a size that is none", with_base("limits: {max_request_bytes: 5 apples}\n")),
            ("a number that is none", with_base("limits: {max_silences: many, max_alerts: -5}\n")),
        ],
    );
}

fn route(text: &str) -> String {
    format!(
        "route:\n  receiver: a\n  routes:\n  - {text}\nreceivers: [{{name: a}}, {{name: pager-team}}]\n"
    )
}

#[test]
fn routes_and_rules() {
    check(
        "routes",
        &[
            ("no route", "receivers: [{name: a}]\n".to_owned()),
            (
                "no receiver at the root",
                "route: {group_by: [a]}\nreceivers: [{name: a}]\n".to_owned(),
            ),
            (
                "what the root cannot have",
                "route:\n  receiver: a\n  matchers: [a=b]\n  match: {a: b}\n  match_re: {a: b}\n  \
                 continue: true\n  mute_time_intervals: [x]\n  active_time_intervals: [x]\n\
                 receivers: [{name: a}]\n"
                    .to_owned(),
            ),
            ("a dangling receiver", route("receiver: pager-taem")),
            (
                "a dangling interval",
                format!(
                    "{}time_intervals: [{{name: nights}}]\n",
                    route("mute_time_intervals: [night]")
                ),
            ),
            ("all labels and one", route("group_by: [alertname, '...']")),
            ("a label twice", route("group_by: [a, b, a]")),
            ("an empty label", route("group_by: ['']")),
            ("timers of 0", route("{group_interval: 0s, repeat_interval: 0}")),
            ("a bad matcher", route("matchers: [team]")),
            ("a bad expression", route("matchers: ['team=~\"(\"']")),
            ("matchers in one text", route("matchers: team=db")),
            ("a bad expression of old", route("match_re: {team: '('}")),
            (
                "a severity that waits for nothing",
                route("group_wait_by_severity: {critical: soon}"),
            ),
            ("a preset of waits that is none", route("group_wait_by_severity: usual")),
            (
                "a bad rule",
                with_base("inhibit_rules:\n- source_matcher: [a=b]\n  equal: alertname\n"),
            ),
        ],
    );
}

#[test]
fn intervals_and_windows() {
    let interval = |text: &str| {
        with_base(&format!("time_intervals:\n- name: n\n  time_intervals:\n  - {text}\n"))
    };
    let window = |text: &str| with_base(&format!("maintenance_windows:\n- {text}\n"));
    check(
        "intervals",
        &[
            ("a bad time", interval("times: [{start_time: '9:00', end_time: '17:00'}]")),
            ("past midnight", interval("times: [{start_time: '22:00', end_time: '06:00'}]")),
            ("half a range", interval("times: [{start_time: '22:00'}]")),
            ("a bad day", interval("weekdays: ['monday:fri']")),
            ("a bad month", interval("months: [smarch]")),
            ("a bad day of the month", interval("days_of_month: ['-3:5', 32]")),
            ("a bad zone", interval("location: Europe/Berln")),
            (
                "a name twice",
                with_base("time_intervals: [{name: n}]\nmute_time_intervals: [{name: n}]\n"),
            ),
            ("no name", with_base("time_intervals: [{time_intervals: []}]\n")),
            ("a window without anything", window("{}")),
            (
                "a window with a zone in its start",
                window("{name: w, matchers: [a=b], starts_at: '2026-11-01T02:00Z', duration: 1h}"),
            ),
            (
                "a window that never recurs",
                window(
                    "{name: w, matchers: [a=b], starts_at: '2026-11-01T02:00', duration: 1h, recurrence: SOMETIMES}",
                ),
            ),
            (
                "a window over everything",
                window("{name: w, matchers: [], starts_at: '2026-11-01', duration: 0s}"),
            ),
        ],
    );
}

fn receiver(text: &str) -> String {
    format!("route: {{receiver: a}}\nreceivers:\n- name: a\n  {}\n", text.replace('\n', "\n  "))
}

#[test]
fn receivers_and_what_they_need() {
    check(
        "receivers",
        &[
            (
                "no name",
                format!("{BASE}#\n").replace("[{name: a}]", "[{name: a}, {labels: {a: b}}]"),
            ),
            ("a name twice", BASE.replace("[{name: a}]", "[{name: a}, {name: a}]")),
            ("a label that lies", receiver("labels: {name: b}")),
            ("an unknown type", receiver("webhok_configs: []")),
            ("a webhook without an address", receiver("webhook_configs:\n- max_alerts: 5")),
            (
                "a webhook with two addresses",
                receiver("webhook_configs:\n- url: http://a\n  url_file: b"),
            ),
            ("a webhook with a bad address", receiver("webhook_configs:\n- url: localhost/x")),
            ("mail without anything", receiver("email_configs:\n- send_resolved: true")),
            (
                "a header twice",
                receiver(
                    "email_configs:\n- to: a@b\n  from: a@b\n  smarthost: 'h:25'\n  headers: {subject: a, Subject: b}",
                ),
            ),
            ("slack without an address", receiver("slack_configs:\n- channel: '#a'")),
            ("slack with an app and no channel", receiver("slack_configs:\n- app_token: x")),
            (
                "a slack action that does nothing",
                receiver(
                    "slack_configs:\n- api_url: http://a\n  actions: [{type: button, text: a}]",
                ),
            ),
            (
                "a field without a value",
                receiver("slack_configs:\n- api_url: http://a\n  fields: [{title: a}]"),
            ),
            ("stdout in a format that is none", receiver("stdout_configs: [{format: xml}]")),
            (
                "templates with mistakes",
                receiver(
                    "webhook_configs:\n- url: 'http://a/{{ .x '\nslack_configs:\n- api_url: http://a\n  \
                     title: '{{ template \"slack.default.titel\" . }}'\n  text: |\n    fine {{ .Status }}\n    \
                     {{ .Status | toupper }}\n    end\nemail_configs:\n- to: a@b\n  from: a@b\n  \
                     smarthost: 'h:25'\n  html: '<a href={{ if .x }}\"{{ end }}>'",
                ),
            ),
            (
                "what other types need",
                receiver(
                    "telegram_configs: [{}]\nwebex_configs: [{}]\nopsgenie_configs: [{responders: [{type: crowd}]}]\nsns_configs: [{topic_arn: a, phone_number: b}]",
                ),
            ),
        ],
    );
}

#[test]
fn all_mistakes_are_told_at_once_and_in_order() {
    let text = "route: {receiver: b, group_bye: [x]}\nreceivers: [{name: a, webhook_configs: [{}]}]\n\
                global: {resolve_timeout: x}\n";
    let report = load_str("tocsin.yaml", text, &LoadOptions::default()).unwrap_err();
    let places: Vec<_> = report.errors().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(1, 19), (1, 22), (2, 41), (3, 27)], "{report}");
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gone.yml");
    let report = tocsin_config::load(&path, &LoadOptions::default()).unwrap_err().to_string();
    assert!(report.starts_with(&format!("{}: cannot be read", path.display())), "{report}");
    std::fs::write(&path, b"route:\n  receiver: \xff\n").unwrap();
    let report = tocsin_config::load(&path, &LoadOptions::default()).unwrap_err().to_string();
    assert!(report.ends_with("the file is not UTF-8 (line 2)"), "{report}");
    let empty = directory.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let report = tocsin_config::load(&empty, &LoadOptions::default()).unwrap_err().to_string();
    assert!(report.contains("holds no file that ends in .yml or .yaml"), "{report}");
}

#[test]
fn a_mistake_in_a_file_of_templates_is_told_with_its_place_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tocsin.yaml");
    std::fs::write(&path, with_base("templates: ['*.tmpl']\n")).unwrap();
    std::fs::write(directory.path().join("good.tmpl"), "{{ define \"a\" }}{{ .Status }}{{ end }}")
        .unwrap();
    let loaded = tocsin_config::load(&path, &LoadOptions::default());
    loaded.unwrap_or_else(|report| panic!("{report}"));
    let bad = "{{ define \"b\" }}\n  {{ .Status | toUper }}\n{{ end }}";
    std::fs::write(directory.path().join("team.tmpl"), bad).unwrap();
    let report = tocsin_config::load(&path, &LoadOptions::default()).unwrap_err();
    let error = report.errors().next().unwrap();
    assert!(error.file.ends_with("team.tmpl"), "{report}");
    assert_eq!((error.line, error.column), (2, 16), "{report}");
    assert!(error.message.contains("toUpper"), "{report}");
    assert_eq!(error.excerpt, "  {{ .Status | toUper }}");
}

#[test]
fn channels() {
    let channel = |text: &str| with_base(&format!("channels:\n  {text}\n"));
    let number = "from_number: '+15005550006'";
    check(
        "channels",
        &[
            ("an unknown channel", channel("twillio: {}")),
            ("no account", channel("twilio: {auth_token: x, from_number: '+15005550006'}")),
            ("no token", channel(&format!("twilio: {{account_sid: AC1, {number}}}"))),
            ("nobody to come from", channel("twilio: {account_sid: AC1, auth_token: x}")),
            (
                "a number without a country",
                channel("twilio: {account_sid: AC1, auth_token: x, from_number: '030 123'}"),
            ),
            (
                "a beginning that is none",
                channel(&format!(
                    "twilio: {{account_sid: AC1, auth_token: x, {number}, one_way: [India]}}"
                )),
            ),
            (
                "an override for nobody",
                channel(&format!(
                    "twilio: {{account_sid: AC1, auth_token: x, {number}, \
                     from_overrides: {{'44': '+441234'}}}}"
                )),
            ),
            ("two secrets", channel("slack: {signing_secret: a, signing_secret_file: b}")),
            ("no tolerance", channel("slack: {signature_tolerance: 0s}")),
            ("a group without a schedule", channel("slack: {user_groups: [{user_group: S1}]}")),
            ("mattermost nowhere", channel("mattermost: {token: x}")),
            ("a subject that is none", channel("web_push: {subject: ops}")),
            ("no time at all", channel("webhook: {timeout: 0s}")),
            ("two keys", channel("opsgenie: {api_key: a, api_key_file: b}")),
        ],
    );
}

#[test]
fn people_teams_and_access() {
    check(
        "people",
        &[
            ("no handle", with_base("people: [{name: Ada}]\n")),
            ("a handle with capitals", with_base("people: [{handle: Ada}]\n")),
            ("a role that is none", with_base("people: [{handle: ada, roles: [respnder]}]\n")),
            ("a scope that is none", with_base("people: [{handle: ada, roles: [admin@db]}]\n")),
            ("twice the same handle", with_base("people: [{handle: ada}, {handle: ada}]\n")),
            (
                "a manager who is not there",
                with_base("people: [{handle: ada, manager: grce}, {handle: grace}]\n"),
            ),
            (
                "a member who is not there",
                with_base("teams: [{name: db, members: [{person: x}]}]\n"),
            ),
            ("twice the same team", with_base("teams: [{name: db}, {name: db}]\n")),
            ("a network that is none", with_base("access: {allow: [{from: [10.0.0.0/33]}]}\n")),
            ("nothing is allowed", with_base("access: {allow: [{from: [10.0.0.1]}]}\n")),
            (
                "a permission that is none",
                with_base("access: {allow: [{from: [\"::1\"], permissions: [alerts.ingest]}]}\n"),
            ),
        ],
    );
}

#[test]
fn tenants_that_cannot_be_told_apart() {
    let tenants = |list: &str| with_base(&format!("tenants:\n{list}"));
    check(
        "tenants",
        &[
            ("nothing said", tenants("- {hosts: [a.example]}\n")),
            ("no handle", tenants("- {name: Acme, config: a.yaml}\n")),
            ("the default one", tenants("- {name: default, config: a.yaml}\n")),
            (
                "the same name",
                tenants("- {name: a, config: a.yaml}\n- {name: a, config: b.yaml}\n"),
            ),
            (
                "the same host",
                tenants(
                    "- {name: a, config: a.yaml, hosts: [x.example]}\n\
                     - {name: b, config: b.yaml, hosts: [X.example]}\n",
                ),
            ),
            (
                "a host of the default one",
                tenants("- {name: a, config: a.yaml, hosts: [x.example]}\n")
                    + "access: {hosts: [x.example]}\n",
            ),
            (
                "hosts that are none",
                tenants(
                    "- {name: a, config: a.yaml, \
                     hosts: ['https://a.example', 'a:80', localhost, 127.0.0.1, 'a b', '']}\n",
                ),
            ),
            ("an unknown key", tenants("- {name: a, config: a.yaml, host: x}\n")),
        ],
    );
    let many: String =
        (0..101).map(|number| format!("- {{name: t{number}, config: t.yaml}}\n")).collect();
    let report = load_str("tocsin.yaml", &tenants(&many), &LoadOptions::default()).unwrap_err();
    assert!(
        report.to_string().contains("more than 100 tenants; start another process"),
        "{report}"
    );
}

#[test]
fn how_people_are_paged() {
    let policy = |step: &str| {
        with_base(&format!(
            "people: [{{handle: ada}}]\nescalation_policies: [{{name: p, steps: [{step}]}}]\n"
        ))
    };
    let person = |more: &str| with_base(&format!("people: [{{handle: ada, {more}}}]\n"));
    check(
        "paging",
        &[
            ("a policy without steps", with_base("escalation_policies: [{name: p}]\n")),
            ("a step for nobody", policy("{page: []}")),
            ("a person who is not there", policy("{page: [aad]}")),
            ("a team that is not there", policy("{page: [\"team:db\"]}")),
            ("a target that means nothing", policy("{page: [\"shedule:primary\"]}")),
            ("nobody of a schedule", policy("{page: [\"schedule:primary/nxt\"]}")),
            ("no severity", policy("{page: [ada], after: {sev0: 5m}}")),
            (
                "twice the same policy",
                with_base(
                    "people: [{handle: ada}]\nescalation_policies:\n\
                     - {name: p, steps: [{page: [ada]}]}\n- {name: p, steps: [{page: [ada]}]}\n",
                ),
            ),
            (
                "a policy that is called like the choice",
                with_base(
                    "people: [{handle: ada}]\n\
                     escalation_policies: [{name: auto, steps: [{page: [ada]}]}]\n",
                ),
            ),
            (
                "twice the same method",
                person(
                    "contact_methods: [{channel: sms, address: \"+49151\"}, {channel: sms, address: \"+49152\"}]",
                ),
            ),
            ("a channel that is none", person("contact_methods: [{channel: fax, address: x}]")),
            ("a rule for no method", person("notify: {high: [{by: sms}]}")),
            ("hours that are none", person("notify: {quiet_hours: {from: \"22\", to: \"07:00\"}}")),
            ("a storm without limit", with_base("incidents: {storm_limit: 0}\n")),
            ("a severity from which", with_base("incidents: {open_from: sev9}\n")),
            ("a heartbeat with a space", with_base("heartbeats: [{name: a b}]\n")),
            (
                "a limit for no channel",
                with_base("paging: {throttle: {smss: [{most: 1, within: 1m}]}}\n"),
            ),
        ],
    );
}

#[test]
fn a_channel_that_is_not_set_up_is_told_where_it_is_named() {
    let text = with_base(
        "people:\n- handle: ada\n  contact_methods: [{channel: sms, address: \"+4915112345678\"}]\n\
         escalation_policies: [{name: p, steps: [{page: [ada, \"slack:#db\"]}]}]\n",
    );
    let loaded = load_str("tocsin.yaml", &text, &LoadOptions::default()).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    let all = warnings.join("\n");
    assert!(all.contains("by sms before `channels.twilio.account_sid` is set"), "{all}");
    assert!(all.contains("by slack before `channels.slack.bot_token` is set"), "{all}");
}

#[test]
fn schedules_and_holidays() {
    let with_people = |text: &str| {
        with_base(&format!("people: [{{handle: ada}}, {{handle: grace}}]\nschedules:\n{text}"))
    };
    let with_layer = |text: &str| {
        with_people(&format!(
            "- name: web\n  layers:\n  - {{name: main, turn: [1w], start: 2026-11-02T09:00, {text}}}\n"
        ))
    };
    check(
        "schedules",
        &[
            ("no name", with_people("- {time_zone: UTC}\n")),
            ("no turn", with_people("- {name: web, layers: [{name: main, members: [ada]}]}\n")),
            ("somebody who is not there", with_layer("members: [ada, grcae]")),
            ("a member that is none", with_layer("members: [Ada]")),
            ("a zone that is none", with_layer("members: [ada], time_zone: Europe/Berln")),
            (
                "a day that is none",
                with_layer("members: [ada], windows: [{days: [mo], from: '09:00', to: '17:00'}]"),
            ),
            (
                "a time that is none",
                with_layer("members: [ada], windows: [{from: 9, to: '24:01'}]"),
            ),
            ("a mode that is none", with_layer("members: [ada], mode: skip_unavailble")),
            ("a layer that is not there", with_layer("members: [ada], on_holidays: second")),
            ("nobody at once", with_layer("members: [ada], per_shift: 0")),
            ("too often", with_layer("members: [ada], recurrence: FREQ=MINUTELY")),
            (
                "a length that is none",
                with_people(
                    "- {name: web, layers: [{name: main, turn: [1y], start: 2026-11-02T09:00}]}\n",
                ),
            ),
            ("two of a name", with_people("- {name: web}\n- {name: web}\n")),
            ("a fallback to nowhere", with_people("- {name: web, fallback: {schedule: db}}\n")),
            (
                "a fallback in a circle",
                with_people(
                    "- {name: web, fallback: {schedule: db}}\n- {name: db, fallback: {schedule: web}}\n",
                ),
            ),
            ("a calendar that is not there", with_people("- {name: web, holidays: [de]}\n")),
            (
                "a holiday that ends before it begins",
                with_base(
                    "holidays: [{name: de, days: [{date: 2026-12-26, until: 2026-12-25}]}]\n",
                ),
            ),
            ("a team that is not there", with_people("- {name: web, team: db}\n")),
            ("a calendar from nowhere", with_people("- {name: web, imports: [{name: a}]}\n")),
            (
                "a calendar from two places",
                with_people(
                    "- {name: web, imports: [{name: a, file: a.ics, url: 'https://a/b'}]}\n",
                ),
            ),
            (
                "a calendar with an address that is none",
                with_people("- {name: web, imports: [{name: a, url: 'ftp://a/canary'}]}\n"),
            ),
            (
                "a calendar that is read too often",
                with_people("- {name: web, imports: [{name: a, pushed: true, refresh: 30s}]}\n"),
            ),
            (
                "a calendar that is read too seldom",
                with_people("- {name: web, imports: [{name: a, pushed: true, refresh: 2d}]}\n"),
            ),
            (
                "a calendar of a kind that is none",
                with_people("- {name: web, imports: [{name: a, pushed: true, kind: holyday}]}\n"),
            ),
            (
                "a calendar that means somebody who is not there",
                with_people(
                    "- {name: web, imports: [{name: a, pushed: true, names: {Zoe: zoe}}]}\n",
                ),
            ),
        ],
    );
}

#[test]
fn messages_about_incidents() {
    let incidents = |text: &str| with_base(&format!("incidents:\n{text}\n"));
    let template = |text: &str| incidents(&format!("  templates:\n  - {text}"));
    check(
        "messages",
        &[
            ("no body", template("{name: a, subject: x}")),
            ("a misspelt variable", template("{name: a, subject: x, body: \"{titel}\"}")),
            ("a brace alone", template("{name: a, subject: \"{title\", body: x}")),
            (
                "a name twice",
                incidents(
                    "  templates: [{name: a, subject: x, body: y}, {name: a, subject: x, body: y}]",
                ),
            ),
            ("a list in a list", incidents("  lists: {a: [\"list:b\"]}")),
            ("somebody who cannot be", incidents("  lists: {a: [\"slak:#ops\"]}")),
            ("a variable with a space", incidents("  variables: {\"a b\": x}")),
        ],
    );
}

#[test]
fn what_severities_ask_for() {
    let severities = |text: &str| with_base(&format!("incidents:\n  severities:\n    {text}\n"));
    check(
        "severities",
        &[
            ("a severity that is none", severities("sev6: {update: 5m}")),
            ("a key that is none", severities("sev1: {acknowlege: 5m}")),
            ("half a minute", severities("sev1: {acknowledge: 30s}")),
            ("too long", severities("sev5: {update: 1y}")),
            ("no time at all", severities("sev1: {escalate: 0s}")),
            ("a role that is none", severities("sev1: {roles: [king]}")),
            ("no days", severities("sev1: {postmortem_days: 0}")),
            ("a switch that is neither", severities("sev1: {tells_executives: maybe}")),
        ],
    );
}

#[test]
fn a_switch_of_the_environment_that_is_neither_is_named() {
    let variables = |name: &str| (name == "AUTO_DOCUMENTATION").then(|| "maybe".to_owned());
    let options = LoadOptions { environment: Arc::new(variables), ..LoadOptions::default() };
    let report = load_str("tocsin.yaml", &with_base(""), &options).unwrap_err();
    let text = report.to_string();
    assert!(
        text.contains(
            "environment variable AUTO_DOCUMENTATION: `maybe` is neither `true` nor `false`"
        ),
        "{text}"
    );
}
