//! Messages about incidents: templates of one's own, lists of those who are told, and values that
//! are always the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_core::incident::{
    Audience, GIVEN_VARIABLES, INCIDENT_VARIABLES, IncidentSettings, MAX_NAMED, MessageTarget,
    MessageTemplate, Pattern, is_name,
};

use crate::incidents::IncidentsConfig;
use crate::reader::{Fields, Reader, Value, nearest};
use crate::section::{Out, Shape, Text, section, words};
use crate::yaml::Node;

section! {
    /// What a message about an incident is made from. Subject and body have variables in braces,
    /// as in `{title}`.
    MessageTemplateConfig, check = check_template => {
        /// The name.
        @Native name: String;
        /// Who reads it.
        @Native audience: AudienceWord;
        /// One line.
        @Native subject: String;
        /// What it says.
        @Native body: String;
    }
}

words! {
    /// Who reads a message.
    AudienceWord {
        /// Colleagues.
        Internal = "internal",
        /// Customers.
        Customer = "customer",
        /// Executives.
        Executive = "executive",
    }
    default = Internal
}

/// Somebody who is told: a target of an escalation, `participants` or `subscribers`.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageTargetText(pub MessageTarget);

impl Value for MessageTargetText {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let parse = |text: &str| match MessageTarget::parse(text) {
            Ok(MessageTarget::List(_)) => Err("a list names no other list".to_owned()),
            Ok(target) => Ok(Self(target)),
            Err(error) => Err(error.to_string()),
        };
        // The address of a webhook is as good as a secret.
        if let crate::yaml::Kind::Scalar { text, .. } = &node.kind
            && text.contains("://")
        {
            return reader.parsed_secret(node, "somebody who is told", parse);
        }
        reader.parsed(node, "somebody who is told", parse)
    }

    fn encode(&self) -> Out {
        let text = self.0.written();
        if text.contains("://") { Out::Secret } else { Out::text(&text) }
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("target"))
    }
}

fn check_template(
    template: &mut MessageTemplateConfig,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) {
    reader.require(fields, &["name", "subject", "body"]);
    for (key, text) in [("subject", &template.subject), ("body", &template.body)] {
        if let Err(error) = Pattern::parse(text) {
            reader.error_at(fields, key, format!("`{key}` {error}"));
        }
    }
}

/// Puts what is configured into the settings, beside what is built in.
pub(crate) fn compile(
    config: &IncidentsConfig,
    reader: &mut Reader<'_>,
    settings: &mut IncidentSettings,
) {
    for (key, count) in [
        ("templates", config.templates.len()),
        ("lists", config.lists.len()),
        ("variables", config.variables.len()),
    ] {
        if count > MAX_NAMED {
            let span = reader.place(&format!(".incidents.{key}"));
            reader.error_span(span, format!("has {count} entries; the bound is {MAX_NAMED}"));
        }
    }
    for name in config.variables.keys().filter(|name| !is_name(name)) {
        let span = reader.place(".incidents.variables");
        let message = format!("`{name}` is no name of a variable: letters, digits and `_`");
        reader.error_span(span, message);
    }
    let own = config.variables.keys().map(String::as_str);
    let usual = INCIDENT_VARIABLES.iter().chain(&GIVEN_VARIABLES).map(|(name, _)| *name);
    let known: BTreeSet<&str> = usual.chain(own).collect();
    let mut seen = BTreeSet::new();
    for (place, template) in config.templates.iter().enumerate() {
        let path = |key: &str| format!(".incidents.templates[{place}].{key}");
        let Some(made) = read(template) else { continue };
        for name in made.variables().into_iter().filter(|name| !known.contains(name)) {
            let key =
                if made.subject.variables().any(|it| it == name) { "subject" } else { "body" };
            let hint = nearest(name, known.iter().copied());
            let message = format!(
                "nobody gives `{{{name}}}` a value; give it one under `incidents.variables`, which \
                 may be empty when whoever sends has to say it{hint}"
            );
            reader.error_span(reader.place(&path(key)), message);
        }
        if !seen.insert(template.name.as_str()) {
            let message = format!("there is another template `{}`", template.name);
            reader.error_span(reader.place(&path("name")), message);
        }
        settings.templates.insert(made.name.clone(), Arc::new(made));
    }
    for (name, list) in &config.lists {
        let targets = list.iter().map(|target| target.0.clone()).collect();
        settings.lists.insert(name.as_str().into(), targets);
    }
    settings.variables.clone_from(&config.variables);
}

/// Returns a template; `None` for one that was refused already.
fn read(template: &MessageTemplateConfig) -> Option<MessageTemplate> {
    Some(MessageTemplate {
        name: template.name.as_str().into(),
        audience: match template.audience {
            AudienceWord::Internal => Audience::Internal,
            AudienceWord::Customer => Audience::Customer,
            AudienceWord::Executive => Audience::Executive,
        },
        subject: Pattern::parse(&template.subject).ok()?,
        body: Pattern::parse(&template.body).ok()?,
    })
}
