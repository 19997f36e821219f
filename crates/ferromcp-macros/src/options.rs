//! What stands in the parentheses of an attribute: `name = "…"`, `blocking`, `annotations(…)`.
//!
//! One reader for all macros, so that an unknown, doubled or misshapen option is told in the same words everywhere.

use proc_macro2::{Span, TokenStream};
use syn::{
    Error, Expr, ExprLit, Ident, Lit, LitStr, Path, Result, Token,
    ext::IdentExt,
    parenthesized,
    parse::{ParseStream, Parser},
    parse_quote,
    token::Paren,
};

use crate::{errors::Errors, suggestion::closest_match};

/// What an attribute may hold.
pub(crate) struct Rules {
    /// The attribute's name, for messages.
    pub(crate) of: &'static str,
    pub(crate) keys: &'static [&'static str],
    /// Keys that may stand more than once.
    pub(crate) repeatable: &'static [&'static str],
    /// Whether a value without a key may stand first.
    pub(crate) positional: bool,
}

/// The options of one attribute, each taken out by the one who knows its meaning.
pub(crate) struct Options {
    rules: &'static Rules,
    span: Span,
    first: Option<Expr>,
    entries: Vec<Entry>,
}

/// A key with or without a value.
pub(crate) enum Given {
    Bare,
    Expr(Expr),
}

struct Entry {
    key: String,
    span: Span,
    value: Value,
}

enum Value {
    Flag,
    Expr(Expr),
    List(TokenStream),
}

impl Options {
    /// Reads `tokens`; `span` is where to complain about what is missing.
    pub(crate) fn parse(tokens: TokenStream, rules: &'static Rules, span: Span) -> Result<Self> {
        let read = |input: ParseStream<'_>| {
            let mut options = Self { rules, span, first: None, entries: Vec::new() };
            if rules.positional && is_positional(input, rules) {
                options.first = Some(input.parse()?);
                comma(input)?;
            }
            let mut errors = Errors::default();
            while !input.is_empty() {
                let entry = Entry::parse(input)?;
                errors.keep(options.admit(&entry));
                options.entries.push(entry);
                comma(input)?;
            }
            errors.finish().map(|()| options)
        };
        read.parse2(tokens)
    }

    fn admit(&self, entry: &Entry) -> Result<()> {
        let Rules { of, keys, .. } = self.rules;
        let key = entry.key.as_str();
        if !keys.contains(&key) {
            let list = keys.join("`, `");
            let hint = match (elsewhere(key, keys), closest_match(key, keys)) {
                (Some(meant), _) => format!("write `{meant}`."),
                (None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None) => "drop it.".to_owned(),
            };
            return Err(Error::new(
                entry.span,
                format!("`{of}` has no option `{key}`: {hint} Known options: `{list}`"),
            ));
        }
        let known = self.entries.iter().any(|other| other.key == key);
        if known && !self.rules.repeatable.contains(&key) {
            let message = format!("duplicate option `{key}`: keep one of them");
            return Err(Error::new(entry.span, message));
        }
        Ok(())
    }

    /// Where to complain about what is missing.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Where an option stands.
    pub(crate) fn span_of(&self, key: &str) -> Option<Span> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(entry.span)
    }

    /// The value without a key.
    pub(crate) fn first(&mut self) -> Result<Option<Expr>> {
        self.first.take().map(text).transpose()
    }

    /// `key = EXPR`, taken as it is.
    pub(crate) fn expr(&mut self, key: &str) -> Result<Option<Expr>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Expr(expr) => Ok(Some(expr)),
            _ => Err(Error::new(entry.span, format!("`{key}` requires a value: write `{key} = …`"))),
        }
    }

    /// `key = "text"`; any expression but a literal of another sort is let through for `rustc` to judge.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<Expr>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Expr(expr) => text(expr).map(Some),
            _ => Err(Error::new(entry.span, format!("`{key}` requires a string: write `{key} = \"…\"`"))),
        }
    }

    /// All values of a repeatable `key = "text"`.
    pub(crate) fn texts(&mut self, key: &str) -> Result<Vec<Expr>> {
        let mut texts = Vec::new();
        while let Some(text) = self.text(key)? {
            texts.push(text);
        }
        Ok(texts)
    }

    /// `key`, `key = true` or `key = false`.
    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Flag => Ok(Some(true)),
            Value::Expr(Expr::Lit(ExprLit { lit: Lit::Bool(truth), .. })) => Ok(Some(truth.value)),
            _ => Err(Error::new(entry.span, format!("`{key}` is a flag: write `{key}` or `{key} = false`"))),
        }
    }

    /// `key` or `key = EXPR`.
    pub(crate) fn flag_or_expr(&mut self, key: &str) -> Result<Option<Given>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Flag => Ok(Some(Given::Bare)),
            Value::Expr(expr) => Ok(Some(Given::Expr(expr))),
            Value::List(_) => Err(Error::new(entry.span, format!("`{key}` takes no parentheses: write `{key} = …`"))),
        }
    }

    /// `key(…)`; `example` goes into the message if it stands there in another shape.
    pub(crate) fn list(&mut self, key: &str, example: &str) -> Result<Option<TokenStream>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::List(tokens) => Ok(Some(tokens)),
            _ => Err(Error::new(entry.span, format!("`{key}` requires parentheses: write `{key}({example})`"))),
        }
    }

    /// The path of the facade: `crate = "…"`, or `::ferromcp`.
    pub(crate) fn krate(&mut self) -> Result<Path> {
        let Some(entry) = self.take("crate") else {
            return Ok(parse_quote!(::ferromcp));
        };
        match entry.value {
            Value::Expr(Expr::Lit(ExprLit { lit: Lit::Str(path), .. })) => path.parse_with(Path::parse_mod_style),
            _ => Err(Error::new(
                entry.span,
                "`crate` requires a path as a string: write `crate = \"my_crate::ferromcp\"`",
            )),
        }
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at))
    }
}

