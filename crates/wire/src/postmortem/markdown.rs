//! Markdown.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::document::{Block, blocks};
use super::xhtml::is_web;
use crate::v1::{PostmortemDetail, plain};

/// How often what people wrote is looked at again after something was made harmless in it.
const MAX_PASSES: usize = 4;

/// Returns a postmortem as Markdown.
pub fn markdown(it: &PostmortemDetail) -> String {
    let mut out = String::new();
    for block in blocks(it) {
        match block {
            Block::Heading(level, text) => {
                out.push_str(&format!("{} {}\n\n", "#".repeat(level.into()), plain(&text)));
            }
            Block::Facts(facts) => {
                for (name, value) in facts {
                    out.push_str(&format!("- **{name}:** {}\n", plain(&value)));
                }
                out.push('\n');
            }
            Block::Paragraph(text) if text.is_empty() => {}
            Block::Paragraph(text) => out.push_str(&format!("{}\n\n", line(&text))),
            Block::List(items) if items.is_empty() => {}
            Block::List(items) => {
                for item in items {
                    out.push_str(&format!("- {}\n", line(item)));
                }
                out.push('\n');
            }
            Block::Written(text) => out.push_str(&format!("{}\n\n", harmless(text))),
            Block::Table(headings, rows) => {
                out.push_str(&format!("| {} |\n", headings.join(" | ")));
                out.push_str(&format!("|{}\n", "---|".repeat(headings.len())));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|it| plain(it)).collect();
                    out.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
                out.push('\n');
            }
        }
    }
    out
}

/// Returns plain text that begins a line: it must not begin a list or a heading either.
fn line(text: &str) -> String {
    let text = plain(text);
    let begins = text.starts_with(['-', '+', '=']);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let is_numbered = digits > 0 && text[digits..].starts_with('.');
    if begins {
        format!("\\{text}")
    } else if is_numbered {
        format!("{}\\{}", &text[..digits], &text[digits..])
    } else {
        text
    }
}

/// Returns what a person wrote without tags and without links to anywhere but the web.
fn harmless(text: &str) -> String {
    let mut text: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    for _ in 0..MAX_PASSES {
        let places = harmful(&text);
        if places.is_empty() {
            return text.trim().to_owned();
        }
        for place in places.into_iter().rev() {
            match text.as_bytes().get(place) {
                Some(b'<') => text.replace_range(place..=place, "&lt;"),
                _ => text.insert(place, '\\'),
            }
        }
    }
    // It resists: then all of it is text.
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Returns the places that have to be escaped, ascending.
fn harmful(text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {
                let tags = text[range.clone()].match_indices('<');
                places.extend(tags.map(|(at, _)| range.start + at));
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                if !is_web(&dest_url) =>
            {
                places.push(range.start);
            }
            _ => {}
        }
    }
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::xhtml::of_markdown;

    const NASTY: &[&str] = &[
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[x](javascript:alert(1))",
        "![x](javascript:alert(1))",
        "[x]\n\n[x]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "[a [b](javascript:c)](javascript:d)",
        "</td></tr></table><b>",
        "<!-- - - -->",
        "]]>",
        "`<b>`",
        "```\n<b>\n```",
        "<div\n\nonclick=x>",
        "<p><p><p",
        "\u{0}<\u{0}script>",
    ];

    #[test]
    fn nothing_that_people_write_becomes_a_tag_or_a_foreign_link() {
        for text in NASTY {
            let safe = harmless(text);
            assert_eq!(harmful(&safe), Vec::<usize>::new(), "{text} became {safe}");
            let shown = of_markdown(text).to_lowercase();
            for tag in ["<script", "<img", "<b>", "<div", "href=\"javascript", "</table", "<!--"] {
                assert!(!shown.contains(tag), "{text} became {shown}");
            }
        }
        assert_eq!(
            harmless("**bold** and [a](https://a.example)"),
            "**bold** and [a](https://a.example)"
        );
        assert_eq!(harmless("a < b"), "a < b");
    }

    #[test]
    fn what_a_person_wrote_is_well_formed() {
        let text =
            "# One\n\n- a *b* **c**\n- [d](https://e.example/?f=1&g=2)\n\n> q\n\n3. x\n\n***\n";
        assert_eq!(
            of_markdown(text),
            "<h3>One</h3>\n<ul><li>a <em>b</em> <strong>c</strong></li>\n<li>\
             <a href=\"https://e.example/?f=1&amp;g=2\">d</a></li>\n</ul>\n\
             <blockquote><p>q</p>\n</blockquote>\n<ol start=\"3\"><li>x</li>\n</ol>\n<hr />\n"
        );
    }

    #[test]
    fn plain_text_begins_no_list() {
        assert_eq!(line("- a"), "\\- a");
        assert_eq!(line("12. a"), "12\\. a");
        assert_eq!(line("2026 was"), "2026 was");
    }
}
