//! The default templates, under the names that Alertmanager gives them, in our words.

/// The files in the order in which they are read; later ones use earlier ones.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("common.tmpl", include_str!("common.tmpl")),
    ("chat.tmpl", include_str!("chat.tmpl")),
    ("paging.tmpl", include_str!("paging.tmpl")),
    ("email.tmpl", include_str!("email.tmpl")),
];
