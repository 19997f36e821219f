//! Allowed and rejected hosts and origins, and attempts to bypass the check.

use std::net::IpAddr;

use http::header::{FORWARDED, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Uri};
use proptest::prelude::*;

use super::{Guard, Rejection};
use crate::http::HttpServerOptions;

fn guard(set: impl FnOnce(HttpServerOptions) -> HttpServerOptions) -> Guard {
    let options = set(HttpServerOptions::new());
    assert!(options.errors().is_empty(), "{:?}", options.errors());
    options.guard
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn check(guard: &Guard, pairs: &[(&'static str, &str)]) -> Result<(), Rejection> {
    guard.check(&Uri::from_static("/mcp"), &headers(pairs), None)
}

fn host(guard: &Guard, host: &str) -> bool {
    check(guard, &[("host", host)]).is_ok()
}

#[track_caller]
fn origin(guard: &Guard, host: &str, origin: &str) -> bool {
    check(guard, &[("host", host)]).expect("the host is allowed");
    check(guard, &[("host", host), ("origin", origin)]).is_ok()
}

const LOCAL: &[&str] = &[
    "localhost",
    "localhost:8000",
    "LocalHost:1",
    "localhost:65535",
    "localhost.",
    "localhost:",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.8.9.10:8000",
    "[::1]",
    "[::1]:8000",
    "[0:0:0:0:0:0:0:1]:8000",
];

const FOREIGN: &[&str] = &[
    "",
    " ",
    "evil.example.com",
    "EVIL.example.com:8000",
    "localhost.evil.example.com",
    "evil.localhost",
    "127.0.0.1.evil.example.com",
    "localhost:8000.evil.example.com",
    "localhost:65536",
    "localhost:08000x",
    "localhost:+80",
    "localhost:-1",
    "localhost:8000:8000",
    "localhost..",
    ".localhost",
    "local host",
    "localhost,evil",
    "localhost@evil.example.com",
    "evil.example.com@localhost",
    "user:pass@localhost:8000",
    "http://localhost",
    "localhost/",
    "localhost#",
    "localhost?",
    "localhost%00",
    "localhost%2eevil",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
    "0177.0.0.1",
    "127.0.0.01",
    "128.0.0.1",
    "0.0.0.0",
    "10.0.0.1:8000",
    "169.254.169.254",
    "[::1",
    "::1",
    "[::1]8000",
    "[::1]:x",
    "[::2]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::1%25lo]",
    "[localhost]",
    "[127.0.0.1]",
    "lo\u{441}alhost",
    "localhost\t",
    "*",
    "null",
];

#[test]
fn allows_only_local_hosts_by_default() {
    // M26-144, S-113, S-126
    let guard = Guard::default();
    for name in LOCAL {
        assert!(host(&guard, name), "{name:?}");
    }
    for name in FOREIGN {
        assert!(!host(&guard, name), "{name:?}");
    }
    for name in LOCAL {
        let uri: Uri = format!("http://{}/mcp", name.trim_end_matches(':')).parse().unwrap();
        assert_eq!(guard.check(&uri, &HeaderMap::new(), None), Ok(()), "{name:?} as :authority");
    }
    for name in ["http://evil.example.com/mcp", "http://user@localhost/mcp", "http://0.0.0.0:8000/mcp"] {
        assert!(guard.check(&name.parse().unwrap(), &headers(&[("host", "localhost")]), None).is_err(), "{name}");
    }
}

#[test]
fn rejects_a_request_when_the_host_is_missing_repeated_or_invalid() {
    let guard = guard(HttpServerOptions::any_host);
    assert_eq!(check(&guard, &[]), Err(Rejection::NoHost));
    assert_eq!(check(&guard, &[("host", "a"), ("host", "a")]), Err(Rejection::ManyHosts));
    let one_origin = ("origin", "http://a");
    assert_eq!(check(&guard, &[("host", "a"), one_origin, one_origin]), Err(Rejection::ManyOrigins));
    assert_eq!(check(&guard, &[("host", "a b")]), Err(Rejection::BadHost("a?b".into())));
    // Both the absolute target and `Host` must be allowed.
    let absolute = Uri::from_static("http://localhost/mcp");
    assert!(Guard::default().check(&absolute, &headers(&[("host", "evil.example.com")]), None).is_err());
}

#[test]
fn allow_host_matches_exact_names_ports_and_subdomains() {
    // M26-144
    let guard = guard(|options| {
        options
            .allow_host("mcp.example.com")
            .allow_host("one.example.org:8443")
            .allow_host("*.Wild.example.net")
            .allow_host("192.0.2.7")
            .allow_host("2001:db8::1")
            .allow_host("[2001:db8::2]:9000")
    });
    for name in [
        "mcp.example.com",
        "MCP.Example.COM.:1",
        "mcp.example.com:8443",
        "one.example.org:8443",
        "a.wild.example.net",
        "a.b.WILD.example.net:1",
        "192.0.2.7:8000",
        "[2001:DB8:0::1]",
        "[2001:db8::2]:9000",
        "localhost:1",
    ] {
        assert!(host(&guard, name), "{name}");
    }
    for name in [
        "example.com",
        "a.mcp.example.com",
        "xmcp.example.com",
        "mcp.example.com.evil",
        "one.example.org",
        "one.example.org:443",
        "wild.example.net",
        ".wild.example.net",
        "evilwild.example.net",
        "192.0.2.8",
        "[2001:db8::2]",
        "2001:db8::1",
        "mcp.example.com:8443@evil",
    ] {
        assert!(!host(&guard, name), "{name}");
    }
}

#[test]
fn allows_local_origins_for_local_hosts() {
    // M26-144, M26-145, S-113, S-126, S-127
    let guard = Guard::default();
    for page in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:9", "HTTP://LOCALHOST"] {
        assert!(origin(&guard, "localhost:8000", page), "{page}");
    }
    for page in [
        "",
        "null",
        "NULL",
        "http://evil.example.com",
        "http://localhost.evil.example.com",
        "http://localhost@evil.example.com",
        "http://evil.example.com@localhost",
        "http://localhost:8000/",
        "http://localhost:8000 ",
        "localhost:8000",
        "//localhost",
        "file://",
        "file://localhost",
        "chrome-extension://localhost",
        "http://local host",
        "http://localhost, http://evil",
        "http:localhost",
        "http:///localhost",
        "ws://localhost",
        "://localhost",
        "http://",
        "http://0.0.0.0:8000",
    ] {
        assert!(!origin(&guard, "localhost:8000", page), "{page:?}");
    }
}

#[test]
fn allows_the_origin_of_the_requested_host() {
    // M26-144, M26-145
    for guard in [guard(HttpServerOptions::any_host), guard(|options| options.allow_host("mcp.example.com"))] {
        for (name, page) in [
            ("mcp.example.com", "https://mcp.example.com"),
            ("mcp.example.com", "http://mcp.example.com:80"),
            ("mcp.example.com:8443", "https://MCP.example.com:8443"),
            ("mcp.example.com:443", "https://mcp.example.com"),
        ] {
            assert!(origin(&guard, name, page), "{page} of {name}");
        }
        for (name, page) in [
            ("mcp.example.com", "https://example.com"),
            ("mcp.example.com", "https://mcp.example.com:8443"),
            ("mcp.example.com:8443", "https://mcp.example.com"),
            ("mcp.example.com", "http://localhost:3000"),
            ("mcp.example.com", "null"),
        ] {
            assert!(!origin(&guard, name, page), "{page} for {name}");
        }
    }
}

#[test]
fn allow_origin_matches_scheme_host_and_port() {
    // M26-144, M26-145
    let guard = guard(|options| {
        options
            .allow_origin("https://App.example.com")
            .allow_origin("http://dev.example.com:*")
            .allow_origin("chrome-extension://abcdef")
    });
    let page = |page: &'static str| {
        assert_eq!(guard.allows_origin(&HeaderValue::from_static(page)), origin(&guard, "localhost", page), "{page}");
        origin(&guard, "localhost", page)
    };
    for good in [
        "https://app.example.com",
        "https://app.example.com:443",
        "HTTPS://APP.example.com",
        "http://dev.example.com",
        "http://dev.example.com:1",
        "chrome-extension://abcdef",
    ] {
        assert!(page(good), "{good}");
    }
    for bad in [
        "http://app.example.com",
        "https://app.example.com:444",
        "https://app.example.com.evil",
        "https://x.app.example.com",
        "https://dev.example.com:1",
        "chrome-extension://abcdefg",
        "null",
    ] {
        assert!(!page(bad), "{bad}");
    }
    assert!(!guard.allows_origin(&HeaderValue::from_static("http://localhost")), "allowed, but without CORS headers");
    let open = self::guard(HttpServerOptions::any_origin);
    for good in ["null", "https://evil.example.com", "anything"] {
        assert!(origin(&open, "localhost", good) && open.allows_origin(&HeaderValue::from_static(good)));
    }
    assert!(!host(&open, "evil.example.com"), "any_origin does not affect hosts");
}

#[test]
fn uses_the_forwarded_host_when_the_proxy_is_trusted() {
    let guard = guard(|options| {
        let address: IpAddr = "2001:db8::9".parse().unwrap();
        options.allow_host("mcp.example.com").trust_proxy("10.0.0.0/8").trust_proxy(address)
    });
    let ask = |client: Option<&str>, pairs: &[(&'static str, &str)]| {
        let client = client.map(|client| client.parse().unwrap());
        guard.check(&Uri::from_static("/"), &headers(pairs), client).is_ok()
    };
    let (inside, real, evil) =
        (("host", "backend:8000"), ("x-forwarded-host", "mcp.example.com"), ("x-forwarded-host", "evil"));
    for proxy in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::9"] {
        assert!(ask(Some(proxy), &[inside, real]));
        assert!(
            ask(Some(proxy), &[inside, ("x-forwarded-host", "evil, mcp.example.com")]),
            "the last value is from the proxy"
        );
        assert!(ask(Some(proxy), &[inside, evil, real]));
        assert!(ask(
            Some(proxy),
            &[inside, ("forwarded", "host=evil, for=1.2.3.4;Host=\"mcp.example.com:443\";proto=https")]
        ));
        assert!(!ask(Some(proxy), &[("host", "localhost"), evil]));
        assert!(!ask(Some(proxy), &[inside, ("x-forwarded-host", "mcp.example.com, evil")]));
        assert!(!ask(Some(proxy), &[inside, real, ("forwarded", "host=evil")]), "both must be allowed");
        assert!(!ask(Some(proxy), &[inside]), "no forwarded host");
        assert!(ask(Some(proxy), &[("host", "localhost")]));
        assert!(ask(Some(proxy), &[inside, real, ("origin", "https://mcp.example.com")]));
        assert!(!ask(Some(proxy), &[inside, real, ("origin", "https://backend:8000")]));
    }
    for other in [None, Some("11.0.0.1"), Some("127.0.0.1"), Some("2001:db8::8"), Some("::a00:1")] {
        assert!(!ask(other, &[inside, real]), "{other:?}");
        assert!(ask(other, &[("host", "localhost"), evil]), "{other:?}");
    }
}

#[test]
fn networks_parse_and_contain_addresses() {
    use super::network::Network;
    let contains = |network: &str, address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
    assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "::1") && contains("::/0", "::1"));
    assert!(contains("192.0.2.128/25", "192.0.2.255") && !contains("192.0.2.128/25", "192.0.2.127"));
    assert!(contains("2001:db8::/33", "2001:db8:7fff::") && !contains("2001:db8::/33", "2001:db8:8000::"));
    assert!(contains("10.0.0.7/32", "10.0.0.7") && !contains("10.0.0.7", "10.0.0.6"));
    for bad in [
        "",
        "/",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "::/129",
        "10.0.0/8",
        "proxy",
        "10.0.0.0/8/8",
        "10.0.0.0/99999999999",
    ] {
        assert!(Network::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn rejections_name_the_value_and_the_option() {
    // M26-145
    let message = |pairs: &[(&'static str, &str)]| check(&Guard::default(), pairs).unwrap_err().to_string();
    assert_eq!(
        message(&[("host", "evil.example.com")]),
        "Host `evil.example.com` is not allowed; to allow it, add `.allow_host(\"evil.example.com\")` to HttpServerOptions"
    );
    assert_eq!(
        message(&[("host", "localhost"), ("origin", "https://evil.example.com")]),
        "Origin `https://evil.example.com` is not allowed; to allow it, add `.allow_origin(\"https://evil.example.com\")` to HttpServerOptions"
    );
    assert!(message(&[("host", "localhost"), ("origin", "null")]).contains("any_origin"));
    let long = message(&[("host", &"a\u{7f3a}<\"`".repeat(1000))]);
    assert!(long.len() < 200 && long.is_ascii() && !long.contains('<'), "{long}");
}

#[test]
fn invalid_options_are_errors_that_name_the_option() {
    for bad in [
        "",
        "http://x",
        "x/y",
        "*",
        "*.",
        "*.1.2.3.4",
        "a.*.b",
        "x:",
        "x:99999",
        "x:*",
        "b\u{fc}cher.example",
        "a b",
        "user@x",
        "[::1",
    ] {
        let errors = HttpServerOptions::new().allow_host(bad).errors();
        // An empty port is the same as none.
        assert_eq!(errors.len(), usize::from(bad != "x:"), "{bad}");
        assert!(errors.iter().all(|error| error.contains(&format!("allow_host({bad:?})"))), "{errors:?}");
    }
    for bad in [
        "",
        "null",
        "*",
        "app.example.com",
        "https://",
        "https://x/",
        "https://x:1:*",
        "https://x::*",
        "https://*.x",
        "https://x:*:*",
    ] {
        let errors = HttpServerOptions::new().allow_origin(bad).errors();
        assert!(errors.len() == 1 && errors[0].contains(&format!("allow_origin({bad:?})")), "{bad}: {errors:?}");
    }
    let errors = HttpServerOptions::new().trust_proxy("proxy.example.com").trust_proxy("10.0.0.0/40").errors();
    assert!(errors.len() == 2 && errors[0].contains("trust_proxy(\"proxy.example.com\")"), "{errors:?}");
}

/// Generates variants of a name that could be mistaken for an allowed one.
fn disguised(name: &'static str) -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec![
        "",
        ".",
        "user@",
        "http://",
        "localhost:80@",
        "//",
        "127.0.0.1,",
        " ",
        "[",
        "localhost.",
    ]);
    let suffix = prop::sample::select(vec![
        "",
        ".",
        ":80",
        ":8000",
        ":",
        "/",
        "@localhost",
        ":localhost",
        "#localhost",
        "?localhost",
        ",localhost",
        "%00",
        ".localhost",
        "]",
        "..",
    ]);
    (prefix, prop::collection::vec(any::<bool>(), name.len()), suffix).prop_map(move |(prefix, upper, suffix)| {
        let cased = name.chars().zip(upper).map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c });
        format!("{prefix}{}{suffix}", cased.collect::<String>())
    })
}

