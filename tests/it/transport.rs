//! The one transport: what it repeats, how long it waits, what it refuses.

use std::time::{Duration, Instant, SystemTime};

use dibump::http::{
    Credential, Origin, Request, Response, Secret, Transport, TransportError, TransportSettings,
};
use http::{HeaderValue, Method};

use crate::fake::oci::{FakeRegistry, Fault, Gate};
use crate::oci::impatient;

fn transport(settings: TransportSettings) -> Transport {
    Transport::new(settings).unwrap()
}

fn request(fake: &FakeRegistry, method: Method) -> Request {
    Request::new(method, format!("http://{}/v2/", fake.host()).parse().unwrap())
}

/// Sends a request that must not be waited for.
async fn at_once(transport: &Transport, request: Request) -> Result<Response, TransportError> {
    tokio::time::timeout(Duration::from_secs(60), transport.send(request)).await.unwrap()
}

async fn get(fake: &FakeRegistry) -> Result<Response, TransportError> {
    transport(impatient()).send(request(fake, Method::GET)).await
}

#[tokio::test]
async fn reads_are_repeated_until_they_succeed_or_patience_ends() {
    for status in [408, 429, 500, 502, 503, 504] {
        let fake = FakeRegistry::start().await;
        fake.fault(Fault::status(status).times(2));
        assert_eq!(get(&fake).await.unwrap().status, 200, "{status}");
        assert_eq!(fake.requests().len(), 3);
    }
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(502));
    assert_eq!(get(&fake).await.unwrap().status, 502);
    assert_eq!(fake.requests().len(), 4);
}

#[tokio::test]
async fn a_cut_body_is_repeated_too() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::cut().times(1));
    assert_eq!(get(&fake).await.unwrap().body, "{}");
    fake.fault(Fault::cut());
    assert!(matches!(get(&fake).await, Err(TransportError::Connection { .. })));
}

#[tokio::test]
async fn a_write_is_never_repeated() {
    for fault in [Fault::status(503), Fault::status(429).header("retry-after", "0"), Fault::cut()] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let fake = FakeRegistry::start().await;
            fake.fault(fault.clone());
            let _ = transport(impatient()).send(request(&fake, method)).await;
            assert_eq!(fake.requests().len(), 1, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn what_a_retry_cannot_help_is_not_repeated() {
    for status in [400, 401, 403, 404, 501] {
        let fake = FakeRegistry::start().await;
        fake.fault(Fault::status(status));
        assert_eq!(get(&fake).await.unwrap().status, status);
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_as_seconds_or_as_a_date() {
    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    for value in ["1", soon.as_str()] {
        let fake = FakeRegistry::start().await;
        fake.fault(Fault::status(429).header("retry-after", value).times(1));
        let response = get(&fake).await.unwrap();
        assert_eq!((response.status.as_u16(), fake.requests().len()), (200, 2), "{value}");
    }
}

#[tokio::test]
async fn a_wait_beyond_our_patience_is_reported_and_spares_the_host() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    for value in ["3600", date.as_str()] {
        let fake = FakeRegistry::start().await;
        fake.fault(Fault::status(429).header("retry-after", value));
        let transport = transport(impatient());
        let response = at_once(&transport, request(&fake, Method::GET)).await.unwrap();
        assert!(response.retry_after.unwrap() > Duration::from_secs(3000));
        assert!(response.status_error().retry_helps());
        let error = at_once(&transport, request(&fake, Method::GET)).await.unwrap_err();
        assert!(error.retry_after().unwrap() > Duration::from_secs(3000));
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test]
async fn no_request_and_no_wait_goes_beyond_the_deadline() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::silence());
    let near = TransportSettings { deadline: Some(Instant::now() + Duration::from_secs(1)), ..impatient() };
    let transport = transport(near);
    for path in ["/v2/", "/v2/after-the-deadline"] {
        let url = format!("http://{}{path}", fake.host()).parse().unwrap();
        let error = transport.send(Request::new(Method::GET, url)).await.unwrap_err();
        assert!(matches!(error, TransportError::DeadlinePassed { .. }), "{error:?}");
    }
    assert_eq!(fake.count("after-the-deadline"), 0);
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::silence());
    let settings =
        TransportSettings { request_timeout: Duration::from_millis(50), retries: 1, ..impatient() };
    let transport = transport(settings);
    let error = transport.send(request(&fake, Method::GET)).await.unwrap_err();
    assert!(matches!(error, TransportError::TimedOut { .. }) && error.retry_helps());
    let unanswered: Vec<u64> = transport.requests().into_values().collect();
    assert_eq!(unanswered, [2]);
}

#[tokio::test]
async fn a_host_that_sends_nothing_is_given_up_and_not_asked_again() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::silence());
    let limit = Duration::from_millis(200);
    for read_timeout in [crate::world::PATIENCE, Duration::from_millis(20)] {
        let settings =
            TransportSettings { give_up_after: limit, read_timeout, retries: u32::MAX, ..impatient() };
        let transport = transport(settings);
        let error = at_once(&transport, request(&fake, Method::GET)).await.unwrap_err();
        let is_told = matches!(&error, TransportError::Silent { url, waited } if *waited == limit && url.contains(fake.host()));
        assert!(is_told && error.retry_helps() && error.is_unreachable(), "{error:?}");
        let before = fake.requests().len();
        let error = transport.send(request(&fake, Method::GET)).await.unwrap_err();
        assert!(matches!(error, TransportError::Silent { .. }), "{error:?}");
        assert_eq!(fake.requests().len(), before);
    }
}

