//! Whatever people and sources wrote, exports are well-formed and need nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use tocsin_core::action::{ActionCategory, ActionId, ActionItem, ActionPriority, ActionStatus};
use tocsin_core::identity::Handle;
use tocsin_core::incident::{Author, Entry, Fact, Incident, IncidentNumber, Mark};
use tocsin_core::postmortem::{
    Postmortem, PostmortemState, Section, SectionName, Sentence, Source, live,
};
use tocsin_core::severity::Severity;

use super::{confluence, html, markdown};
use crate::v1::PostmortemDetail;

/// What attackers and careless people write.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</td></tr></table>",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE x [<!ENTITY a \"b\">]>",
    "&a; &amp; &#0; &#xD800;",
    "\" onclick=\"x",
    "'>",
    "[a](javascript:x)",
    "[a](https://e.example/?a=1&b=\"2\"<>)",
    "![i](https://e.example/i.png \"t\")",
    "<https://e.example/\"><b>",
    "<div\n\nonclick=x>",
    "\u{0}\u{1b}\u{7f}\u{85}\u{fffe}\u{ffff}\u{feff}\u{202e}",
    "```\n<b>\n",
    "`<i>`",
    "# h",
    "> q\n",
    "- a\n  - b\n",
    "7. c\n",
    "***",
    "~~d~~ **e** _f_",
    "\r\n\r\n",
    "\\",
    "|---|",
    " www.e.example @ada #1 ",
    "ac:structured-macro",
    "<ac:link/>",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => Just(" word ".to_owned()),
        1 => Just("\n\n".to_owned()),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A postmortem in which every place that somebody may write to has these texts in turn.
fn detail(texts: &[String]) -> PostmortemDetail {
    let number = IncidentNumber(7);
    let mut turn = texts.iter().cycle();
    let mut next = || turn.next().cloned().unwrap_or_default();
    let by = Author::person(&next(), "api");
    let mut incident = Incident::new(number, at(0), by.clone(), next(), Severity::Sev1);
    incident.service = next().into();
    incident.marks.insert(1, Mark { is_key_moment: true, caption: next(), ..Mark::default() });
    let row = |seq: u64, text: String| Entry {
        incident: number,
        seq,
        occurred_at: at(seq.cast_signed()),
        recorded_at: at(seq.cast_signed()),
        cycle: 1,
        by: by.clone(),
        fact: Fact::Commented { text, mentions: Vec::new(), unknown: Vec::new() },
    };
    let entries: Vec<Entry> = (1..4).map(|seq| row(seq, next())).collect();
    let mut sections = BTreeMap::new();
    for name in SectionName::ALL {
        let drafted = vec![Sentence { text: next(), sources: vec![Source::entry(1)] }];
        let written = Section { text: Some(next()), ..Section::default() };
        let is_written = sections.len() % 2 == 0;
        let drafted = Section { drafted, ..Section::default() };
        sections.insert(name, if is_written { written } else { drafted });
    }
    let postmortem = Postmortem {
        incident: number,
        version: 1,
        state: PostmortemState::Draft,
        title: next(),
        is_required: true,
        due_at: None,
        created_at: at(0),
        created_by: by.clone(),
        changed_at: at(0),
        changed_by: next(),
        owner: Handle::parse("ada").ok(),
        review_at: None,
        published_at: None,
        waived_because: Some(next()),
        drafted_at: None,
        drafted_from: 0,
        sections,
        recommendations: Vec::new(),
        tags: [next().into()].into(),
        comments: 0,
        frozen: None,
    };
    let action = ActionItem {
        id: ActionId { incident: number, number: 1 },
        version: 1,
        title: next(),
        description: next(),
        priority: ActionPriority::P1,
        category: ActionCategory::Tooling,
        owner: None,
        due_at: at(0),
        status: ActionStatus::Open,
        reason: next(),
        link: String::new(),
        rule: Default::default(),
        created_at: at(0),
        created_by: by,
        changed_at: at(0),
        changed_by: String::new(),
        completed_at: None,
        recurred: Vec::new(),
        reminded_at: None,
        reminders: 0,
    };
    PostmortemDetail::new(&postmortem, &incident, &live(&incident, &entries), &[action], at(9))
}

/// Reads a document as XML, and looks at every tag and address in it.
fn check(text: &str) -> Result<(), TestCaseError> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(text, options);
    let document = document.map_err(|why| TestCaseError::fail(format!("{why}\n{text}")))?;
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let is_head = matches!(name, "html" | "head" | "meta" | "title" | "style");
        let known = [
            "root",
            "body",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "p",
            "ul",
            "ol",
            "li",
            "blockquote",
            "pre",
            "code",
            "em",
            "strong",
            "del",
            "a",
            "br",
            "hr",
        ];
        prop_assert!(is_head || known.contains(&name), "<{}>", name);
        prop_assert!(node.tag_name().namespace().is_none());
        for attribute in node.attributes().filter(|_| !is_head) {
            let (key, value) = (attribute.name(), attribute.value());
            let is_link = key == "href" && value.starts_with("http");
            let is_start = key == "start" && value.parse::<u64>().is_ok();
            prop_assert!(is_link || is_start, "{}={}", key, value);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_export_is_well_formed_and_has_only_our_tags(texts in vec(text(), 1..6)) {
        let detail = detail(&texts);
        check(&html(&detail))?;
        check(&format!("<root>{}</root>", confluence(&detail)))?;
        // Markdown becomes the same tags wherever it is shown.
        check(&format!("<root>{}</root>", super::xhtml::of_markdown(&markdown(&detail))))?;
    }
}

#[test]
fn the_page_needs_nothing_else_and_prints_well() {
    let page = html(&detail(&HOSTILE.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()));
    let (head, body) = page.split_once("<body>").unwrap();
    assert!(head.contains("default-src 'none'; style-src 'unsafe-inline'"), "{head}");
    for fetched in ["<link", "<script", "url(", "@import", " src="] {
        assert!(!head.contains(fetched), "{fetched}");
    }
    for fetched in ["<img", "<script", "<link", "<iframe", "<style", "<object"] {
        assert!(!body.contains(fetched), "{fetched}");
    }
    let print = head.split_once("@media print{").unwrap().1;
    for rule in ["color:#000;background:#fff", "break-inside:avoid", "@page{margin:2cm}"] {
        assert!(print.contains(rule), "{rule}");
    }
    // Addresses are written out on paper.
    assert!(print.contains("a[href]::after{content:\" (\" attr(href) \")\""), "{print}");
}
