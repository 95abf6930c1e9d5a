//! Challenges, and the servers that give tokens.

use super::*;

fn written(registry: &FakeRegistry, written: &'static str) {
    bearer(registry, TokenRules { written, ..TokenRules::default() });
}

fn token_status(registry: &FakeRegistry, status: u16) {
    bearer(registry, TokenRules { status: Some(status), ..TokenRules::default() });
}

#[tokio::test]
async fn tokens() {
    each_is_answered(
        &[
            ("as specified", |registry| bearer(registry, TokenRules::default()), 0, UPDATE),
            (
                "access_token alone",
                |registry| written(registry, r#"{"access_token": "{token}", "scope": ""}"#),
                0,
                UPDATE,
            ),
            (
                "a life as text",
                |registry| written(registry, r#"{"token": "{token}", "expires_in": "300"}"#),
                0,
                UPDATE,
            ),
            (
                "a life with a fraction",
                |registry| written(registry, r#"{"token": "{token}", "expires_in": 300.0}"#),
                0,
                UPDATE,
            ),
            (
                "a negative life",
                |registry| written(registry, r#"{"token": "{token}", "expires_in": -1}"#),
                0,
                UPDATE,
            ),
            ("no life", |registry| written(registry, r#"{"token": "{token}", "expires_in": 0}"#), 0, UPDATE),
            (
                "nulls",
                |registry| {
                    written(registry, r#"{"token": "{token}", "issued_at": null, "expires_in": null}"#)
                },
                0,
                UPDATE,
            ),
            (
                "after a byte order mark",
                |registry| written(registry, "\u{feff}{\"token\": \"{token}\"}"),
                0,
                UPDATE,
            ),
            (
                "as plain text",
                |registry| {
                    bearer(registry, TokenRules { content_type: Some("text/plain"), ..TokenRules::default() })
                },
                0,
                UPDATE,
            ),
            (
                "at another path",
                |registry| bearer(registry, TokenRules { path: "/jwt/auth", ..TokenRules::default() }),
                0,
                UPDATE,
            ),
            (
                "a page",
                |registry| {
                    bearer(
                        registry,
                        TokenRules {
                            written: "<h1>Sign in</h1>",
                            content_type: Some("text/html"),
                            ..TokenRules::default()
                        },
                    )
                },
                3,
                "a web page (200 OK) where a token was expected",
            ),
            ("nothing like a token", |registry| written(registry, "hello"), 3, "not a token"),
            ("an empty answer", |registry| written(registry, "{}"), 3, "an answer without a token"),
            ("cut", |registry| written(registry, r#"{"token": "{tok"#), 4, "not a token"),
            ("400", |registry| token_status(registry, 400), 3, "no token, but 400 Bad Request"),
            (
                "401",
                |registry| token_status(registry, 401),
                3,
                "the registry refuses access (401 Unauthorized)",
            ),
            ("403", |registry| token_status(registry, 403), 3, "the registry refuses access (403 Forbidden)"),
            ("404", |registry| token_status(registry, 404), 3, "no token, but 404 Not Found"),
            ("429", |registry| token_status(registry, 429), 4, "429 Too Many Requests"),
            ("500", |registry| token_status(registry, 500), 4, "500 Internal Server Error"),
        ],
        "auto",
        "plan",
    )
    .await;
}

fn challenged(registry: &FakeRegistry, access: Access, challenges: &[&str]) {
    registry.access(access).challenges(challenges);
}

#[tokio::test]
async fn challenges() {
    each_is_answered(
        &[
            (
                "Basic",
                |registry| {
                    registry.access(basic());
                },
                0,
                UPDATE,
            ),
            (
                "BASIC (Nexus)",
                |registry| {
                    challenged(registry, basic(), &["BASIC realm=\"Sonatype Nexus Repository Manager\""])
                },
                0,
                UPDATE,
            ),
            (
                "Basic before Bearer in one header",
                |registry| {
                    challenged(
                        registry,
                        tokens_for_us(),
                        &["Basic realm=\"registry\", Bearer realm=\"{realm}\",service=\"fake\""],
                    )
                },
                0,
                UPDATE,
            ),
            (
                "no scope",
                |registry| {
                    challenged(registry, tokens_for_us(), &["Bearer realm=\"{realm}\",service=\"fake\""])
                },
                0,
                UPDATE,
            ),
            (
                "a Bearer realm that cannot be reached, and Basic",
                |registry| {
                    challenged(
                        registry,
                        basic(),
                        &["Bearer realm=\"http://127.0.0.1:9/token\",service=\"x\"", "Basic realm=\"fake\""],
                    )
                },
                0,
                UPDATE,
            ),
            (
                "a Bearer realm that refuses the password, and Basic",
                |registry| {
                    let another = Some((USER.to_owned(), "another".to_owned()));
                    let access = Access::Token(TokenRules { user: another, ..TokenRules::default() });
                    challenged(
                        registry,
                        access,
                        &["Bearer realm=\"{realm}\",service=\"fake\"", "Basic realm=\"fake\""],
                    )
                },
                3,
                "/token: the registry refuses access (403 Forbidden",
            ),
            (
                "a Bearer realm that cannot be reached",
                |registry| {
                    challenged(
                        registry,
                        basic(),
                        &["Bearer realm=\"http://127.0.0.1:9/token\",service=\"x\""],
                    )
                },
                4,
                "couldn't reach http://127.0.0.1:9/token",
            ),
            (
                "a relative realm",
                |registry| challenged(registry, basic(), &["Bearer realm=\"/token\",service=\"fake\""]),
                3,
                "its token realm `/token` is not a URL",
            ),
            (
                "another password",
                |registry| {
                    registry.access(Access::Basic { user: USER.to_owned(), password: "another".to_owned() });
                },
                3,
                "the registry refuses access (401 Unauthorized",
            ),
        ],
        "auto",
        "plan",
    )
    .await;
}

fn tokens_for_us() -> Access {
    Access::Token(TokenRules { user: user(), ..TokenRules::default() })
}
