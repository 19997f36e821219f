//! Parses attribute options: `name = "…"`, `blocking`, `annotations(…)`.
//!
//! Shared by all macros, so that unknown, duplicate and malformed options have the same errors everywhere.

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

/// The options that an attribute accepts.
pub(crate) struct Rules {
    /// The name of the attribute, for messages.
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [&'static str],
    /// The repeatable keys.
    pub(crate) repeatable: &'static [&'static str],
    /// True if the first value can omit its key.
    pub(crate) positional: bool,
}

/// The options of one attribute.
pub(crate) struct Options {
    rules: &'static Rules,
    span: Span,
    positional: Option<Expr>,
    entries: Vec<Entry>,
}

/// An option with or without a value.
pub(crate) enum FlagOrExpr {
    Flag,
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
    /// Parses `tokens`; `span` is the location of errors about missing options.
    pub(crate) fn parse(tokens: TokenStream, rules: &'static Rules, span: Span) -> Result<Self> {
        let read = |input: ParseStream<'_>| {
            let mut options = Self { rules, span, positional: None, entries: Vec::new() };
            if rules.positional && is_positional(input, rules) {
                options.positional = Some(input.parse()?);
                parse_comma(input)?;
            }
            let mut errors = Errors::default();
            while !input.is_empty() {
                let entry = Entry::parse(input)?;
                errors.record(options.check_entry(&entry));
                options.entries.push(entry);
                parse_comma(input)?;
            }
            errors.finish().map(|()| options)
        };
        read.parse2(tokens)
    }

    fn check_entry(&self, entry: &Entry) -> Result<()> {
        let Rules { name, keys, .. } = self.rules;
        let key = entry.key.as_str();
        if !keys.contains(&key) {
            let list = keys.join("`, `");
            let near = || closest_match(key, keys).or_else(|| abbreviated(key, keys));
            let hint = match (equivalent_option(key, keys), near()) {
                (Some(suggestion), _) => format!("write `{suggestion}`."),
                (None, Some(suggestion)) => format!("did you mean `{suggestion}`?"),
                (None, None) => "drop it.".to_owned(),
            };
            return Err(Error::new(
                entry.span,
                format!("`{name}` has no option `{key}`: {hint} Known options: `{list}`"),
            ));
        }
        let known = self.entries.iter().any(|other| other.key == key);
        if known && !self.rules.repeatable.contains(&key) {
            let message = format!("duplicate option `{key}`: keep one of them");
            return Err(Error::new(entry.span, message));
        }
        Ok(())
    }

    /// Returns the location of errors about missing options.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Returns the location of an option.
    pub(crate) fn span_of(&self, key: &str) -> Option<Span> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(entry.span)
    }

    /// Returns the value without a key.
    pub(crate) fn positional(&mut self) -> Result<Option<Expr>> {
        self.positional.take().map(text).transpose()
    }

    /// Returns the value of `key = EXPR`.
    pub(crate) fn expr(&mut self, key: &str) -> Result<Option<Expr>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Expr(expr) => Ok(Some(expr)),
            _ => Err(Error::new(entry.span, format!("`{key}` requires a value: write `{key} = …`"))),
        }
    }

    /// Returns the value of `key = "text"`. Rejects literals of other types; `rustc` checks other expressions.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<Expr>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Expr(expr) => text(expr).map(Some),
            _ => Err(Error::new(entry.span, format!("`{key}` requires a string: write `{key} = \"…\"`"))),
        }
    }

    /// Returns all values of a repeatable option `key = "text"`.
    pub(crate) fn texts(&mut self, key: &str) -> Result<Vec<Expr>> {
        let mut texts = Vec::new();
        while let Some(text) = self.text(key)? {
            texts.push(text);
        }
        Ok(texts)
    }

    /// Returns the value of a flag: `key`, `key = true` or `key = false`.
    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Flag => Ok(Some(true)),
            Value::Expr(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) => Ok(Some(value.value)),
            _ => Err(Error::new(entry.span, format!("`{key}` is a flag: write `{key}` or `{key} = false`"))),
        }
    }

    /// Returns the value of `key` or `key = EXPR`.
    pub(crate) fn flag_or_expr(&mut self, key: &str) -> Result<Option<FlagOrExpr>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::Flag => Ok(Some(FlagOrExpr::Flag)),
            Value::Expr(expr) => Ok(Some(FlagOrExpr::Expr(expr))),
            Value::List(_) => Err(Error::new(entry.span, format!("`{key}` takes no parentheses: write `{key} = …`"))),
        }
    }

    /// Returns the tokens in `key(…)`. `example` is part of the error for other syntax.
    pub(crate) fn list(&mut self, key: &str, example: &str) -> Result<Option<TokenStream>> {
        let Some(entry) = self.take(key) else {
            return Ok(None);
        };
        match entry.value {
            Value::List(tokens) => Ok(Some(tokens)),
            _ => Err(Error::new(entry.span, format!("`{key}` requires parentheses: write `{key}({example})`"))),
        }
    }

    /// Returns the path of the facade crate: the value of `crate = "…"`, or `::ferromcp`.
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

    /// Replaces the value of `key = EXPR`.
    pub(crate) fn replace_expr(
        &mut self,
        key: &str,
        replace: impl FnOnce(&Expr) -> Result<Option<Expr>>,
    ) -> Result<()> {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) else { return Ok(()) };
        if let Value::Expr(expr) = &mut entry.value {
            if let Some(replacement) = replace(expr)? {
                *expr = replacement;
            }
        }
        Ok(())
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index))
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

