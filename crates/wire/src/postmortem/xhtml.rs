//! Markdown that people wrote, as XHTML: well-formed, without tags of theirs, and with links only
//! to the web.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Returns Markdown as XHTML. Headings stand below those of the document.
pub(super) fn of_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    // Whether each link that is open leads anywhere.
    let mut links: Vec<bool> = Vec::new();
    let mut images = 0_usize;
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(tag) => match tag {
                Tag::Link { dest_url, .. } => {
                    let leads = is_web(&dest_url);
                    links.push(leads);
                    if leads {
                        out.push_str(&format!("<a href=\"{}\">", escape(&dest_url)));
                    }
                }
                // What an image shows is told by its words: nothing is fetched by reading.
                Tag::Image { .. } => images += 1,
                Tag::List(Some(start)) if start != 1 => {
                    out.push_str(&format!("<ol start=\"{start}\">"));
                }
                Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                    out.push_str("<pre>");
                }
                tag => {
                    if let Some(name) = name_of(&tag.to_end()) {
                        out.push_str(&format!("<{name}>"));
                    }
                }
            },
            Event::End(TagEnd::Link) => {
                if links.pop() == Some(true) {
                    out.push_str("</a>");
                }
            }
            Event::End(TagEnd::Image) => images = images.saturating_sub(1),
            Event::End(TagEnd::CodeBlock) => out.push_str("</pre>\n"),
            Event::End(tag) => {
                if let Some(name) = name_of(&tag) {
                    out.push_str(&format!("</{name}>"));
                    if !matches!(name, "em" | "strong" | "del") {
                        out.push('\n');
                    }
                }
            }
            // What looks like a tag is text.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                out.push_str(&escape(&text));
            }
            Event::Code(text) => out.push_str(&format!("<code>{}</code>", escape(&text))),
            Event::SoftBreak => out.push('\n'),
            Event::HardBreak => out.push_str("<br />\n"),
            Event::Rule => out.push_str("<hr />\n"),
            // Not enabled.
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                out.push_str(&escape(&text));
            }
            Event::TaskListMarker(_) => {}
        }
    }
    out
}

fn name_of(tag: &TagEnd) -> Option<&'static str> {
    Some(match tag {
        TagEnd::Paragraph | TagEnd::HtmlBlock => "p",
        TagEnd::Heading(level) => match level {
            HeadingLevel::H1 => "h3",
            HeadingLevel::H2 => "h4",
            HeadingLevel::H3 => "h5",
            _ => "h6",
        },
        TagEnd::BlockQuote(_) => "blockquote",
        TagEnd::List(true) => "ol",
        TagEnd::List(false) => "ul",
        TagEnd::Item => "li",
        TagEnd::Emphasis => "em",
        TagEnd::Strong => "strong",
        TagEnd::Strikethrough => "del",
        _ => return None,
    })
}

/// Returns whether an address may be a link.
pub(super) fn is_web(address: &str) -> bool {
    let head: String = address.chars().take(8).collect::<String>().to_ascii_lowercase();
    head.starts_with("https://") || head.starts_with("http://")
}

/// Returns text as XHTML shows it; what XML cannot hold is left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