#[tokio::test]
async fn a_host_that_keeps_sending_is_waited_for() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(503).times(20));
    let settings = TransportSettings {
        give_up_after: Duration::from_secs(30),
        backoff: Duration::from_millis(1),
        retries: 20,
        ..impatient()
    };
    let response = transport(settings).send(request(&fake, Method::GET)).await.unwrap();
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn a_body_above_the_cap_is_an_error() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(200).body(&"x".repeat(1000)));
    let transport = transport(impatient());
    let capped = |cap| transport.send(request(&fake, Method::GET).body_cap(cap));
    let error = capped(999).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { cap: 999, .. }), "{error:?}");
    assert_eq!(capped(1000).await.unwrap().body.len(), 1000);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_capped_too() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::unannounced());
    let transport = transport(impatient());
    let error = transport.send(request(&fake, Method::GET).body_cap(1)).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { cap: 1, .. }), "{error:?}");
    assert_eq!(transport.send(request(&fake, Method::GET)).await.unwrap().body, "{}");
}

#[tokio::test]
async fn a_host_gets_only_so_many_requests_at_once() {
    let fake = FakeRegistry::start().await;
    let gate = Gate::shut();
    fake.fault(Fault::held(&gate));
    let transport = transport(TransportSettings { per_host: 3, ..impatient() });
    let sent = futures::future::join_all((0..12).map(|_| transport.send(request(&fake, Method::GET))));
    let watched = async {
        while fake.most_under_way() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // A fourth would come at once.
        tokio::time::sleep(Duration::from_millis(100)).await;
        gate.open();
    };
    let (answers, ()) = tokio::join!(sent, watched);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(fake.most_under_way(), 3);
}

#[tokio::test]
async fn redirects_are_followed_ten_times() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(302).header("location", "/v2/").times(10));
    assert_eq!(get(&fake).await.unwrap().status, 200);
    fake.fault(Fault::status(302).header("location", "/v2/"));
    assert!(matches!(get(&fake).await, Err(TransportError::Redirect { .. })));
    assert_eq!(fake.requests().len(), 22);
}

#[tokio::test]
async fn no_secret_follows_a_redirect_to_another_host() {
    let (fake, other) = (FakeRegistry::start().await, FakeRegistry::start().await);
    fake.fault(Fault::status(307).header("location", &format!("http://{}/v2/", other.host())));
    let url = request(&fake, Method::GET).url;
    let credential = Credential::bearer(&Secret::new("t").bound_to(Origin::of(&url).unwrap())).unwrap();
    let with_credential = request(&fake, Method::GET).credential(Some(credential));
    assert_eq!(transport(impatient()).send(with_credential).await.unwrap().status, 200);
    assert_eq!(fake.requests()[0].authorization.as_deref(), Some("Bearer t"));
    assert_eq!(other.requests()[0].authorization, None);
}

#[tokio::test]
async fn a_secret_that_is_bound_to_no_origin_is_not_sent() {
    let fake = FakeRegistry::start().await;
    let with_header =
        request(&fake, Method::GET).header(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer t"));
    let mut with_user = request(&fake, Method::GET);
    with_user.url.set_username("bot").unwrap();
    with_user.url.set_password(Some("t")).unwrap();
    for request in [with_header, with_user] {
        assert_eq!(transport(impatient()).send(request).await.unwrap().status, 200);
    }
    assert_eq!(fake.requests().len(), 2);
    assert!(fake.requests().iter().all(|logged| logged.authorization.is_none()));
}

#[tokio::test]
async fn a_credential_for_another_host_stops_the_request() {
    let (fake, other) = (FakeRegistry::start().await, FakeRegistry::start().await);
    let origin = Origin::of(&request(&other, Method::GET).url).unwrap();
    let credential = Credential::bearer(&Secret::new("t").bound_to(origin)).unwrap();
    let error = transport(impatient()).send(request(&fake, Method::GET).credential(Some(credential))).await;
    assert!(matches!(error, Err(TransportError::ForeignCredential { .. })));
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_file_that_is_none_is_refused() {
    for pem in
        [&b"not a certificate"[..], b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        let settings = TransportSettings { extra_ca: vec![pem.to_vec()], ..impatient() };
        assert!(matches!(Transport::new(settings), Err(TransportError::Setup { .. })), "{pem:?}");
    }
}

#[tokio::test]
async fn errors_show_no_secrets() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::cut());
    let mut request = request(&fake, Method::POST);
    request.url.set_query(Some("private_token=hunter2"));
    let error = transport(impatient()).send(request).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn requests_are_counted_by_origin_and_status() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(502).times(1));
    let transport = transport(impatient());
    transport.send(request(&fake, Method::GET)).await.unwrap();
    let counted: Vec<(Option<u16>, u64)> =
        transport.requests().into_iter().map(|((_, status), n)| (status, n)).collect();
    assert_eq!(counted, [(Some(200), 1), (Some(502), 1)]);
}