/// The minimum length of an abbreviation of a key, in bytes.
const MIN_ABBREVIATION: usize = 3;

/// Returns the only key that `key` abbreviates.
fn abbreviated<'a>(key: &str, keys: &[&'a str]) -> Option<&'a str> {
    let mut matches = keys.iter().filter(|known| key.len() >= MIN_ABBREVIATION && known.starts_with(key));
    matches.next().filter(|_| matches.next().is_none()).copied()
}

/// Returns the equivalent of a key from another SDK or another attribute.
fn equivalent_option(key: &str, keys: &[&str]) -> Option<&'static str> {
    let (option, syntax) = match key {
        "desc" | "describe" | "doc" | "docs" | "about" | "help" | "summary" => ("description", "description = \"…\""),
        "label" | "display_name" | "heading" => ("title", "title = \"…\""),
        "rename" | "alias" | "id" => ("name", "name = \"…\""),
        "mime" | "mimetype" | "content_type" | "media_type" => ("mime_type", "mime_type = \"…\""),
        "ttl" | "cache" | "max_age" => ("ttl_ms", "ttl_ms = 60_000"),
        "icons" => ("icon", "icon = \"…\""),
        "scope" | "auth" | "required_scopes" => ("scopes", "scopes = [\"…\"]"),
        "uri" | "template" | "uri_template" if keys.contains(&"resource") => ("resource", "resource = \"…\""),
        "arg" | "variable" | "param" | "parameter" => ("argument", "argument = \"…\""),
        "default_value" => ("default", "default = …"),
        "len" | "size" if keys.contains(&"length") => ("length", "length(1..=10)"),
        "hints" | "annotation" | "read_only" | "readonly" | "read_only_hint" => {
            ("annotations", "annotations(read_only)")
        }
        "destructive" | "destructive_hint" => ("annotations", "annotations(destructive)"),
        "idempotent" | "idempotent_hint" => ("annotations", "annotations(idempotent)"),
        "open_world" | "open_world_hint" => ("annotations", "annotations(open_world)"),
        "min" | "max" | "ge" | "le" | "gt" | "lt" => ("range", "range(1..=10)"),
        "min_items" | "max_items" if keys.contains(&"items") => ("items", "items(1..=10)"),
        "min_length" | "max_length" | "min_items" | "max_items" => ("length", "length(1..=10)"),
        _ => return None,
    };
    keys.contains(&option).then_some(syntax)
}

/// Returns the string literal, if the expression is one.
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

fn parse_comma(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        input.parse::<Option<Token![,]>>().map(drop)
    } else {
        Err(input.error("expected a `,` before the next option"))
    }
}

/// Returns whether the input starts with a value, not a key: a literal, macro call, path or constant.
fn is_positional(input: ParseStream<'_>, rules: &Rules) -> bool {
    if input.peek(Lit) || input.peek(Token![::]) {
        return true;
    }
    let Ok(word) = input.fork().call(Ident::parse_any) else {
        return false;
    };
    let word = word.to_string();
    let constant = word.starts_with(char::is_uppercase);
    let path_or_macro = input.peek2(Token![::]) || input.peek2(Token![!]);
    !rules.keys.contains(&word.as_str()) && (path_or_macro || (constant && !input.peek2(Token![=])))
}
