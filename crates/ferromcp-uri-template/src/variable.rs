//! Variables of a template, and expression operators.
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
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the operator of its expression.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// Returns true if the variable has the explode modifier `*`.
    pub fn explode(&self) -> bool {
        self.explode
    }

    /// Returns the prefix length, the `3` of `{x:3}`: the maximum number of characters (not bytes) in an expansion.
    pub fn prefix(&self) -> Option<u16> {
        self.prefix
    }

    /// Returns true if a match always captures a value. Other variables may be [`Capture::Absent`](super::Capture::Absent).
    pub fn is_required(&self) -> bool {
        matches!(self.operator, Operator::Simple | Operator::Reserved)
    }

    /// Returns true if the value can span several path segments.
    pub(super) fn may_span(&self) -> bool {
        match self.operator {
            Operator::Reserved | Operator::Fragment => true,
            Operator::Path => self.explode,
            _ => false,
        }
    }

    /// Returns true if a value is a single path segment, which cannot contain `/`.
    pub(super) fn is_one_segment(&self) -> bool {
        matches!(self.operator, Operator::Simple | Operator::Label | Operator::Path)
    }
}

/// The operator of an expression: the character between `{` and the first name.
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
    /// `{&x}`: the continuation of a query in literal text.
    Continuation,
}

impl Operator {
    /// Returns the operator character; `None` for [`Operator::Simple`].
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

    /// Returns the first character of an expansion, which marks the presence of the expression.
    pub(super) fn marker(self) -> Option<char> {
        self.symbol().filter(|_| self != Self::Reserved)
    }

    /// Returns the separator of values.
    pub(super) fn separator(self) -> char {
        match self {
            Self::Simple | Self::Reserved | Self::Fragment => ',',
            Self::Label => '.',
            Self::Path => '/',
            Self::Parameter => ';',
            Self::Query | Self::Continuation => '&',
        }
    }

    /// Returns true if values are written with their names.
    pub(super) fn is_named(self) -> bool {
        matches!(self, Self::Parameter | Self::Query | Self::Continuation)
    }

    /// Returns true if reserved characters are not encoded.
    pub(super) fn keeps_reserved(self) -> bool {
        matches!(self, Self::Reserved | Self::Fragment)
    }
}
