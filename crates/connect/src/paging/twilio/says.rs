//! The words of text messages and calls.

use tocsin_config::TwilioChannelConfig;
use tocsin_core::paging::{Content, PageItem, StateWord};

use crate::message::cut;
use crate::paging::Errand;
use crate::paging::gsm::{MESSAGE_CHARS, length, to_gsm};
use crate::paging::words::{level, sentence, title};

/// The most characters of a text message that does not fit into the alphabet: two parts.
const MAX_UNICODE_CHARS: usize = 134;

/// The fewest characters of a title that are worth it: before less is said, the link goes.
const MIN_TITLE_CHARS: usize = 40;

/// The most characters that are spoken.
const MAX_SPOKEN_CHARS: usize = 700;

/// Returns a text message: at most 160 characters of the alphabet, or two parts in Unicode.
pub(super) fn text(config: &TwilioChannelConfig, errand: &Errand<'_>, number: &str) -> String {
    let is_two_way = config.is_two_way(number);
    let (head, title, tails) = match &errand.page.content {
        Content::Page { items } if items.len() == 1 => {
            let item = &items[0];
            let head = format!("Tocsin {}: ", level(item.severity));
            let mut tails = Vec::new();
            let link = config.may_link(number).then(|| errand.words.link(item));
            let codes = (is_two_way && item.code > 0).then(|| codes(item));
            // What is nearer to the front of the list says more; the first that fits is taken.
            tails.push([codes.clone(), link.clone()].into_iter().flatten().collect::<Vec<_>>());
            tails.push(codes.or(link).into_iter().collect());
            (head, title(item), tails)
        }
        Content::Page { items } => bundle(items, is_two_way),
        Content::Update { item } => {
            let by = sentence(&item.by);
            let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
            let word = match item.state {
                StateWord::Open => "open again",
                StateWord::Acknowledged => "acknowledged",
                StateWord::Snoozed => "snoozed",
                StateWord::Resolved => "resolved",
            };
            (format!("Tocsin {word}{by}: "), title(item), vec![Vec::new()])
        }
        Content::Verification { code } => {
            let stop = if is_two_way { " Reply STOP to get no more." } else { "" };
            (format!("Tocsin: your code is {code}.{stop}"), String::new(), vec![Vec::new()])
        }
        Content::Test => {
            let text = "Tocsin: this is a test. Nothing is wrong.";
            (text.to_owned(), String::new(), vec![Vec::new()])
        }
        Content::Handoff { schedule, text, open } => {
            let open = match open.len() {
                0 => " Nothing is open.".to_owned(),
                count => format!(" Open: {count}."),
            };
            let head = format!("Tocsin {}: ", sentence(schedule));
            (head, sentence(text), vec![vec![open.trim().to_owned()]])
        }
        Content::Notice { incident, title, lines } => {
            let head = format!("Tocsin incident {incident}: ");
            let text = lines.first().map_or_else(String::new, |line| sentence(line));
            (head, text, vec![vec![sentence(title)], Vec::new()])
        }
    };
    fit(&head, &title, &tails)
}

fn codes(item: &PageItem) -> String {
    let code = item.code;
    format!("Reply {code}a=ack {code}e=escalate {code}c=close")
}

fn bundle(items: &[PageItem], is_two_way: bool) -> (String, String, Vec<Vec<String>>) {
    let worst = items.first().map_or_else(String::new, |item| level(item.severity));
    let head = format!("Tocsin {worst}, {} alerts: ", items.len());
    let titles: Vec<String> = items
        .iter()
        .map(|item| match item.code {
            code if code > 0 && is_two_way => format!("{code}: {}", title(item)),
            _ => title(item),
        })
        .collect();
    let tail = is_two_way.then(|| "Reply aa=ack all".to_owned());
    (head, titles.join("; "), vec![tail.into_iter().collect()])
}

