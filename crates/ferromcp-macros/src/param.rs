//! One parameter of a function: its name on the wire, what `#[arg(…)]` and its doc comment say, and its checks.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, Expr, Ident, Meta, Pat, PatType, Path, Result, Type, ext::IdentExt, spanned::Spanned};

use crate::{
    ask, docs,
    errors::Errors,
    options::{Options, Rules, literal},
    types, value,
};

const RULES: Rules = Rules {
    of: "#[arg]",
    keys: &["name", "title", "description", "default", "range", "length", "header"],
    repeatable: &[],
    positional: false,
};

/// The name of a parameter whose pattern has none, as `State(db)`.
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
    /// What binds it in the function, if that is a name.
    pub(crate) ident: Option<Ident>,
    /// What gives its value, where that is asked for: `#[ask(…)]`.
    pub(crate) ask: Option<Expr>,
}

impl Param {
    pub(crate) fn read(param: &PatType) -> Result<Self> {
        if let Some(ask) = ask::find(&param.attrs)? {
            return Self::asked(param, ask);
        }
        let mut errors = Errors::default();
        errors.keep(types::check(&param.ty));
        errors.keep(check_attributes(&param.attrs));
        let options = errors.keep(arg_options(&param.attrs));
        let read = options.and_then(|options| errors.keep(Self::with(param, options)));
        errors.finish()?;
        read.ok_or_else(|| Error::new_spanned(param, "cannot parse this parameter: write `name: Type`"))
    }

    fn with(param: &PatType, mut options: Options) -> Result<Self> {
        let (name, span) = name(&param.pat, options.text("name")?)?;
        let inner = types::inside_option(&param.ty);
        let ty = inner.unwrap_or(&param.ty);
        let place = |options: &Options, key| options.span_of(key).unwrap_or(span);
        let at = ["default", "range", "length"].map(|key| place(&options, key));
        let default = options.flag_or_expr("default")?;
        let range = options.list("range", "1..=10")?;
        let length = options.list("length", "1..=80")?;
        let description = options.text("description")?.map(|text| quote!(#text));
        Ok(Self {
            name,
            span,
            title: options.text("title")?,
            description: description.or_else(|| docs::description(&param.attrs)),
            default: default.map(|default| value::default(default, ty, inner.is_some(), at[0])).transpose()?,
            range: range.map(|tokens| value::range(tokens, ty, at[1])).transpose()?,
            length: length.map(|tokens| value::length(tokens, ty, at[2])).transpose()?,
            header: options.text("header")?,
            ty: (*param.ty).clone(),
            ident: ident(&param.pat),
            ask: None,
        })
    }

    /// A parameter whose value is no argument but an answer.
    fn asked(param: &PatType, ask: Expr) -> Result<Self> {
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

    /// `Arg::new("name").describe("…")…`
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

    /// A line that compiles only if the type is an argument or an extractor; the error points at the type.
    pub(crate) fn check(&self) -> TokenStream {
        let ty = &self.ty;
        let span = Span::mixed_site().located_at(ty.span());
        quote_spanned!(span=> parameter::<#ty, _>();)
    }

    pub(crate) fn has_name(&self) -> bool {
        self.name != NAMELESS
    }

    /// Whether it may hold arguments of any name: `Args<T>`.
    pub(crate) fn is_whole(&self) -> bool {
        types::is_named(&self.ty, "Args")
    }
}

/// Whether the parameter attribute is ours, to be taken off before `rustc` sees it.
pub(crate) fn is_ours(attribute: &Attribute) -> bool {
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
