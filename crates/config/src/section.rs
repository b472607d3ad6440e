//! One description of a section from which everything else comes: its type, how it is read, its
//! JSON schema, its documentation, and how it is written back with secrets masked.
//!
//! ```text
//! section! {
//!     /// What the section is for.
//!     RetentionConfig {
//!         /// What the key means.
//!         @Native events: Duration = days(90);
//!     }
//! }
//! ```

/// Where a key is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    /// Alertmanager 0.25 and every later one know the key.
    Classic,
    /// Only later ones than 0.25 do; written back only when it was set.
    Newer,
    /// Alertmanager knows it but advises against it.
    Deprecated,
    /// Only Tocsin knows it.
    Native,
}

/// What a scalar's text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Plain,
    Template,
    Secret,
    Url,
    SecretUrl,
    HostPort,
    Duration,
    Path,
    Matcher,
    /// Anything else, by the name that the reference prints.
    Named(&'static str),
}

/// What a key accepts.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Text(Text),
    Bool,
    Integer,
    Number,
    Words(&'static [&'static str]),
    List(Box<Self>),
    Map(Box<Self>),
    Section(fn() -> SectionInfo),
    OneOf(Vec<Self>),
    Any,
}

/// The description of a section.
#[derive(Clone, Debug)]
pub(crate) struct SectionInfo {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) fields: Vec<FieldInfo>,
}

/// The description of one key.
#[derive(Clone, Debug)]
pub(crate) struct FieldInfo {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) flag: Flag,
    pub(crate) shape: Shape,
    pub(crate) default: Out,
}

/// A value to be written as YAML; it never holds a secret.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Out {
    /// Nothing; the key is left out.
    Null,
    /// A text that is quoted where YAML needs it.
    Text(String),
    /// A number, boolean, duration or word that never needs quotes.
    Word(String),
    /// Stands for a secret.
    Secret,
    List(Vec<Self>),
    Map(Vec<Entry>),
}

/// One key of an [`Out::Map`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) flag: Flag,
    pub(crate) is_default: bool,
    pub(crate) value: Out,
}

impl Out {
    pub(crate) fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    pub(crate) fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }
}

impl Entry {
    pub(crate) fn new(key: impl Into<String>, value: Out) -> Self {
        Self { key: key.into(), flag: Flag::Classic, is_default: false, value }
    }
}

/// A mapping with known keys. Implemented by [`section!`].
pub(crate) trait Section: Sized {
    fn info() -> SectionInfo;
}

/// Joins the lines of a documentation comment.
pub(crate) fn doc(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ").trim().to_owned()
}

/// Returns the name of a field as it is written in a file.
pub(crate) fn key_of(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Describes a section: see the module.
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        $name:ident $(, check = $check:expr)? => {
            $(
                $(#[doc = $field_doc:literal])+
                $(@$flag:ident)? $field:ident : $type:ty $(= $default:expr)? ;
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        #[allow(unreachable_pub, reason = "some sections stay inside the crate")]
        pub struct $name {
            $( $(#[doc = $field_doc])+ pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::section::section!(@default $($default)?), )* }
            }
        }

        impl $crate::section::Section for $name {
            fn info() -> $crate::section::SectionInfo {
                #[allow(unused_variables, reason = "a section may have no keys")]
                let default = Self::default();
                $crate::section::SectionInfo {
                    name: stringify!($name),
                    doc: $crate::section::doc(&[$($doc),+]),
                    fields: vec![$(
                        $crate::section::FieldInfo {
                            name: $crate::section::key_of(stringify!($field)),
                            doc: $crate::section::doc(&[$($field_doc),+]),
                            flag: $crate::section::section!(@flag $($flag)?),
                            shape: <$type as $crate::reader::Value>::shape(),
                            default: $crate::reader::Value::encode(&default.$field),
                        },
                    )*],
                }
            }
        }

        impl $crate::reader::Value for $name {
            fn decode(
                node: &$crate::yaml::Node,
                reader: &mut $crate::reader::Reader<'_>,
            ) -> Option<Self> {
                const KEYS: &[&str] = &[$(stringify!($field)),*];
                #[allow(unused_mut, reason = "a section may have no keys")]
                let mut fields = reader.open(node, stringify!($name))?;
                #[allow(unused_variables, reason = "a section may have no keys")]
                let default = Self::default();
                #[allow(unused_mut, reason = "only some sections are checked")]
                let mut section = Self {
                    $( $field: reader
                        .field(&mut fields, $crate::section::key_of(stringify!($field)))
                        .unwrap_or(default.$field), )*
                };
                reader.close(&fields, KEYS);
                $( ($check)(&mut section, &fields, reader); )?
                Some(section)
            }

            fn encode(&self) -> $crate::section::Out {
                #[allow(unused_variables, reason = "a section may have no keys")]
                let default = Self::default();
                $crate::section::Out::Map(vec![$(
                    $crate::section::Entry {
                        key: $crate::section::key_of(stringify!($field)).to_owned(),
                        flag: $crate::section::section!(@flag $($flag)?),
                        is_default: self.$field == default.$field,
                        value: $crate::reader::Value::encode(&self.$field),
                    },
                )*])
            }

            fn shape() -> $crate::section::Shape {
                $crate::section::Shape::Section(<Self as $crate::section::Section>::info)
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@flag) => { $crate::section::Flag::Classic };
    (@flag $flag:ident) => { $crate::section::Flag::$flag };
}

/// Describes a key that takes one of a few words.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $name:ident {
            $( $(#[doc = $word_doc:literal])+ $variant:ident = $word:literal, )+
        }
        default = $default:ident
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[doc = $word_doc])+ $variant, )+
        }

        impl $name {
            /// Returns the word as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        }

        impl $crate::reader::Value for $name {
            fn decode(
                node: &$crate::yaml::Node,
                reader: &mut $crate::reader::Reader<'_>,
            ) -> Option<Self> {
                const WORDS: &[(&str, $name)] = &[$( ($word, $name::$variant), )+];
                reader.word(node, WORDS)
            }

            fn encode(&self) -> $crate::section::Out {
                $crate::section::Out::text(self.as_str())
            }

            fn shape() -> $crate::section::Shape {
                $crate::section::Shape::Words(&[$($word),+])
            }
        }
    };
}

pub(crate) use {section, words};
