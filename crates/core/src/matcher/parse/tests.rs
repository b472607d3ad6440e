use proptest::prelude::*;

use super::*;
use crate::matcher::{MatchOp, Matchers};

const MODES: [ParseMode; 3] = [ParseMode::Fallback, ParseMode::Utf8Strict, ParseMode::Classic];

fn list(text: &str, mode: ParseMode) -> Result<String, String> {
    parse_matchers(text, mode)
        .map(|parsed| parsed.value.iter().map(|m| format!("{m};")).collect())
        .map_err(|error| error.message)
}

#[test]
fn both_grammars_read_what_they_share() {
    for (text, expected) in [
        ("", ""),
        ("{}", ""),
        ("foo=bar", r#"foo="bar";"#),
        ("{foo=bar}", r#"foo="bar";"#),
        ("{foo=bar,}", r#"foo="bar";"#),
        ("foo=bar,", r#"foo="bar";"#),
        (" foo = bar , dings != bums ,", r#"foo="bar";dings!="bums";"#),
        (r#"{foo = "bar", dings !~ "bums.*", }"#, r#"foo="bar";dings!~"bums.*";"#),
        (r#"foo="""#, r#"foo="";"#),
        ("foo=~[a-z]+", r#"foo=~"[a-z]+";"#),
        ("foo=🙂bar", r#"foo="🙂bar";"#),
        (r#"foo="bar,quux",job=job1"#, r#"foo="bar,quux";job="job1";"#),
        (r#"q="She said: \"Hi, you…\"""#, r#"q="She said: \"Hi, you…\"";"#),
        (r#"{a="x\\y\nz"}"#, r#"a="x\\y\nz";"#),
        (r#"c != "\"" , d !~ "foo,bar" , "#, r#"c!="\"";d!~"foo,bar";"#),
    ] {
        for mode in MODES {
            assert_eq!(list(text, mode), Ok(expected.to_owned()), "{text} {mode:?}");
        }
        assert_eq!(parse_matchers(text, ParseMode::Fallback).unwrap().warning, None, "{text}");
    }
}

#[test]
fn only_the_utf8_grammar_reads_quoted_and_foreign_names() {
    for (text, expected) in [
        (r#"{"foo"="bar"}"#, r#"foo="bar";"#),
        (r#""foo bar"=x,"a\"b"!=y"#, r#""foo bar"="x";"a\"b"!="y";"#),
        ("name-with-dashes=bar", r#""name-with-dashes"="bar";"#),
        ("größe=12", r#""größe"="12";"#),
        (" {foo=bar} ", r#"foo="bar";"#),
        ("0abc=1", r#""0abc"="1";"#),
    ] {
        assert_eq!(list(text, ParseMode::Utf8Strict), Ok(expected.to_owned()), "{text}");
        assert_eq!(list(text, ParseMode::Fallback), Ok(expected.to_owned()), "{text}");
        assert!(list(text, ParseMode::Classic).is_err(), "{text}");
        assert_eq!(parse_matchers(text, ParseMode::Fallback).unwrap().warning, None, "{text}");
    }
}

#[test]
fn what_only_the_classic_grammar_reads_comes_with_a_warning() {
    for (text, expected) in [
        ("foo=", r#"foo="";"#),
        ("{foo=,bar=}}", r#"foo="";bar="}";"#),
        ("{foo=bar", r#"foo="bar";"#),
        ("foo=bar}", r#"foo="bar";"#),
        ("{foo=bar}}", r#"foo="bar}";"#),
        ("{foo=}b", r#"foo="}b";"#),
        ("tricky=~~~", r#"tricky=~"~~";"#),
        (r#"trickier==\\=\=\""#, r#"trickier="=\\=\\=\"";"#),
        ("foo=a b", r#"foo="a b";"#),
        ("foo='x'", r#"foo="'x'";"#),
        ("foo=`", r#"foo="`";"#),
        (r"foo=bar\n", r#"foo="bar\n";"#),
        (r"foo=bar\t", r#"foo="bar\\t";"#),
        (r"foo=bar\", r#"foo="bar\\";"#),
        (r#"foo="\d+""#, r#"foo="\\d+";"#),
        ("foo=\"a\nb\"", r#"foo="a\nb";"#),
        ("foo=~a{2},x=y", r#"foo=~"a{2}";x="y";"#),
        (r#"foo=~"a\.b""#, r#"foo=~"a\\.b";"#),
    ] {
        assert_eq!(list(text, ParseMode::Classic), Ok(expected.to_owned()), "{text}");
        assert_eq!(list(text, ParseMode::Fallback), Ok(expected.to_owned()), "{text}");
        assert!(list(text, ParseMode::Utf8Strict).is_err(), "{text}");
        let warning = parse_matchers(text, ParseMode::Fallback).unwrap().warning.unwrap();
        assert!(warning.starts_with("only the classic matcher grammar reads"), "{warning}");
    }
}

#[test]
fn where_the_grammars_disagree_the_classic_reading_wins_with_a_warning() {
    for (text, classic, utf8) in [
        (r#"foo="bar\t""#, "bar\\t", "bar\t"),
        (r#"foo="\x41""#, "\\x41", "A"),
        (r#"foo="\u00e9""#, "\\u00e9", "é"),
    ] {
        let parsed = parse_matchers(text, ParseMode::Fallback).unwrap();
        assert_eq!(parsed.value, [Matcher::equal("foo", classic)]);
        let warning = parsed.warning.unwrap();
        assert!(warning.contains("differently"), "{warning}");
        let strict = parse_matcher(text, ParseMode::Utf8Strict).unwrap();
        assert_eq!(strict.value, Matcher::equal("foo", utf8));
        let single = parse_matcher(text, ParseMode::Fallback).unwrap();
        assert_eq!(single.value, Matcher::equal("foo", classic));
        assert!(single.warning.is_some());
    }
}

#[test]
fn errors_of_the_utf8_grammar_name_the_place() {
    for (text, message, offset) in [
        (",", "0:1: unexpected ,: expected label name", 0),
        ("{,}", "1:2: unexpected ,: expected label name", 1),
        ("{", "0:1: end of input: expected close brace", 1),
        ("}", "0:1: unexpected }: expected label name", 0),
        ("foo=bar}", "0:8: }: expected opening brace", 7),
        ("{foo=bar", "0:8: end of input: expected close brace", 8),
        ("{foo=bar}x", "9:10: x: expected end of input", 9),
        ("foo", "end of input: expected an operator such as '=', '!=', '=~' or '!~'", 3),
        ("foo=", "end of input: expected label value", 4),
        ("{foo=}", "5:6: unexpected }: expected label value", 5),
        ("foo=a b", "6:7: unexpected b: expected a comma or close brace", 6),
        ("foo=a,=", "6:7: unexpected =: expected a matcher or close brace after comma", 6),
        ("é=a,,", "4:5: unexpected ,: expected a matcher or close brace after comma", 5),
        ("{foo=:\"bar\"}", "6:11: unexpected \"bar\": expected a comma or close brace", 6),
        (r#"{foo="bar\w"}"#, r#"5:12: "bar\w": invalid input"#, 5),
        (r"{foo=bar\n}", r"8:9: \: invalid input: expected a comma or close brace", 8),
        (r#"{"foo"="\xf0\x9f"}"#, r#"7:17: "\xf0\x9f": invalid input"#, 7),
        ("\"foo", "0:4: \"foo: missing end \"", 0),
        ("~", "0:1: ~: invalid input", 0),
        ("!", "0:1: unexpected end of input, expected one of '=~'", 0),
        (
            "foo!!",
            "3:4: !: expected one of '=~': \
             expected an operator such as '=', '!=', '=~' or '!~'",
            3,
        ),
        ("\"\"=a", "0:2: \"\": a label name cannot be empty", 0),
        (
            "a=b,c=~\"[\"",
            "failed to create matcher: invalid regular expression `[`: missing closing ]",
            7,
        ),
    ] {
        let error = parse_matchers(text, ParseMode::Utf8Strict).unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), (message, offset), "{text}");
    }
}

#[test]
fn errors_of_the_classic_grammar_are_those_of_the_api() {
    for (text, message, offset) in [
        ("foo", "bad matcher format: foo", 0),
        ("{,}", "bad matcher format: ", 1),
        ("a=b, 7=x", "bad matcher format: 7=x", 5),
        ("a=b,,c=d", "bad matcher format: ", 4),
        ("{{foo=", "bad matcher format: {foo=", 1),
        ("foo~bar", "bad matcher format: foo~bar", 0),
        (r#""foo="bar"""#, r#"bad matcher format: "foo="bar"""#, 0),
        (r#"job="value"#, r#"matcher value contains unescaped double quote: "value"#, 0),
        (r#"job=value""#, r#"matcher value contains unescaped double quote: value""#, 0),
        (r#"job=a"b"#, r#"matcher value contains unescaped double quote: a"b"#, 0),
        (r#"job=""#, r#"matcher value contains unescaped double quote: ""#, 0),
        (r#"job="a\""#, r#"matcher value contains unescaped double quote: "a\""#, 0),
        ("a=b,c=~[", "invalid regular expression `[`: missing closing ]", 4),
    ] {
        let error = parse_matchers(text, ParseMode::Classic).unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), (message, offset), "{text}");
        // Where neither grammar reads the text, the classic error is the one that is shown.
        if list(text, ParseMode::Utf8Strict).is_err() {
            assert_eq!(parse_matchers(text, ParseMode::Fallback).unwrap_err(), error);
        }
    }
}

#[test]
fn a_single_matcher_is_exactly_one_and_bare() {
    let error = |text: &str, mode| parse_matcher(text, mode).unwrap_err().message;
    for mode in [ParseMode::Fallback, ParseMode::Utf8Strict] {
        assert_eq!(error("{foo=bar}", mode), "unexpected open or close brace: {foo=bar}");
        assert_eq!(error("foo=~a{2}", mode), "unexpected open or close brace: foo=~a{2}");
        assert_eq!(parse_matcher(r#"foo="a}""#, mode).unwrap().value, Matcher::equal("foo", "a}"));
    }
    assert_eq!(error("foo", ParseMode::Fallback), "bad matcher format: foo");
    assert_eq!(error("", ParseMode::Fallback), "bad matcher format: ");
    assert_eq!(error("", ParseMode::Utf8Strict), "no matchers");
    assert_eq!(error("a=b,c=d", ParseMode::Utf8Strict), "expected 1 matcher, found 2");
    assert_eq!(error("{foo=bar}", ParseMode::Classic), "bad matcher format: {foo=bar}");
    // The classic grammar takes a comma for a part of the value, and it wins.
    let parsed = parse_matcher("a=b,c=d", ParseMode::Fallback).unwrap();
    assert_eq!(parsed.value, Matcher::equal("a", "b,c=d"));
    assert!(parsed.warning.is_some());
}

#[test]
fn overlong_text_is_refused() {
    let text = format!("foo={}", "x".repeat(MAX_TEXT_BYTES));
    for mode in MODES {
        assert!(list(&text, mode).unwrap_err().contains("longer than"));
    }
}

fn any_matcher() -> impl Strategy<Value = Matcher> {
    let op = prop_oneof![
        Just(MatchOp::Equal),
        Just(MatchOp::NotEqual),
        Just(MatchOp::Regex),
        Just(MatchOp::NotRegex)
    ];
    ("\\PC{1,8}|[a-z_:]{1,5}|[\\x00-\\x7f]{1,4}", op, "\\PC{0,12}|[\\x00-\\x7f]{0,6}")
        .prop_filter_map("a regular expression", |(name, op, value)| {
            Matcher::new(name, op, value).ok()
        })
}

proptest! {
    #[test]
    fn what_a_matcher_prints_reads_back_as_the_same_matcher(matcher in any_matcher()) {
        let parsed = parse_matcher(&matcher.to_string(), ParseMode::Utf8Strict);
        prop_assert_eq!(parsed, Ok(Parsed { value: matcher, warning: None }));
    }

    #[test]
    fn what_matchers_print_reads_back_as_the_same_list(
        matchers in proptest::collection::vec(any_matcher(), 0..4)
    ) {
        let matchers = Matchers::new(matchers);
        let parsed = parse_matchers(&matchers.to_string(), ParseMode::Utf8Strict).unwrap();
        prop_assert_eq!(Matchers::new(parsed.value), matchers);
    }

    #[test]
    fn a_classic_matcher_reads_back_in_every_mode(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,6}",
        value in "[ -~\\n]{0,12}",
    ) {
        let matcher = Matcher::equal(name, value);
        for mode in MODES {
            let parsed = parse_matchers(&format!("{{{matcher}}}"), mode).unwrap();
            prop_assert_eq!(&parsed.value, &vec![matcher.clone()]);
            prop_assert_eq!(parsed.warning, None);
        }
    }

    #[test]
    fn no_text_panics_and_every_offset_is_a_place_in_it(text in "[a-b=!~,\"\\\\{} é\\n]{0,16}") {
        for mode in MODES {
            if let Err(error) = parse_matchers(&text, mode) {
                prop_assert!(text.is_char_boundary(error.offset), "{error:?}");
            }
            if let Err(error) = parse_matcher(&text, mode) {
                prop_assert!(text.is_char_boundary(error.offset), "{error:?}");
            }
        }
    }
}
