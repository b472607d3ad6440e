//! Markdown as HTML that is safe by construction: tags that people write are text, pictures are
//! links, and links lead to the web or to a mail program.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Returns a text in Markdown as HTML.
pub fn to_html(text: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut open = Vec::new();
    let events = Parser::new_ext(text, options).filter_map(move |event| safe(event, &mut open));
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, events);
    out
}

/// Returns what may be written of an event. `open` has for each link that is not ended whether it
/// is one.
fn safe<'a>(event: Event<'a>, open: &mut Vec<bool>) -> Option<Event<'a>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => None,
        Event::Start(Tag::Link { link_type, dest_url, .. }) => begin(link_type, dest_url, open),
        Event::Start(Tag::Image { dest_url, .. }) => {
            begin(pulldown_cmark::LinkType::Inline, dest_url, open)
        }
        Event::End(TagEnd::Link | TagEnd::Image) => {
            open.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link))
        }
        event => Some(event),
    }
}

fn begin<'a>(
    link_type: pulldown_cmark::LinkType,
    dest_url: CowStr<'a>,
    open: &mut Vec<bool>,
) -> Option<Event<'a>> {
    // A link within a link would be none in HTML.
    let is_link = leads_outside(&dest_url) && !open.contains(&true);
    open.push(is_link);
    let (title, id) = (CowStr::Borrowed(""), CowStr::Borrowed(""));
    is_link.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
}

/// Returns whether an address is one of the web or of mail.
fn leads_outside(address: &str) -> bool {
    let lower = address.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
        && !address.chars().any(char::is_control)
        || (!lower.is_empty() && !lower.contains(':') && lower.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_shown_and_nothing_of_it_runs() {
        let html = to_html("**bold** `code`\n\n- one\n- [x] two\n\n| a |\n|---|\n| b |\n");
        for part in ["<strong>bold</strong>", "<code>code</code>", "<li>one</li>", "<td>b</td>"] {
            assert!(html.contains(part), "{part}: {html}");
        }
        let html = to_html("[site](https://example.org/?a=1&b=2) <https://example.org>");
        assert_eq!(html.matches("<a href=\"https://example.org").count(), 2, "{html}");
        for bad in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\nscript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "<javascript:alert(1)>",
            "![x](https://tracker.example/p.gif \"onload=alert(1)\")",
            "[a [b](https://x.example) c](javascript:1)",
            "<style>*{display:none}</style>",
            "<!-- <script> -->",
            "[x]: javascript:alert(1)\n\n[x]",
            "`<script>`",
            "    <iframe src=//x>",
        ] {
            let html = to_html(bad);
            for tag in ["<script", "<img", "<style", "<iframe", "<!--"] {
                assert!(!html.contains(tag), "{bad}: {html}");
            }
            let lower = html.to_lowercase();
            assert!(
                !lower.contains("href=\"javascript") && !lower.contains("href=\"data"),
                "{html}"
            );
        }
        assert_eq!(
            to_html("![logo](https://x.example/a.png)"),
            "<p><a href=\"https://x.example/a.png\">logo</a></p>\n"
        );
    }
}
