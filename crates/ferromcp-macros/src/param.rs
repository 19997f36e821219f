//! One parameter of a function: its name on the wire, the options of `#[arg(…)]`, the doc comment, and the type check.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, Expr, Ident, Meta, Pat, PatType, Path, Result, Type, ext::IdentExt, spanned::Spanned};

use crate::{
    ask, docs,
    errors::Errors,
    options::{FlagOrExpr, Options, Rules, literal},
    types, value,
};

const RULES: Rules = Rules {
    name: "#[arg]",
    keys: &["name", "title", "description", "default", "range", "length", "header"],
    repeatable: &[],
    positional: false,
};

/// The name of a parameter whose pattern has no name, such as `State(db)`.
const NAMELESS: &str = "_";

pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) ty: Type,
    title: Option<Expr>,
    description: Option<TokenStream>,
    default: Option<TokenStream>,
    range: Option<Expr>,
    length: Option<Expr>,
    header: Option<Expr>,
    /// The identifier that binds the parameter, if its pattern is one.
    pub(crate) ident: Option<Ident>,
    /// The expression of `#[ask(…)]`.
    pub(crate) ask: Option<Expr>,
}

impl Param {
    pub(crate) fn read(param: &PatType) -> Result<Self> {
        if let Some(ask) = ask::parse(&param.attrs)? {
            return Self::with_ask(param, ask);
        }
        let mut errors = Errors::default();
        errors.record(types::check(&param.ty));
        errors.record(check_attributes(&param.attrs));
        let options = errors.record(arg_options(&param.attrs));
        let read = options.and_then(|options| errors.record(Self::from_options(param, options)));
        errors.finish()?;
        read.ok_or_else(|| Error::new_spanned(param, "cannot parse this parameter: write `name: Type`"))
    }