proptest! {
    #[test]
    fn never_panics_on_any_host_or_origin(
        host in prop::collection::vec(any::<u8>(), 0..40),
        origin in prop::collection::vec(any::<u8>(), 0..40),
        forwarded in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [(HOST, &host), (ORIGIN, &origin), (FORWARDED, &forwarded)] {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        }
        let guard = guard(|options| options.any_host().trust_proxy("10.0.0.0/8"));
        for client in [None, Some("10.0.0.1".parse().unwrap())] {
            if let Err(rejection) = guard.check(&Uri::from_static("/"), &headers, client) {
                prop_assert!(rejection.to_string().is_ascii());
            }
        }
        let text = String::from_utf8_lossy(&host);
        let _ = HttpServerOptions::new().allow_host(&text).allow_origin(&text).trust_proxy(&text).errors();
    }

    #[test]
    fn rejects_a_foreign_host_in_any_variant(name in disguised("evil.example.com"), more in disguised("10.9.8.7")) {
        // M26-144
        let guard = guard(|options| options.allow_host("mcp.example.com").allow_host("*.example.org"));
        for name in [name, more] {
            prop_assert!(!host(&guard, &name), "{}", name);
            for scheme in ["http", "https"] {
                prop_assert!(!origin(&guard, "localhost", &format!("{scheme}://{name}")), "{}", name);
            }
            if let Ok(uri) = format!("http://{name}/").parse::<Uri>() {
                prop_assert!(guard.check(&uri, &HeaderMap::new(), None).is_err(), "{}", uri);
            }
        }
    }

    #[test]
    fn allows_only_the_known_forms_of_local_hosts(name in "(localhost|127\\.0\\.0\\.1|\\[::1\\])?[a-z0-9.:@%\\[\\]/-]{0,8}") {
        // M26-144
        let local = is_local_reference(&name);
        prop_assert_eq!(host(&Guard::default(), &name), local, "{}", name);
    }
}

/// A second implementation of the check, for comparison.
fn is_local_reference(name: &str) -> bool {
    let (name, port) = match name.rsplit_once(':') {
        Some((before, port)) if port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()) => (before, port),
        _ => (name, ""),
    };
    let four = |name: &str| {
        name.split('.').count() == 4 && name.starts_with("127.") && name.parse::<std::net::Ipv4Addr>().is_ok()
    };
    let right_port = port.is_empty() || port.parse::<u32>().unwrap() <= 65535;
    right_port && (["localhost", "localhost."].contains(&name) || four(name) || (name == "[::1]"))
}
