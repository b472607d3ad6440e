//! What holds for every template, however it is written.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{data, now};
use tocsin_template::{Conditions, Escaping, Limits, RenderError, Templates, Value};

const LIMITS: Limits = Limits { output_bytes: 20_000, steps: 20_000, depth: 10 };

fn render(text: &str, escaping: Escaping, data: &Value) -> Result<String, RenderError> {
    Templates::builtin().render(
        "case",
        text,
        escaping,
        data,
        Conditions { now: now(), limits: LIMITS },
    )
}

/// Pieces that often make a template, and often a broken one.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "{{",
        "}}",
        "{{- ",
        " -}}",
        "{{ end }}",
        "{{ else }}",
        "{{ if .yes }}",
        "{{ if ",
        "{{ range .list }}",
        "{{ range ",
        "{{ with .deep }}",
        "{{ else if .no }}",
        "{{ else with .map }}",
        "{{ break }}",
        "{{ continue }}",
        "{{ $x := 1 }}",
        "{{ $x = print $x $x }}",
        "{{ $x }}",
        "{{ .text }}",
        "{{ .mean }}",
        "{{ .markup }}",
        "{{ .url }}",
        "{{ . }}",
        "{{ .labels.Names }}",
        "{{ define \"a\" }}",
        "{{ template \"a\" . }}",
        "{{ block \"b\" .list }}",
        "{{/* c */}}",
        "{{ printf \"%[2]*[1]d|%v|%q\" 3 9 }}",
        "{{ printf \"%0999999d\" 1 }}",
        "{{ index .list 1 }}",
        "{{ slice .text 1 9 }}",
        "{{ len .labels }}",
        "{{ eq .text \"hello\" }}",
        "{{ (.pair).Name }}",
        "{{ range 100000 }}",
        "{{ .time.Format \"x\" }}",
        "{{ list . $x | toJson }}",
        "{{ $x = list $x $x }}",
        "{{ dict \"a\" . }}",
        "{{ title .mean | reReplaceAll \"[a-z]\" \"$0$0\" }}",
        "{{ join .text .list }}",
        "{{ date \"Mon Jan 2 15:04:05.000 MST\" .time }}",
        "{{ safeHtml .mean }}",
        "{{ safeUrl .mean }}",
        "{{ humanizeDuration 1.5 }}",
        "{{ template \"slack.default.text\" . }}",
        " | ",
        " .text ",
        " $x ",
        " := ",
        "(",
        ")",
        "\"",
        "`",
        "'",
        ".",
        "$",
        ",",
        "\\",
        " 0x1F ",
        " -1.5e3 ",
        "print ",
        "<a href=\"",
        "<a href=",
        "<a ",
        "\">",
        ">",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<title>",
        "</title>",
        " title='",
        " onclick=\"f('",
        "/",
        "*",
        "url(",
        "é",
        "\u{2028}",
        "\0",
        "\n",
        " ",
        "x",
    ])
    .prop_map(str::to_owned);
    prop_oneof![8 => known, 1 => any::<String>(), 1 => "[a-z .{}$|()\"<>=/]{0,12}"]
}