    fn from_options(param: &PatType, mut options: Options) -> Result<Self> {
        let given_name = options.text("name")?;
        if given_name.is_none() {
            check_pattern(&param.pat)?;
        }
        let (name, span) = name(&param.pat, given_name)?;
        let inner = types::inside_option(&param.ty);
        let ty = inner.unwrap_or(&param.ty);
        let span_of = |options: &Options, key| options.span_of(key).unwrap_or(span);
        let spans = ["default", "range", "length"].map(|key| span_of(&options, key));
        let default = options.flag_or_expr("default")?;
        let range = options.list("range", "1..=10")?;
        let length = options.list("length", "1..=80")?;
        let description = options.text("description")?.map(|text| quote!(#text));
        let range = range.map(|tokens| value::range(tokens, ty, spans[1])).transpose()?;
        let length = length.map(|tokens| value::length(tokens, ty, spans[2])).transpose()?;
        for (key, limits) in [("range", &range), ("length", &length)] {
            match (limits, &default) {
                (Some(limits), Some(FlagOrExpr::Expr(value))) => {
                    value::check_default(key, limits, value, "argument")?;
                }
                (Some(limits), Some(FlagOrExpr::Flag)) => value::check_default_of_type(key, limits, ty, spans[0])?,
                _ => {}
            }
        }
        Ok(Self {
            name,
            span,
            title: options.text("title")?,
            description: description.or_else(|| docs::description(&param.attrs)),
            default: default.map(|default| value::default(default, ty, inner.is_some(), spans[0])).transpose()?,
            range,
            length,
            header: options.text("header")?,
            ty: (*param.ty).clone(),
            ident: ident(&param.pat),
            ask: None,
        })
    }

    /// Returns a parameter with `#[ask]`, whose value is a response of the client.
    fn with_ask(param: &PatType, ask: Expr) -> Result<Self> {
        if let Some(arg) = param.attrs.iter().find(|attribute| attribute.path().is_ident("arg")) {
            return Err(Error::new_spanned(
                arg,
                "`#[arg]` and `#[ask]` cannot be combined: drop `#[arg]`, and describe the value in the question",
            ));
        }
        types::check(&param.ty)?;
        check_attributes(&param.attrs)?;
        let Some(ident) = ident(&param.pat) else {
            return Err(Error::new_spanned(&param.pat, "an `#[ask]` parameter requires a name: write `name: Type`"));
        };
        Ok(Self {
            name: NAMELESS.to_owned(),
            span: ident.span(),
            ty: (*param.ty).clone(),
            title: None,
            description: None,
            default: None,
            range: None,
            length: None,
            header: None,
            ident: Some(ident),
            ask: Some(ask),
        })
    }

    /// Returns the expression `Arg::new("name").describe("…")…`.
    pub(crate) fn arg(&self, krate: &Path) -> TokenStream {
        let Self { name, title, description, default, range, length, header, ty, .. } = self;
        let ty = types::inside_option(ty).unwrap_or(ty);
        let title = title.iter();
        let description = description.iter();
        let default = default.iter();
        let range = range.iter();
        let length = length.iter();
        let header = header.iter();
        quote! {
            #krate::server::Arg::new(#name)
                #(.title(#title))*
                #(.describe(#description))*
                #(.default::<#ty>(#default))*
                #(.range::<#ty>(#range))*
                #(.length(#length))*
                #(.header(#header))*
        }
    }

    /// Returns a statement that compiles only if the type is an argument or an extractor; the error points at the type.
    /// A parameter without a name must be an extractor, and so must the other parameters of a function with `Args`.
    pub(crate) fn check(&self, with_args: bool) -> TokenStream {
        let ty = &self.ty;
        let span = Span::mixed_site().located_at(ty.span());
        let check = match (self.has_name(), with_args && !self.is_args_struct()) {
            (_, true) => "with_args",
            (true, false) => "parameter",
            (false, false) => "extractor",
        };
        let check = Ident::new(check, span);
        quote_spanned!(span=> let _ = __TypeCheck::<#ty>::#check;)
    }

    pub(crate) fn has_name(&self) -> bool {
        self.name != NAMELESS
    }

    /// Returns true if the parameter takes all arguments: `Args<T>`. A type `Args` without parameters is not the extractor.
    pub(crate) fn is_args_struct(&self) -> bool {
        types::last_segment(&self.ty).is_some_and(|segment| segment.ident == "Args" && !segment.arguments.is_none())
    }
}

/// Returns true for helper attributes, which are removed from the output.
pub(crate) fn is_helper_attribute(attribute: &Attribute) -> bool {
    docs::is_doc(attribute) || attribute.path().is_ident("arg") || attribute.path().is_ident(ask::ATTRIBUTE)
}

fn ident(pattern: &Pat) -> Option<Ident> {
    match pattern {
        Pat::Ident(pattern) if pattern.subpat.is_none() => Some(pattern.ident.clone()),
        _ => None,
    }
}

fn arg_options(attributes: &[Attribute]) -> Result<Options> {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident("arg"));
    let options = match found.next() {
        None => Options::parse(TokenStream::new(), &RULES, Span::call_site()),
        Some(attribute) => match &attribute.meta {
            Meta::List(list) => Options::parse(list.tokens.clone(), &RULES, attribute.span()),
            _ => {
                Err(Error::new_spanned(attribute, "`#[arg]` has no options: write `#[arg(title = \"…\")]`, or drop it"))
            }
        },
    };
    match found.next() {
        Some(second) => {
            Err(Error::new_spanned(second, "duplicate `#[arg(…)]` on a parameter: put all options into the first"))
        }
        None => options,
    }
}

fn check_attributes(attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        Some(cfg) => Err(Error::new_spanned(
            cfg,
            "`#[cfg]` is not supported on parameters: put it on two versions of the function",
        )),
        None => Ok(()),
    }
}

/// Rejects patterns that have no name and are not the pattern of an extractor.
fn check_pattern(pattern: &Pat) -> Result<()> {
    match pattern {
        Pat::Tuple(_) | Pat::Slice(_) => Err(Error::new_spanned(
            pattern,
            "the argument has no name: write `name: Type` and destructure it in the function, or add `#[arg(name = \"…\")]`",
        )),
        Pat::Paren(inner) => check_pattern(&inner.pat),
        _ => Ok(()),
    }
}

fn name(pattern: &Pat, given: Option<Expr>) -> Result<(String, Span)> {
    if let Some(given) = given {
        let text = literal(&given).ok_or_else(|| {
            Error::new_spanned(&given, "the name of a parameter must be a string literal: write `name = \"…\"`")
        })?;
        if text.value().is_empty() || text.value() == NAMELESS {
            return Err(Error::new_spanned(text, "invalid argument name: write the name that callers use"));
        }
        return Ok((text.value(), text.span()));
    }
    Ok(match pattern {
        Pat::Ident(pattern) => (pattern.ident.unraw().to_string(), pattern.ident.span()),
        other => (NAMELESS.to_owned(), other.span()),
    })
}
