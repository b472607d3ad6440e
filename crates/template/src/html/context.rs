//! Where in a page a text stands.

/// Everything about a place that decides how a value is escaped there, and what text does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Context {
    pub(super) state: State,
    /// What ends the value of an attribute; [`Quote::None`] outside of one.
    pub(super) quote: Quote,
    pub(super) address: Address,
    pub(super) slash: Slash,
    /// The attribute that is read.
    pub(super) attribute: Attribute,
    /// The element whose tag or content is read.
    pub(super) element: Element,
}

impl Context {
    /// The same place with another state.
    pub(super) fn with(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// Returns how errors call the place.
    pub(super) fn describe(&self) -> &'static str {
        match self.state {
            State::Text => "text",
            State::Tag => "a tag",
            State::AttributeName => "the name of an attribute",
            State::AfterName | State::BeforeValue => "an attribute before its value",
            State::Comment => "a comment",
            State::Content => "a title or a text area",
            State::Attribute => "the value of an attribute",
            State::Address | State::AddressSet => "an address",
            State::Script | State::ScriptRegex => "a script",
            State::ScriptDouble | State::ScriptSingle | State::ScriptTemplate => {
                "a text in a script"
            }
            State::ScriptBlockComment | State::ScriptLineComment => "a comment in a script",
            State::Style => "a style sheet",
            State::StyleDouble | State::StyleSingle => "a text in a style sheet",
            State::StyleAddressDouble | State::StyleAddressSingle | State::StyleAddress => {
                "an address in a style sheet"
            }
            State::StyleBlockComment | State::StyleLineComment => "a comment in a style sheet",
            State::Never => "nowhere",
        }
    }

    pub(super) fn is_comment(&self) -> bool {
        matches!(
            self.state,
            State::Comment
                | State::ScriptBlockComment
                | State::ScriptLineComment
                | State::StyleBlockComment
                | State::StyleLineComment
        )
    }

    /// Returns where a value stands that is written here without any text before it: a value that
    /// follows `href=` is one without quotes, one inside of a tag is the name of an attribute.
    pub(super) fn before_value(self) -> Self {
        match self.state {
            State::Tag => self.with(State::AttributeName),
            State::BeforeValue => Self {
                state: self.attribute.start(),
                quote: Quote::Space,
                attribute: Attribute::Plain,
                ..self
            },
            State::AfterName => {
                Self { state: State::AttributeName, attribute: Attribute::Plain, ..self }
            }
            _ => self,
        }
    }

    /// Returns where text goes on behind two branches; `None` when they end in different places.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        if self == other || other.state == State::Never {
            return Some(self);
        }
        if self.state == State::Never {
            return Some(other);
        }
        if (Self { address: other.address, ..self }) == other {
            return Some(Self { address: Address::Unknown, ..self });
        }
        if (Self { slash: other.slash, ..self }) == other {
            return Some(Self { slash: Slash::Unknown, ..self });
        }
        let (nudged, other_nudged) = (self.before_value(), other.before_value());
        if nudged == self && other_nudged == other { None } else { nudged.join(other_nudged) }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Between tags.
    #[default]
    Text,
    /// Inside a tag, before an attribute or the end.
    Tag,
    AttributeName,
    /// Behind a name, before `=`.
    AfterName,
    /// Behind `=`.
    BeforeValue,
    /// `<!-- … -->`.
    Comment,
    /// The content of `title` and `textarea`: text without tags.
    Content,
    /// The value of an attribute that holds text.
    Attribute,
    /// The value of an attribute that holds an address.
    Address,
    /// The value of `srcset`.
    AddressSet,
    Script,
    ScriptDouble,
    ScriptSingle,
    /// Between back quotes.
    ScriptTemplate,
    ScriptRegex,
    ScriptBlockComment,
    ScriptLineComment,
    Style,
    StyleDouble,
    StyleSingle,
    /// `url("…")`.
    StyleAddressDouble,
    /// `url('…')`.
    StyleAddressSingle,
    /// `url(…)`.
    StyleAddress,
    StyleBlockComment,
    StyleLineComment,
    /// Behind `break` and `continue`: no text is ever here.
    Never,
}

/// What ends the value of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quote {
    #[default]
    None,
    Double,
    Single,
    /// Without quotes: white space or the end of the tag.
    Space,
}

/// How much of an address was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Address {
    /// Nothing: what comes decides about the scheme.
    #[default]
    Start,
    /// Scheme, host or path.
    Path,
    /// Behind `?` or `#`.
    Query,
    /// Branches read differently much.
    Unknown,
}

/// What a slash in a script would begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slash {
    #[default]
    Regex,
    Division,
    /// Branches end differently.
    Unknown,
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attribute {
    #[default]
    Plain,
    Script,
    /// The `type` of a `script`, which says whether it is one.
    ScriptType,
    Style,
    Address,
    AddressSet,
}

impl Attribute {
    /// Returns the state that its value begins with.
    pub(super) fn start(self) -> State {
        match self {
            Self::Plain | Self::ScriptType => State::Attribute,
            Self::Script => State::Script,
            Self::Style => State::Style,
            Self::Address => State::Address,
            Self::AddressSet => State::AddressSet,
        }
    }
}

/// The elements whose content is not mark-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    #[default]
    Other,
    Script,
    Style,
    Textarea,
    Title,
}

impl Element {
    pub(super) fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "script" => Self::Script,
            "style" => Self::Style,
            "textarea" => Self::Textarea,
            "title" => Self::Title,
            _ => Self::Other,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Other => "",
            Self::Script => "script",
            Self::Style => "style",
            Self::Textarea => "textarea",
            Self::Title => "title",
        }
    }

    /// Returns the state that its content begins with.
    pub(super) fn content(self) -> State {
        match self {
            Self::Other => State::Text,
            Self::Script => State::Script,
            Self::Style => State::Style,
            Self::Textarea | Self::Title => State::Content,
        }
    }
}
