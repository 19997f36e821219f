//! The variables of a template and the operators that say how they are written.
//!
//! <https://www.rfc-editor.org/rfc/rfc6570#section-3.2.1>

/// One variable of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variable {
    pub(super) name: String,
    pub(super) operator: Operator,
    pub(super) explode: bool,
    pub(super) prefix: Option<u16>,
}

impl Variable {
    /// The name, as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operator of the expression it stands in.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// Whether it has a `*`: a list, each item on its own.
    pub fn explode(&self) -> bool {
        self.explode
    }

    /// The `3` of `{x:3}`: how many characters (not bytes) of the value are written at most.
    pub fn prefix(&self) -> Option<u16> {
        self.prefix
    }

    /// Whether a match always gives it a value; the others may be [`Capture::Absent`](super::Capture::Absent).
    pub fn is_required(&self) -> bool {
        matches!(self.operator, Operator::Simple | Operator::Reserved)
    }

    /// Whether its text may hold more than one path segment.
    pub(super) fn may_span(&self) -> bool {
        match self.operator {
            Operator::Reserved | Operator::Fragment => true,
            Operator::Path => self.explode,
            _ => false,
        }
    }

    /// Whether a value is one path segment and so can have no `/`.
    pub(super) fn is_one_segment(&self) -> bool {
        matches!(self.operator, Operator::Simple | Operator::Label | Operator::Path)
    }
}

/// What stands between `{` and the first name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operator {
    /// `{x}`: everything but unreserved characters is percent-encoded.
    Simple,
    /// `{+x}`: reserved characters such as `/` stay as they are.
    Reserved,
    /// `{#x}`: a fragment.
    Fragment,
    /// `{.x}`: labels, each after a dot.
    Label,
    /// `{/x}`: path segments, each after a slash.
    Path,
    /// `{;x}`: path parameters with their names.
    Parameter,
    /// `{?x}`: a query.
    Query,
    /// `{&x}`: the rest of a query begun by literal text.
    Continuation,
}

impl Operator {
    /// The operator character; none for [`Operator::Simple`].
    pub fn symbol(self) -> Option<char> {
        match self {
            Self::Simple => None,
            Self::Reserved => Some('+'),
            Self::Fragment => Some('#'),
            Self::Label => Some('.'),
            Self::Path => Some('/'),
            Self::Parameter => Some(';'),
            Self::Query => Some('?'),
            Self::Continuation => Some('&'),
        }
    }

    pub(super) fn of(symbol: char) -> Option<Self> {
        let all =
            [Self::Reserved, Self::Fragment, Self::Label, Self::Path, Self::Parameter, Self::Query, Self::Continuation];
        all.into_iter().find(|operator| operator.symbol() == Some(symbol))
    }

    /// What an expansion begins with: by this a reader sees that the expression is there.
    pub(super) fn marker(self) -> Option<char> {
        self.symbol().filter(|_| self != Self::Reserved)
    }

    /// What stands between two values.
    pub(super) fn separator(self) -> char {
        match self {
            Self::Simple | Self::Reserved | Self::Fragment => ',',
            Self::Label => '.',
            Self::Path => '/',
            Self::Parameter => ';',
            Self::Query | Self::Continuation => '&',
        }
    }

    /// Whether values carry their names.
    pub(super) fn is_named(self) -> bool {
        matches!(self, Self::Parameter | Self::Query | Self::Continuation)
    }

    /// Whether reserved characters are written as they are.
    pub(super) fn keeps_reserved(self) -> bool {
        matches!(self, Self::Reserved | Self::Fragment)
    }
}