fn template() -> impl Strategy<Value = String> {
    vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

fn config() -> ProptestConfig {
    let is_long = std::env::var("TOCSIN_TEST_LONG").is_ok_and(|long| long == "1");
    let cases = if is_long { 100_000 } else { 2_000 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Nothing panics, and nothing grows beyond its bound.
    #[test]
    fn every_text_is_rendered_or_refused(text in template(), html in any::<bool>()) {
        let escaping = if html { Escaping::Html } else { Escaping::None };
        match render(&text, escaping, &data()) {
            Ok(output) => prop_assert!(output.len() <= LIMITS.output_bytes),
            Err(error) => {
                let lines = u32::try_from(text.lines().count().max(1)).unwrap_or(u32::MAX);
                let (name, line, column) = match &error {
                    RenderError::Parse(error) => (&error.name, error.line, error.column),
                    RenderError::Failed { name, line, column, .. } => (name, *line, *column),
                };
                // A place behind the last line feed counts as one more line; the built-in
                // templates have lines of their own.
                let is_inside = (1..=lines + 1).contains(&line) || &**name != "case";
                prop_assert!(is_inside && column >= 1, "{error}");
            }
        }
    }

    /// What a check accepts can fail only for its data, never for its text.
    #[test]
    fn what_is_checked_can_be_read(text in template()) {
        if Templates::builtin().check("case", &text).is_ok() {
            let is_read = !matches!(render(&text, Escaping::None, &data()), Err(RenderError::Parse(_)));
            prop_assert!(is_read);
        }
    }

    /// Text without actions comes out as it is.
    #[test]
    fn text_without_actions_is_unchanged(text in any::<String>()) {
        prop_assume!(!text.contains("{{"));
        prop_assert_eq!(render(&text, Escaping::None, &data()).ok(), Some(text));
    }

    /// Whatever a value holds, it cannot begin a tag, leave its attribute, or leave its script.
    #[test]
    fn an_untrusted_value_stays_where_it_is_put(text in any::<String>()) {
        let html = |template: &str| render(template, Escaping::Html, &Value::from(text.as_str())).unwrap_or_default();
        let value = |template: &str, before: &str, after: &str| {
            let out = html(template);
            out.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).map(str::to_owned)
        };
        let in_text = value("<p>{{ . }}</p>", "<p>", "</p>");
        prop_assert!(in_text.is_some_and(|text| !text.contains(['<', '>', '"', '\''])));
        let quoted = value("<p title=\"{{ . }}\">", "<p title=\"", "\">");
        prop_assert!(quoted.is_some_and(|text| !text.contains(['<', '>', '"', '\''])));
        let unquoted = value("<p title={{ . }}>", "<p title=", ">");
        prop_assert!(unquoted.is_some_and(|text| !text.is_empty() && !text.contains([' ', '\t', '\n', '\r', '>', '"', '\'', '`', '='])));
        let address = value("<a href=\"{{ . }}\">", "<a href=\"", "\">");
        prop_assert!(address.is_some_and(|text| !text.contains(['<', '>', '"', '\'', ' ']) && !text.to_lowercase().starts_with("javascript")));
        let script = value("<script>x = {{ . }};</script>", "<script>x = ", ";</script>");
        prop_assert!(script.is_some_and(|text| text.starts_with('"') && text.ends_with('"') && !text.contains(['<', '>'])));
        let in_script = value("<script>x = '{{ . }}';</script>", "<script>x = '", "';</script>");
        prop_assert!(in_script.is_some_and(|text| !text.contains(['<', '>', '"', '\'', '\n'])));
        let style = value("<p style=\"color: {{ . }}\">", "<p style=\"color: ", "\">");
        let ends_a_value = ['<', '>', '"', '\'', ';', '(', '{'];
        prop_assert!(style.is_some_and(|text| !text.replace("&amp;", "").replace("&#43;", "").contains(ends_a_value)));
    }

    /// Escaping trusts what `eq` and `printf` see: printing a text is the text.
    #[test]
    fn a_text_survives_printing(text in any::<String>()) {
        let value = Value::from(text.as_str());
        prop_assert_eq!(render("{{ . }}", Escaping::None, &value).ok(), Some(text.clone()));
        prop_assert_eq!(render("{{ printf \"%s\" . }}", Escaping::None, &value).ok(), Some(text.clone()));
        prop_assert_eq!(render("{{ print . }}", Escaping::None, &value).ok(), Some(text));
    }
}

/// The deepest template that can be read renders on the stack of a worker thread.
#[test]
fn the_deepest_template_fits_on_a_small_stack() {
    let nested = |depth: usize| {
        format!(
            "{}{}x{}{}",
            "{{ if .yes }}".repeat(depth),
            "{{ print (",
            ") }}",
            "{{ end }}".repeat(depth)
        )
        .replace("x)", "1)")
    };
    let recursive = format!(
        "{{{{ define \"a\" }}}}{}{{{{ template \"a\" . }}}}{}{{{{ end }}}}{{{{ template \"a\" . }}}}",
        "{{ with . }}".repeat(30),
        "{{ end }}".repeat(30),
    );
    let run = move || {
        for escaping in [Escaping::None, Escaping::Html] {
            assert!(render(&nested(60), escaping, &data()).is_ok());
            assert!(render(&nested(80), escaping, &data()).is_err());
            let limits = Limits { depth: 1_000, ..LIMITS };
            let conditions = Conditions { now: now(), limits };
            let result =
                Templates::builtin().render("case", &recursive, escaping, &data(), conditions);
            assert!(result.is_err_and(|error| error.to_string().contains("deep")));
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread");
    thread.join().expect("no overflow");
}

/// What grows with every turn of a loop is refused before it is too large to hold or to print.
#[test]
fn what_doubles_itself_is_refused() {
    let limits = Limits { steps: 50_000, output_bytes: 1 << 20, depth: 10 };
    let conditions = Conditions { now: now(), limits };
    for grows in [
        "print $x $x",
        "printf \"%s%[1]s%[1]s\" $x",
        "list $x $x",
        "list $x",
        "dict \"a\" $x \"b\" $x",
        "append (list $x) $x",
        "toJson $x",
        "reReplaceAll \".\" \"$0$0\" (print $x)",
        "join (print $x) (list \"\" \"\" \"\")",
        "base64encode (print $x)",
    ] {
        for after in
            ["{{ $x }}", "{{ printf \"%q %#v\" $x $x }}", "{{ toJson $x }}", "{{ len (print $x) }}"]
        {
            let text = format!(
                "{{{{ $x := \"<b> 0123456789\" }}}}{{{{ range 1000 }}}}{{{{ $x = {grows} }}}}{{{{ end }}}}{after}"
            );
            for escaping in [Escaping::None, Escaping::Html] {
                let result =
                    Templates::builtin().render("case", &text, escaping, &data(), conditions);
                let error = result.expect_err(grows).to_string();
                let is_bound = ["longer than", "steps", "deeper", "larger than", "too long"];
                assert!(is_bound.iter().any(|bound| error.contains(bound)), "{text}: {error}");
            }
        }
    }
}

/// A loop is followed twice, and so is each loop in it: that must not double the work each time.
#[test]
fn loops_in_loops_are_prepared_in_bounded_time() {
    let nested = |inside: &str| {
        format!("{}{inside}{}", "{{ range .list }}".repeat(60), "{{ end }}".repeat(60))
    };
    assert!(Templates::builtin().check_as("case", &nested("<p>"), Escaping::Html).is_ok());
    let address = format!("<a href=\"{}\">", nested("x{{ . }}"));
    // Accepted or refused: it only has to come to an end.
    let _ = Templates::builtin().check_as("case", &address, Escaping::Html);
}
