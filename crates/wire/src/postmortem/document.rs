//! The document in blocks, which each format writes in its own way.

use jiff::{SignedDuration, Timestamp};

use crate::v1::{PostmortemDetail, PostmortemSection};

/// A part of the document.
pub(super) enum Block<'d> {
    /// A heading of that level.
    Heading(u8, String),
    /// Names and values.
    Facts(Vec<(&'static str, String)>),
    /// Plain text.
    Paragraph(String),
    /// Plain texts, one below the other.
    List(Vec<&'d str>),
    /// What a person wrote, in Markdown.
    Written(&'d str),
    /// A table of plain texts.
    Table(Vec<&'static str>, Vec<Vec<String>>),
}

/// Returns the parts of a postmortem, in their order.
pub(super) fn blocks(it: &PostmortemDetail) -> Vec<Block<'_>> {
    let head = &it.postmortem;
    let mut blocks = vec![Block::Heading(1, format!("Incident Post-Mortem: {}", head.title))];
    let people: Vec<&str> = it.live.people.iter().map(|it| it.person.as_str()).collect();
    let mut facts = vec![
        ("Reference", head.reference.clone()),
        ("Date", day(it.live.detected_at)),
        ("Severity", head.severity.clone()),
        ("Service", head.service.clone()),
        ("Facilitator", head.owner.clone().unwrap_or_default()),
        ("Participants", people.join(", ")),
        ("Status", head.state.as_str().replace('_', " ")),
        ("Tags", head.tags.join(", ")),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    blocks.push(Block::Facts(facts));
    for section in &it.sections {
        blocks.push(Block::Heading(2, section.heading.clone()));
        text(section, &mut blocks);
        if section.name == tocsin_core::postmortem::SectionName::Timeline {
            timeline(it, &mut blocks);
        }
    }
    blocks.push(Block::Heading(2, "Metrics".to_owned()));
    blocks.push(metrics(it));
    if !it.live.people.is_empty() {
        blocks.push(Block::Heading(2, "People".to_owned()));
        let row = |it: &crate::v1::PostmortemPerson| vec![it.person.clone(), it.parts.join(", ")];
        let rows = it.live.people.iter().map(row).collect();
        blocks.push(Block::Table(vec!["Who", "What they did"], rows));
    }
    blocks.push(Block::Heading(2, "Action Items".to_owned()));
    blocks.push(actions(it));
    blocks
}

fn text<'d>(section: &'d PostmortemSection, blocks: &mut Vec<Block<'d>>) {
    match &section.text {
        Some(text) if !text.trim().is_empty() => blocks.push(Block::Written(text)),
        Some(_) => {}
        None if section.name.is_list() => {
            blocks.push(Block::List(section.drafted.iter().map(|it| it.text.as_str()).collect()));
        }
        None => {
            let all: Vec<&str> = section.drafted.iter().map(|it| it.text.as_str()).collect();
            blocks.push(Block::Paragraph(all.join(" ")));
        }
    }
}

fn timeline(it: &PostmortemDetail, blocks: &mut Vec<Block<'_>>) {
    let table = |rows: &[crate::v1::PostmortemRow]| {
        let rows = rows.iter().map(|row| {
            let time = match row.until.filter(|until| *until != row.at) {
                Some(until) => format!("{:.0} to {:.0}", row.at, until),
                None => format!("{:.0}", row.at),
            };
            vec![time, row.by.clone(), row.text.clone()]
        });
        Block::Table(vec!["Time", "Who", "Event"], rows.collect())
    };
    if !it.live.key_moments.is_empty() {
        blocks.push(Block::Heading(3, "Key Moments".to_owned()));
        blocks.push(table(&it.live.key_moments));
        blocks.push(Block::Heading(3, "Everything".to_owned()));
    }
    blocks.push(table(&it.live.timeline));
    if it.live.rows_left_out > 0 {
        let text = format!("{} rows in the middle are left out here.", it.live.rows_left_out);
        blocks.push(Block::Paragraph(text));
    }
}

fn metrics(it: &PostmortemDetail) -> Block<'static> {
    let named = [
        ("mttd", "Time to Detect"),
        ("mtta", "Time to Acknowledge"),
        ("mtti", "Time to Identify"),
        ("mttm", "Time to Mitigate"),
        ("mttr", "Time to Resolve"),
        ("impact_duration", "Customer Impact Duration"),
    ];
    let rows = named.into_iter().map(|(name, title)| {
        let metric = it.live.metrics.iter().find(|it| it.name == name && it.cycle.is_none());
        let seconds = metric.and_then(|it| it.seconds);
        let value = match seconds {
            Some(seconds) => format!("{:#}", SignedDuration::from_secs(seconds)),
            None => "not recorded".to_owned(),
        };
        vec![title.to_owned(), value]
    });
    Block::Table(vec!["Metric", "Value"], rows.collect())
}

fn actions(it: &PostmortemDetail) -> Block<'static> {
    if it.actions.is_empty() {
        return Block::Paragraph("Nothing was promised yet.".to_owned());
    }
    let row = |it: &crate::v1::ActionItem| {
        vec![
            it.id.clone(),
            it.title.clone(),
            it.owner.clone().unwrap_or_default(),
            it.priority.to_string(),
            day(it.due_at),
            it.status.as_str().replace('_', " "),
        ]
    };
    let rows = it.actions.iter().map(row).collect();
    Block::Table(vec!["ID", "Title", "Owner", "Priority", "Due Date", "Status"], rows)
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
