//! Receivers that write tickets.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader, Value};
use crate::section::{Entry, Out, Section as _, Shape, Text, section, words};
use crate::values::{Any, Template, Url};
use crate::yaml::{Kind, Node};

section! {
    /// Issues in Jira.
    JiraConfig, check = check => {
        /// Whether resolved alerts are told.
        @Newer send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The address of the API; `jira_api_url` when it is not given.
        @Newer api_url: Option<Url>;
        /// Which Jira it is.
        @Newer api_type: JiraApiType;
        /// The key of the project.
        @Newer project: Template;
        /// The type of the issue.
        @Newer issue_type: Template;
        /// The title; at most 255 characters are sent.
        @Newer summary: Option<JiraText>;
        /// The description.
        @Newer description: Option<JiraText>;
        /// Labels of the issue.
        @Newer labels: Vec<Template>;
        /// The priority.
        @Newer priority: Option<Template>;
        /// The transition that closes the issue.
        @Newer resolve_transition: Option<Template>;
        /// The transition that opens it again.
        @Newer reopen_transition: Option<Template>;
        /// How long after its end an issue is opened again, in whole minutes; 0 means never.
        @Newer reopen_duration: Duration;
        /// Issues with this resolution stay closed.
        @Newer wont_fix_resolution: Option<Template>;
        /// Further fields.
        @Newer fields: BTreeMap<String, Any>;
        /// The older name of `fields`.
        @Newer custom_fields: BTreeMap<String, Any>;
    }
}

words! {
    /// Which Jira it is.
    JiraApiType {
        /// Found out from the address.
        Auto = "auto",
        /// Atlassian's cloud.
        Cloud = "cloud",
        /// A data centre of your own.
        Datacenter = "datacenter",
    }
    default = Auto
}

/// A text of an issue: the text alone, or with whether an open issue follows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JiraText {
    /// The text.
    pub template: Template,
    /// Whether the text of an open issue is changed when it would read differently now.
    pub enable_update: Option<bool>,
}

section! {
    /// A text of an issue with whether an open issue follows it.
    JiraUpdatedText => {
        /// The text.
        @Newer template: Template;
        /// Whether the text of an open issue is changed when it would read differently now.
        @Newer enable_update: Option<bool>;
    }
}

impl Value for JiraText {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(node.kind, Kind::Scalar { .. }) {
            let template = Template::decode(node, reader)?;
            return Some(Self { template, enable_update: None });
        }
        let both = JiraUpdatedText::decode(node, reader)?;
        Some(Self { template: both.template, enable_update: both.enable_update })
    }

    fn encode(&self) -> Out {
        match self.enable_update {
            None => self.template.encode(),
            Some(update) => Out::Map(vec![
                Entry::new("template", self.template.encode()),
                Entry::new("enable_update", update.encode()),
            ]),
        }
    }

    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Text(Text::Template), Shape::Section(JiraUpdatedText::info)])
    }
}

fn check(_: &mut JiraConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["project", "issue_type"]);
}
