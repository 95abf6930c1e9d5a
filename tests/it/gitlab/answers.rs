//! Answers that are no success, and what they mean.

use std::collections::{BTreeMap, BTreeSet};

use dibump::forge::NewCommit;
use serde_json::json;

use super::*;
use crate::fake::gitlab::{Answer, Failure, How};

/// What reading a branch says when GitLab answers `answer`.
async fn read_after(answer: Answer) -> ForgeError {
    let fake = gitlab().await;
    fake.fail(Failure::always("GET", "/branches/", How::Answer(answer)));
    client(&fake).head(&branch("main")).await.unwrap_err()
}

/// What pushing says with that token.
async fn push_with(fake: &FakeGitLab, token: Option<GitLabToken>) -> ForgeError {
    let main = head(&mut fake.state(), "main");
    let new = NewCommit {
        branch: branch(SOURCE),
        parent: main,
        expected_head: None,
        message: "Update".to_owned(),
        files: BTreeMap::from([(VALUES.to_owned(), (*b"x").into())]),
        added: BTreeSet::new(),
    };
    client_of(fake, token, ProjectId::Number(PROJECT)).push(&new).await.unwrap_err()
}

fn refused(error: &ForgeError) -> (&str, &str) {
    match error {
        ForgeError::Refused { reason, hint: Some(hint), .. } => (reason, hint),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_shapes_of_an_error_are_words() {
    for (answer, words) in [
        (Answer::message(400, "plain words"), "plain words"),
        (Answer::message(400, json!(["one", "two"])), "one; two"),
        (Answer::message(422, json!({"title": ["is bad", "is long"]})), "title is bad; is long"),
        (Answer::message(422, json!({"base": ["nothing goes"]})), "nothing goes"),
        (Answer::json(400, &json!({"error": "branch is missing"})), "branch is missing"),
        (Answer::message(400, "two\n lines\u{1b}[31m"), "two lines\u{fffd}[31m"),
        (
            Answer::json(409, &json!({"message": {"error": "spam"}, "needs_captcha_response": true})),
            "error spam",
        ),
    ] {
        let error = read_after(answer).await;
        assert!(matches!(&error, ForgeError::Rejected { reason, .. } if reason == words), "{error:?}");
    }
    for (answer, words) in [
        (Answer::text(400, "text/plain", "<title>Bad gateway</title>"), "400 Bad Request: Bad gateway"),
        (Answer::text(404, "text/plain", ""), "404 Not Found: 404 Not Found"),
    ] {
        let error = read_after(answer).await;
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
    http://HOST/api/v4/projects/42/repository/branches/main: a web page (200 OK) where GitLab's API was expected
    http://HOST/api/v4/projects/42/repository/branches/main: a web page (400 Bad Request) where GitLab's API was expected
    http://HOST/api/v4/projects/42/repository/branches/main: a web page (403 Forbidden) where GitLab's API was expected
    http://HOST/api/v4/projects/42/repository/branches/main: a web page (404 Not Found) where GitLab's API was expected
    ");
    for answer in [
        Answer::text(403, "text/plain", "Forbidden\n"),
        Answer::message(403, "You cannot perform write operations on a read-only instance"),
    ] {
        let error = read_after(answer).await;
        assert!(matches!(error, ForgeError::Postponed { .. }), "{error:?}");
    }
    let long = read_after(Answer::message(400, "é".repeat(5000))).await;
    assert!(long.to_string().len() < 1000);
}

#[tokio::test]
async fn lag_and_locks_are_worth_another_moment_in_every_shape() {
    for answer in [
        Answer::message(400, json!({"source_branch": ["does not exist"]})),
        Answer::message(400, json!(["Source branch \"x\" does not exist"])),
        Answer::message(404, "source_branch does not exist"),
        Answer::json(400, &json!({"error": "source_branch does not exist"})),
        Answer::message(409, "Resource lock"),
    ] {
        let error = read_after(answer).await;
        assert!(matches!(error, ForgeError::NotYet { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn busy_servers_are_unavailable_with_the_wait_that_makes_sense() {
    let wait = async |answer: Answer| match read_after(answer).await {
        ForgeError::Unavailable { retry_after, host, .. } => {
            assert!(host.starts_with("127.0.0.1:"));
            retry_after.map(|wait| wait.as_secs())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(Answer::throttled(11)).await, Some(11));
    assert_eq!(wait(Answer::throttled(999_999)).await, Some(3600));
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let window = |reset: &str| {
        Answer::text(429, "text/plain", "Retry later\n").header("ratelimit-reset", reset).header("date", date)
    };
    assert_eq!(wait(window("784111807")).await, Some(30));
    assert_eq!(wait(window("0")).await, None, "a reset in 1970");
    for status in [408, 500, 502, 503, 504] {
        assert_eq!(wait(Answer::text(status, "text/html", "<html>")).await, None, "{status}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_unavailable() {
    let fake = gitlab().await;
    fake.fail(Failure::always("GET", "/branches/", How::Reset));
    let error = client(&fake).head(&branch("main")).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn only_gitlabs_own_word_says_that_a_branch_is_not_there() {
    let fake = gitlab().await;
    let hidden = client_of(&fake, None, ProjectId::Path("no/project".to_owned()));
    let error = hidden.head(&branch("main")).await.unwrap_err();
    assert_eq!(refused(&error).0, "404 Project Not Found");
    assert!(matches!(read_after(Answer::message(404, "404 Not found")).await, ForgeError::Rejected { .. }));
}

#[tokio::test]
async fn a_job_token_is_told_what_is_needed_instead() {
    let fake = gitlab().await;
    fake.state().tokens.insert("job-secret".to_owned(), crate::fake::gitlab::Token::job("project_42_bot"));
    let token = GitLabToken::Job(secret(&fake, "job-secret"));
    let error = push_with(&fake, Some(token)).await;
    let (reason, hint) = refused(&error);
    reads!(format!("{reason}\n{hint}"), @"
    401 Unauthorized
    a job token (CI_JOB_TOKEN) can neither push commits nor open merge requests; GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer
    ");
}

#[tokio::test]
async fn a_job_token_that_may_not_read_a_public_project_is_left_out() {
    let fake = gitlab().await;
    let foreign =
        client_of(&fake, Some(GitLabToken::Job(secret(&fake, "expired"))), ProjectId::Number(PROJECT));
    assert!(foreign.head(&branch("main")).await.unwrap().is_some());
    assert_eq!(foreign.head(&branch(SOURCE)).await.unwrap(), None);
    fake.state().project(PROJECT).public = false;
    assert_eq!(refused(&foreign.head(&branch("main")).await.unwrap_err()).0, "401 Unauthorized");
}

#[tokio::test]
async fn refusals_say_what_the_token_lacks() {
    let fake = gitlab().await;
    let add = |name: &str, token: crate::fake::gitlab::Token| {
        fake.state().add_user(name);
        fake.state().tokens.insert(format!("glpat-{name}"), token);
        Some(private(&fake, &format!("glpat-{name}")))
    };
    let access = crate::fake::gitlab::Token::access;
    let reads = add("reads", access("project_42_bot", &["read_api"]));
    let stranger = add("stranger", access("stranger", &["api"]));
    let mut late = access("project_42_bot", &["api"]);
    late.expired = true;
    let late = add("late", late);
    let mut told = String::new();
    for token in [None, reads, stranger, late] {
        let error = push_with(&fake, token).await;
        let (reason, hint) = refused(&error);
        told += &format!("{reason}\n{hint}\n");
    }
    reads!(told, @"
    401 Unauthorized
    no token was sent; GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer
    insufficient_scope: The request requires higher privileges than provided by the access token.
    the token lacks scope `api`; GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer
    403 Forbidden
    the token's user may not do this here; GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer
    invalid_token: Token is expired. You can either do re-authorization or token refresh.
    the token is wrong, expired or revoked; GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer
    ");
    assert!(!fake.state().project(PROJECT).repository.branches.contains_key(SOURCE));
}

#[tokio::test]
async fn the_token_is_in_no_error_and_no_debug() {
    let echo = |status| Answer::message(status, format!("bad token {TOKEN}"));
    for answer in
        [echo(400), echo(401), echo(500), Answer::text(403, "text/plain", TOKEN), Answer::throttled(1)]
    {
        let text = everything(&read_after(answer).await);
        assert!(!text.contains(TOKEN), "{text}");
    }
    let fake = gitlab().await;
    for token in [
        private(&fake, TOKEN),
        GitLabToken::Bearer(secret(&fake, TOKEN)),
        GitLabToken::Job(secret(&fake, TOKEN)),
    ] {
        let client = client_of(&fake, Some(token), ProjectId::Number(PROJECT));
        assert!(!format!("{client:?}").contains(TOKEN));
    }
    let broken = GitLab::new(
        transport(),
        &fake.api().parse().unwrap(),
        Some(private(&fake, "a\nb")),
        ProjectId::Number(1),
    );
    assert!(broken.is_err());
    let no_url = GitLab::new(transport(), &"file:///etc".parse().unwrap(), None, ProjectId::Number(1));
    assert!(no_url.unwrap_err().to_string().contains("file:///etc"));
}

#[tokio::test]
async fn a_bearer_token_and_a_job_token_have_their_own_headers() {
    let fake = gitlab().await;
    let bearer =
        client_of(&fake, Some(GitLabToken::Bearer(secret(&fake, TOKEN))), ProjectId::Number(PROJECT));
    assert_eq!(bearer.access(&branch(SOURCE)).await.unwrap().user.as_deref(), Some("project_42_bot"));
    assert!(fake.log().iter().all(|seen| seen.token.as_ref().unwrap().0 == "authorization"));
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect_to_another_host() {
    let (fake, other) = (gitlab().await, gitlab().await);
    let target = format!("{}/projects/42/repository/branches/main", other.api());
    let moved = Answer::message(302, "moved").header("location", &target);
    fake.fail(Failure::once("GET", "/branches/", How::Answer(moved)));
    client(&fake).head(&branch("main")).await.unwrap();
    assert_eq!(other.log().len(), 1);
    assert_eq!(other.log()[0].token, None);
}