/// Puts the parts together; the title is what is shortened.
fn fit(head: &str, title: &str, tails: &[Vec<String>]) -> String {
    let (plain, is_whole) = to_gsm(&format!("{head}{title}"));
    let missing = plain.chars().filter(|c| *c == '?').count();
    // A title of which nothing is left in the alphabet is sent as it is.
    let is_unicode = !is_whole && missing * 4 > title.chars().count();
    let (room, measure): (usize, fn(&str) -> usize) = if is_unicode {
        (MAX_UNICODE_CHARS, |text| text.encode_utf16().count())
    } else {
        (MESSAGE_CHARS, length)
    };
    let convert = |text: &str| if is_unicode { text.to_owned() } else { to_gsm(text).0 };
    let (head, title) = (convert(head), convert(title));
    let spent = |tail: &str| measure(&head) + measure(tail);
    let stop = if title.is_empty() || title.ends_with(['.', '!', '?']) { "" } else { "." };
    let join = |tail: &[String]| {
        let parts: String = tail.iter().map(|part| format!(" {part}")).collect();
        if parts.is_empty() { parts } else { format!("{stop}{parts}") }
    };
    let wanted = measure(&title).min(MIN_TITLE_CHARS);
    let tails: Vec<String> = tails.iter().map(|tail| convert(&join(tail))).collect();
    let fits = tails.iter().find(|tail| spent(tail) + wanted <= room);
    let tail = fits.or(tails.last()).cloned().unwrap_or_default();
    let mut shown = title.clone();
    let mut chars = title.chars().count();
    while chars > 0 && spent(&tail) + measure(&shown) > room {
        chars -= 1;
        shown = title.chars().take(chars).collect::<String>().trim_end().to_owned() + "..";
    }
    format!("{head}{shown}{tail}").trim_end().to_owned()
}

/// Returns what is spoken before the keys are explained.
pub(super) fn speech(errand: &Errand<'_>) -> String {
    let text = match &errand.page.content {
        Content::Page { items } => {
            let mut text = match items.as_slice() {
                [only] => format!(
                    "{} alert, severity {}. {}. ",
                    only.severity.word(),
                    number_of(only),
                    title(only)
                ),
                _ => format!("{} alerts need you. ", items.len()),
            };
            if items.len() > 1 {
                for (place, item) in items.iter().take(3).enumerate() {
                    let place = place + 1;
                    text.push_str(&format!(
                        "{place}: severity {}, {}. ",
                        number_of(item),
                        title(item)
                    ));
                }
                if items.len() > 3 {
                    text.push_str(&format!("And {} more. ", items.len() - 3));
                }
            }
            format!("This is Tocsin. {text}")
        }
        Content::Update { item } => {
            let by = sentence(&item.by);
            let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
            format!("This is Tocsin. {} is {}{by}.", title(item), item.state.as_str())
        }
        Content::Verification { code } => {
            let digits: Vec<String> = code.chars().map(|digit| digit.to_string()).collect();
            let code = digits.join(", ");
            format!("This is Tocsin. Your code is: {code}. Once more: {code}.")
        }
        Content::Test => "This is Tocsin. This is a test. Nothing is wrong.".to_owned(),
        Content::Handoff { text, open, .. } => {
            format!("This is Tocsin. {} {} are open.", sentence(text), open.len())
        }
        Content::Notice { incident, title, lines } => {
            let text = lines.first().map_or_else(String::new, |line| sentence(line));
            format!("This is Tocsin. Incident {incident}, {}. {text}", sentence(title))
        }
    };
    cut(&sentence_free_of_signs(&text), MAX_SPOKEN_CHARS)
}

fn number_of(item: &PageItem) -> &'static str {
    item.severity.as_str().trim_start_matches("sev")
}

/// Replaces what a voice would spell out sign by sign.
fn sentence_free_of_signs(text: &str) -> String {
    let spaced: String =
        text.chars()
            .map(|c| {
                if matches!(c, '_' | '/' | '{' | '}' | '[' | ']' | '<' | '>' | '=') {
                    ' '
                } else {
                    c
                }
            })
            .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
