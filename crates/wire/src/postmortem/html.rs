//! HTML and the storage format of Confluence.

use super::document::{Block, blocks};
use super::xhtml::{escape, of_markdown};
use crate::v1::PostmortemDetail;

/// Looks well on a screen, light or dark, and on paper: without colours, tables whole, addresses
/// written out.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2rem;border-bottom:1px solid #8886}\
table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #8886;padding:.3rem .6rem;text-align:left;vertical-align:top;\
overflow-wrap:break-word}td:last-child{overflow-wrap:anywhere}\
pre{overflow-x:auto;padding:.6rem;border:1px solid #8886}\
@media print{body{font-size:11pt;margin:0;max-width:none;color:#000;background:#fff}\
h2{break-after:avoid}tr,pre,blockquote{break-inside:avoid}thead{display:table-header-group}\
a[href]::after{content:\" (\" attr(href) \")\";font-size:90%}@page{margin:2cm}}";

/// Returns a postmortem as a page that needs nothing else.
pub fn html(it: &PostmortemDetail) -> String {
    let title = escape(&it.postmortem.title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\" />\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        body(it, true)
    )
}

/// Returns a postmortem in the storage format of Confluence; the title is that of the page.
pub fn confluence(it: &PostmortemDetail) -> String {
    body(it, false)
}

fn body(it: &PostmortemDetail, has_title: bool) -> String {
    let mut out = String::new();
    for block in blocks(it) {
        match block {
            Block::Heading(1, _) if !has_title => {}
            Block::Heading(level, text) => {
                out.push_str(&format!("<h{level}>{}</h{level}>\n", escape(&text)));
            }
            Block::Facts(facts) => {
                out.push_str("<table><tbody>\n");
                for (name, value) in facts {
                    let value = escape(&value);
                    out.push_str(&format!("<tr><th>{name}</th><td>{value}</td></tr>\n"));
                }
                out.push_str("</tbody></table>\n");
            }
            Block::Paragraph(text) if text.is_empty() => {}
            Block::Paragraph(text) => out.push_str(&format!("<p>{}</p>\n", escape(&text))),
            Block::List(items) if items.is_empty() => {}
            Block::List(items) => {
                out.push_str("<ul>\n");
                for item in items {
                    out.push_str(&format!("<li>{}</li>\n", escape(item)));
                }
                out.push_str("</ul>\n");
            }
            Block::Written(text) => out.push_str(&of_markdown(text)),
            Block::Table(headings, rows) => {
                let head: String = headings.iter().map(|it| format!("<th>{it}</th>")).collect();
                out.push_str(&format!("<table><thead><tr>{head}</tr></thead><tbody>\n"));
                for row in rows {
                    let cells: String =
                        row.iter().map(|it| format!("<td>{}</td>", escape(it))).collect();
                    out.push_str(&format!("<tr>{cells}</tr>\n"));
                }
                out.push_str("</tbody></table>\n");
            }
        }
    }
    out
}
