//! What is not compared, and why. Everything else is.
//!
//! The reference is Debian's Alertmanager 0.25; we follow 0.34 where the two differ.

/// One thing that is known to differ.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// A short name.
    pub name: &'static str,
    /// What is left out of the comparison, or not played.
    pub what: &'static str,
    /// Why that is right.
    pub why: &'static str,
}

/// All of them.
pub const KNOWN: [Known; 13] = [
    Known {
        name: "notification_reason",
        what: "the field of that name in messages",
        why: "came with Alertmanager 0.32",
    },
    Known {
        name: "muted-by",
        what: "`mutedBy` of alerts, and the state `suppressed` that a time interval causes",
        why: "0.25 does not show that a time interval mutes; later releases do",
    },
    Known {
        name: "which-inhibitor",
        what: "which alert inhibits, when there is one",
        why: "of several sources 0.25 names any, in the order of a hash table",
    },
    Known {
        name: "receiver-labels",
        what: "`labels` of receivers",
        why: "came with a later release",
    },
    Known {
        name: "wording",
        what: "the bodies of answers that refuse; their status is compared",
        why: "the wording changed between releases",
    },
    Known {
        name: "unknown-silence",
        what: "whether the end of a silence that is over or unknown is 404 or 500",
        why: "0.25 answers 500, later releases 404",
    },
    Known {
        name: "reload-and-inhibition",
        what: "schedules with both are not played",
        why: "0.25 starts to notify before it knows which alerts inhibit, so chance decides; \
              later releases wait, and so do we: scenarios/reload tells",
    },
    Known {
        name: "reload-and-large-groups",
        what: "reloads that change routes are played with groups of one alert",
        why: "0.25 looks at an old group as soon as its first alert is back, so chance decides \
              how much of a larger group it tells first",
    },
    Known {
        name: "empty-groups",
        what: "when in a second a message comes; where alerts end, `group_interval` is a second, \
               and only alerts of new groups arrive old",
        why: "0.25 keeps a group without alerts, and its clock, for up to half a minute; later \
              releases begin a new one, and so do we: scenarios/grouping/an-empty-group-ends",
    },
    Known {
        name: "equal-intervals",
        what: "`repeat_interval` is never a multiple of `group_interval`",
        why: "a repeat is due when a message took longer to send than a timer was late, so \
              milliseconds decide: scenarios/dedup/equal-intervals-repeat-at-every-second-flush-in-compat",
    },
    Known {
        name: "empty-group-by",
        what: "`group_by: []` beneath the root is not played",
        why: "0.25 reads it as if it were not there, later releases as no labels at all",
    },
    Known {
        name: "equal-siblings",
        what: "sibling routes with equal matchers are not played",
        why: "they share one log entry and race for it: scenarios/compat/twin-routes tells",
    },
    Known {
        name: "back-off",
        what: "receivers refuse with 400 and never fail with 500",
        why: "pauses between attempts are random by half",
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_about_switching_names_all_of_them() {
        let page =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/switching-from-alertmanager.md");
        let page = std::fs::read_to_string(page).unwrap();
        for Known { name, .. } in KNOWN {
            assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
        }
    }
}