impl Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option, as in `title = \"…\"`"));
        }
        let key = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Expr(input.parse()?)
        } else if input.peek(Paren) {
            let inside;
            parenthesized!(inside in input);
            Value::List(inside.parse()?)
        } else {
            Value::Flag
        };
        Ok(Self { key: key.unraw().to_string(), span: key.span(), value })
    }
}

/// What says here what `key` says in other SDKs, or in other parentheses.
fn elsewhere(key: &str, keys: &[&str]) -> Option<&'static str> {
    let (option, written) = match key {
        "read_only" | "readonly" | "read_only_hint" => ("annotations", "annotations(read_only)"),
        "destructive" | "destructive_hint" => ("annotations", "annotations(destructive)"),
        "idempotent" | "idempotent_hint" => ("annotations", "annotations(idempotent)"),
        "open_world" | "open_world_hint" => ("annotations", "annotations(open_world)"),
        "min" | "max" | "ge" | "le" | "gt" | "lt" => ("range", "range(1..=10)"),
        "min_items" | "max_items" if keys.contains(&"items") => ("items", "items(1..=10)"),
        "min_length" | "max_length" | "min_items" | "max_items" => ("length", "length(1..=10)"),
        _ => return None,
    };
    keys.contains(&option).then_some(written)
}

/// The text of a string literal, with its place.
pub(crate) fn literal(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}

fn text(expr: Expr) -> Result<Expr> {
    match &expr {
        Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Str(_)) => {
            Err(Error::new_spanned(lit, "expected a string: put it in quotes, as in `\"…\"`"))
        }
        _ => Ok(expr),
    }
}

fn comma(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        input.parse::<Option<Token![,]>>().map(drop)
    } else {
        Err(input.error("expected a `,` before the next option"))
    }
}

/// A value, not a key: a literal, a macro call, a path, or a constant's name.
fn is_positional(input: ParseStream<'_>, rules: &Rules) -> bool {
    if input.peek(Lit) || input.peek(Token![::]) {
        return true;
    }
    let Ok(word) = input.fork().call(Ident::parse_any) else {
        return false;
    };
    let word = word.to_string();
    let constant = word.starts_with(char::is_uppercase);
    let goes_on = input.peek2(Token![::]) || input.peek2(Token![!]);
    !rules.keys.contains(&word.as_str()) && (goes_on || (constant && !input.peek2(Token![=])))
}
