//! Answers that are no success, and what they mean.

use dibump::forge::MergeRequestEdit;
use dibump::github::RepositoryId;
use serde_json::json;

use super::*;
use crate::fake::github::{Answer, Failure, How, Token};

/// What reading a branch says when GitHub answers `answer`.
async fn read_after(answer: Answer) -> ForgeError {
    let fake = github().await;
    fake.fail(Failure::always("GET", "/git/ref/", How::Answer(answer)));
    client(&fake).head(&branch("main")).await.unwrap_err()
}

/// What editing says when GitHub answers `answer`.
async fn edit_after(answer: Answer) -> ForgeError {
    let fake = opened().await;
    fake.fail(Failure::always("PATCH", "/pulls/", How::Answer(answer)));
    let edit = MergeRequestEdit { title: Some("New".to_owned()), ..Default::default() };
    client(&fake).edit_merge_request(1, &edit).await.unwrap_err()
}

/// What pushing says with that token.
async fn push_with(fake: &FakeGitHub, identity: Option<Identity>, path: &str) -> ForgeError {
    let main = head(&mut fake.state(), "main");
    client_of(fake, identity, path).push(&commit(main, None)).await.unwrap_err()
}

#[tokio::test]
async fn all_shapes_of_an_error_are_words() {
    let with = |errors: serde_json::Value| json!({"message": "Validation Failed", "errors": errors});
    let body = |answer: serde_json::Value| Answer::json(422, &answer);
    for (answer, words) in [
        (Answer::message(422, "plain words"), "plain words"),
        (body(with(json!(["one", "two"]))), "one; two"),
        (
            body(with(json!([{"resource": "Issue", "field": "title", "code": "missing"}]))),
            "Issue title missing",
        ),
        (body(with(json!([{"resource": "PullRequest", "code": "custom", "message": "said so"}]))), "said so"),
        (body(with(json!([]))), "Validation Failed"),
        (body(json!({"message": "Problems", "errors": "text"})), "Problems: text"),
        (Answer::message(409, "two\n lines\u{1b}[31m"), "two lines\u{fffd}[31m"),
    ] {
        let error = edit_after(answer).await;
        assert!(matches!(&error, ForgeError::Rejected { reason, .. } if reason == words), "{error:?}");
    }
    for (answer, words) in [
        (Answer::text(400, "text/plain", "<title>Bad gateway</title>"), "400 Bad Request: Bad gateway"),
        (Answer::text(404, "text/plain", ""), "404 Not Found: 404 Not Found"),
    ] {
        let error = edit_after(answer).await;
        assert!(matches!(&error, ForgeError::Invalid { reason, .. } if reason == words), "{error:?}");
    }
    let mut told = String::new();
    for status in [200, 400, 403, 404] {
        let error = read_after(Answer::text(status, "text/html; charset=utf-8", "<h1>Sign in</h1>")).await;
        let (ForgeError::Postponed { reason, .. } | ForgeError::Unusable { reason, .. }) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(matches!(error, ForgeError::Unusable { .. }), status == 404, "{error:?}");
        told += &format!("{reason}\n");
    }
    reads!(told, @"
    http://HOST/api/v3/repos/sylva/sylva-core/git/ref/heads/main: a web page (200 OK) where GitHub's API was expected
    http://HOST/api/v3/repos/sylva/sylva-core/git/ref/heads/main: a web page (400 Bad Request) where GitHub's API was expected
    http://HOST/api/v3/repos/sylva/sylva-core/git/ref/heads/main: a web page (403 Forbidden) where GitHub's API was expected
    http://HOST/api/v3/repos/sylva/sylva-core/git/ref/heads/main: a web page (404 Not Found) where GitHub's API was expected
    ");
    let long = edit_after(Answer::message(422, "é".repeat(5000))).await;
    assert!(long.to_string().len() < 1000);
}

#[tokio::test]
async fn limits_are_waited_for_as_long_as_github_says() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let mut reasons = BTreeSet::new();
    let mut wait = |error: ForgeError| match error {
        ForgeError::Unavailable { retry_after, host, .. } => {
            assert!(host.starts_with("127.0.0.1:"));
            retry_after.map(|wait| wait.as_secs())
        }
        ForgeError::Postponed { retry_after, reason, .. } => {
            // What follows is the time.
            reasons.insert(reason.split("; ").next().unwrap().to_owned());
            retry_after.map(|wait| wait.as_secs())
        }
        other => panic!("{other:?}"),
    };
    let limited = |status, words: &str| Answer::message(status, words);
    let spent = |reset: &str| {
        limited(403, "API rate limit exceeded for user ID 1.")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", reset)
            .header("date", date)
    };
    let secondary =
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    for (answer, expected) in [
        (spent("784111807"), Some(30)),
        (spent("784111807").header("retry-after", "7"), Some(7)),
        (spent("0"), Some(60)),
        (spent("9999999999"), Some(3600)),
        (limited(403, secondary), Some(60)),
        (limited(403, secondary).header("retry-after", "120"), Some(120)),
        (limited(429, "slow down"), Some(60)),
        (limited(429, "slow down").header("retry-after", "11"), Some(11)),
    ] {
        assert_eq!(wait(read_after(answer.clone()).await), expected, "{answer:?}");
        assert_eq!(wait(edit_after(answer.clone()).await), expected, "{answer:?}");
    }
    for status in [408, 500, 502, 503, 504] {
        assert_eq!(wait(read_after(Answer::text(status, "text/html", "<html>")).await), None, "{status}");
    }
    reads!(Vec::from_iter(reasons).join("\n"), @r#"
    GitHub limits this token: "API rate limit exceeded for user ID 1"
    GitHub limits this token: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again"
    GitHub limits this token: "slow down"
    "#);
    let plain = read_after(limited(403, "Forbidden")).await;
    assert!(matches!(plain, ForgeError::Refused { .. }), "{plain:?}");
}

#[tokio::test]
async fn graphql_says_no_with_status_200() {
    let say = |kind: &str| {
        let error = json!({"type": kind, "message": format!("no, {TOKEN}"), "path": ["repository"]});
        Answer::json(200, &json!({"data": {"repository": null}, "errors": [error]}))
    };
    let ask = async |answer: Answer| {
        let fake = opened().await;
        fake.fail(Failure::always("POST", "#checks", How::Answer(answer)));
        client(&fake).pipeline(1).await.unwrap_err()
    };
    assert!(matches!(ask(say("RATE_LIMITED")).await,
        ForgeError::Postponed { retry_after: Some(wait), .. } if wait.as_secs() == 60));
    assert!(matches!(ask(say("FORBIDDEN")).await, ForgeError::Refused { .. }));
    assert!(matches!(ask(say("UNPROCESSABLE")).await, ForgeError::Rejected { .. }));
    assert!(matches!(ask(say("A_WORD_OF_2030")).await, ForgeError::Invalid { .. }));
    assert!(matches!(ask(Answer::json(200, &json!({"data": null}))).await, ForgeError::Invalid { .. }));
    assert!(matches!(
        ask(Answer::json(200, &json!({"data": {"repository": 1}}))).await,
        ForgeError::Invalid { .. }
    ));
    let error = ask(say("FORBIDDEN")).await;
    assert!(!everything(&error).contains(TOKEN), "{error:?}");
}

#[tokio::test]
async fn a_lost_answer_is_unavailable() {
    let fake = github().await;
    fake.fail(Failure::always("GET", "/git/ref/", How::Reset));
    let error = client(&fake).head(&branch("main")).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
    assert_eq!(fake.log().len(), 2, "octocrab repeats nothing beside the transport's own repetition");
}

#[tokio::test]
async fn refusals_say_what_the_token_lacks() {
    let fake = github().await;
    let add = |text: &str, token_kind: Token| {
        fake.state().tokens.insert(text.to_owned(), token_kind);
        Some(token(&fake, text))
    };
    fake.state().add_user("stranger");
    let scopeless = add("ghp_scopeless", Token::classic("sylva-bot", &["read:packages"]));
    let stranger = add("github_pat_stranger", Token::fine_grained("stranger"));
    let late = add("ghp_late", Token { expired: true, ..Token::classic("sylva-bot", &["repo"]) });
    let mut told = String::new();
    for identity in [None, scopeless, stranger, late] {
        told += &refusal(&push_with(&fake, identity, PATH).await);
    }
    reads!(told, @"
    This endpoint requires you to be authenticated.
    no token was sent; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    Not Found
    check the repository's path; what a token may not see or do is answered as if it were not there; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    Resource not accessible by personal access token
    GitHub asks for the permission contents=write; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    Bad credentials
    the token is wrong, expired or revoked; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    ");
    assert!(!fake.state().project(PROJECT).repository.branches.contains_key(SOURCE));
}

#[tokio::test]
async fn a_job_that_may_not_open_pull_requests_is_told_the_setting() {
    let fake = pushed().await;
    fake.state().tokens.insert("ghs_job".to_owned(), Token::actions(PROJECT));
    let job = client_of(&fake, Some(token(&fake, "ghs_job")), PATH);
    let new = request(MergeRequestSettings::default());
    let error = job.create_merge_request(&new).await.unwrap_err();
    reads!(refusal(&error), @r#"
    GitHub Actions is not permitted to create or approve pull requests.
    switch on "Allow GitHub Actions to create and approve pull requests" under Settings, Actions, General of the repository or its organisation, or use an App or a personal access token
    "#);
    fake.state().project(PROJECT).actions_may_open = true;
    assert_eq!(job.create_merge_request(&new).await.unwrap().number, 1);
}

#[tokio::test]
async fn the_token_of_a_job_serves_the_jobs_repository_only() {
    let fake = github().await;
    fake.state().add_project(7, "sylva/jobs", &[("a", b"b")]);
    fake.state().tokens.insert("ghs_job".to_owned(), Token::actions(7));
    let home: RepositoryId = "sylva/jobs".parse().unwrap();
    let main = head(&mut fake.state(), "main");
    let abroad = client_of(&fake, Some(token(&fake, "ghs_job")), PATH).at_home_in(Some(home));
    let error = abroad.push(&commit(main, None)).await.unwrap_err();
    reads!(refusal(&error), @"
    Resource not accessible by integration
    the token of an Actions job is good for the job's own repository only; use an App or a personal access token
    ");
}

#[tokio::test]
async fn the_token_is_in_no_error_and_no_debug() {
    let echo = |status| Answer::message(status, format!("bad token {TOKEN}"));
    for answer in [echo(422), echo(401), echo(500), Answer::text(403, "text/plain", TOKEN), echo(429)] {
        let text = everything(&edit_after(answer).await);
        assert!(!text.contains(TOKEN), "{text}");
    }
    let fake = github().await;
    assert!(!format!("{:?}", client(&fake)).contains(TOKEN));
    let session = Pacing::default();
    let make = |identity, api: &Api| GitHub::new(transport(), api, identity, PATH.parse().unwrap(), &session);
    assert!(make(Some(token(&fake, "a\nb")), &api(&fake)).is_err());
    let no_url = Api::new(&"file:///etc".parse().unwrap());
    assert!(no_url.is_none_or(|api| make(None, &api).unwrap_err().to_string().contains("file:///etc")));
    let elsewhere = api(&fake).with_graphql(Some("https://evil.example/graphql".parse().unwrap()));
    assert!(
        make(Some(token(&fake, TOKEN)), &elsewhere).is_err(),
        "both APIs have the token, so both are on one host"
    );
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect_to_another_host() {
    let (fake, other) = (github().await, github().await);
    let target = format!("{}/repos/{PATH}/git/ref/heads/main", other.api());
    let moved = Answer::message(302, "moved").header("location", &target);
    fake.fail(Failure::once("GET", "/git/ref/", How::Answer(moved)));
    client(&fake).head(&branch("main")).await.unwrap();
    assert_eq!(other.log().len(), 1);
    assert_eq!(other.log()[0].token, None);
}
