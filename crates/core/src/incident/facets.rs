//! What lists of incidents can be narrowed by, beside what every incident has exactly one of.

use std::collections::BTreeSet;

use super::Incident;

/// What an incident may have several of, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// What kind of harm it is.
    Category,
    /// The label `team`.
    Team,
    /// A service that it is about.
    Service,
    /// A word by which it is found.
    Tag,
    /// Somebody who has it, works on it or was named.
    Participant,
    /// Somebody who has a role in it.
    Holder,
}

impl Facet {
    /// Returns the facet with a value, as it is stored.
    pub fn of(self, value: impl std::fmt::Display) -> String {
        let kind = match self {
            Self::Category => "category",
            Self::Team => "team",
            Self::Service => "service",
            Self::Tag => "tag",
            Self::Participant => "participant",
            Self::Holder => "holder",
        };
        format!("{kind}:{value}")
    }
}

impl Incident {
    /// Returns by what it is found in lists.
    pub fn facets(&self) -> BTreeSet<String> {
        let team = self.labels.get("team").filter(|team| !team.is_empty());
        let holders: BTreeSet<_> = self.crew.present().map(|it| &it.person).collect();
        let people = self.participants.iter().chain(&self.owner).chain(holders.iter().copied());
        let mut facets: BTreeSet<String> = people.map(|it| Facet::Participant.of(it)).collect();
        facets.extend(holders.iter().map(|it| Facet::Holder.of(it)));
        facets.extend(self.category.map(|it| Facet::Category.of(it)));
        facets.extend(team.map(|it| Facet::Team.of(it)));
        facets.extend(self.all_services().into_iter().map(|it| Facet::Service.of(it)));
        facets.extend(self.tags.iter().map(|it| Facet::Tag.of(it)));
        facets
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{Author, Category, IncidentNumber};
    use super::*;
    use crate::identity::Handle;
    use crate::labels::Labels;
    use crate::severity::Severity;

    #[test]
    fn it_is_found_by_whoever_has_it_and_what_it_is_about() {
        let number = IncidentNumber(1);
        let title = "x".to_owned();
        let new =
            Incident::new(number, Timestamp::UNIX_EPOCH, Author::system(), title, Severity::Sev2);
        assert_eq!(new.facets(), BTreeSet::new());
        let it = Incident {
            category: Some(Category::Capacity),
            labels: Labels::from_iter([("team", "core")]),
            service: "pay".into(),
            services: ["web".into(), "pay".into()].into(),
            tags: ["disk".into()].into(),
            owner: Handle::parse("ada").ok(),
            ..new
        };
        let facets: Vec<String> = it.facets().into_iter().collect();
        assert_eq!(
            facets,
            [
                "category:capacity",
                "participant:ada",
                "service:pay",
                "service:web",
                "tag:disk",
                "team:core"
            ]
        );
    }
}
