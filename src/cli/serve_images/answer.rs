//! From a request to an answer.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use httpdate::fmt_http_date;
use serde::Serialize;

use super::head::{Head, NoHead};
use super::metrics::{CONTENT_TYPE, Metrics};
use super::shelf::{OpenedImage, Shelf};
use crate::image_store::StoredImage;
use crate::image_store::conditional::{ConditionalAnswer, Representation, select};
use crate::image_store::offer::OfferedImage;

/// How long a machine waits before it asks again for an image that is not complete. Ironic's agent asks for 100 s.
const RETRY_AFTER: &str = "10";

/// An answer before it is on the wire.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

/// What follows the head.
pub(super) enum Body {
    /// A few bytes.
    Text(String),
    /// Bytes of an image.
    Part {
        /// The image's key.
        key: String,
        /// Its file.
        file: File,
        /// The first byte.
        from: u64,
        /// How many bytes.
        length: u64,
    },
    /// A whole image that is compressed in its file.
    Inflated {
        /// The image's key.
        key: String,
        /// Its file.
        file: File,
        /// How many bytes the image has.
        length: u64,
    },
    /// Nothing, in place of so many bytes (HEAD).
    Left(u64),
    /// Nothing at all (304).
    None,
}

/// What answers requests.
pub(super) struct Desk<'a> {
    pub(super) shelf: &'a Shelf,
    pub(super) metrics: &'a Metrics,
    pub(super) is_stopping: bool,
    pub(super) now: SystemTime,
}

/// Which images are wanted, and whether each is complete.
#[derive(Serialize)]
struct Wanted<'a> {
    schema: &'static str,
    images: BTreeMap<&'a str, Complete>,
}

#[derive(Serialize)]
struct Complete {
    complete: bool,
}

impl Desk<'_> {
    /// What a request is answered.
    pub(super) fn answer(&self, head: &Head) -> Answer {
        let is_head = head.method == "HEAD";
        if !is_head && head.method != "GET" {
            return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n")
                .with("allow", "GET, HEAD");
        }
        let answer = match head.path.as_str() {
            "livez" => Answer::text(StatusCode::OK, "alive\n"),
            "readyz" if self.is_stopping => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            "readyz" => Answer::text(StatusCode::OK, "ready\n"),
            "metrics" => Answer::text(StatusCode::OK, self.metrics.text(&self.shelf.offer()))
                .with("content-type", CONTENT_TYPE),
            "wanted" => self.wanted(),
            path => self.image(path, head, is_head),
        };
        if is_head { answer.without_body() } else { answer }
    }

    fn image(&self, path: &str, head: &Head, is_head: bool) -> Answer {
        let offer = self.shelf.offer();
        match offer.at(path) {
            OfferedImage::NotKnown => later("it is not known yet which images are wanted\n".to_owned()),
            OfferedImage::Unknown => Answer::text(StatusCode::NOT_FOUND, "no image is served here\n"),
            OfferedImage::NotComplete(key) => not_complete(key),
            OfferedImage::Checksum(image) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let name = name.trim_end_matches(crate::image_store::routes::CHECKSUM_SUFFIX);
                Answer::text(StatusCode::OK, format!("{}  {name}\n", image.sha256))
            }
            OfferedImage::Image(image) => match self.shelf.open(image) {
                Ok(OpenedImage::Whole(file)) => of_image(image, file, head, is_head, self.now),
                Ok(OpenedImage::Changed) => not_complete(&image.key),
                Err(error) => {
                    tracing::warn!(key = image.key, %error, "an image cannot be opened");
                    not_complete(&image.key)
                }
            },
        }
    }

    fn wanted(&self) -> Answer {
        let offer = self.shelf.offer();
        let images =
            offer.wanted.iter().map(|(key, complete)| (key.as_str(), Complete { complete: *complete }));
        let wanted = Wanted { schema: "dibump.images-served/1", images: images.collect() };
        let text = serde_json::to_string_pretty(&wanted).unwrap_or_default();
        Answer::text(StatusCode::OK, text + "\n").with("content-type", "application/json")
    }
}

fn not_complete(key: &str) -> Answer {
    later(format!("the image {key} is not complete yet\n"))
}

fn later(text: String) -> Answer {
    Answer::text(StatusCode::SERVICE_UNAVAILABLE, text).with("retry-after", RETRY_AFTER)
}

/// What a client gets of an image that is stored compressed: as it is stored, if it takes that, else decompressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// It is not compressed.
    None,
    /// As it is stored.
    Gzip,
    /// Decompressed on the way, from its beginning to its end.
    Inflated,
}

fn of_image(image: &StoredImage, file: File, head: &Head, is_head: bool, now: SystemTime) -> Answer {
    let coding = match (image.packed_size, head.accepts_gzip()) {
        (None, _) => Coding::None,
        (Some(_), true) => Coding::Gzip,
        (Some(_), false) => Coding::Inflated,
    };
    let suffix = if coding == Coding::Gzip { "-gzip" } else { "" };
    let etag = format!("\"sha256:{}{suffix}\"", image.sha256);
    let size = if coding == Coding::Gzip { image.stored_size() } else { image.size };
    let of = Representation { etag: &etag, last_modified: image.visible_since, size };
    // A part of what is decompressed on the way would cost all that is before it.
    let mut conditions = head.conditions();
    conditions.range = conditions.range.filter(|_| coding != Coding::Inflated);
    let selected = select(&conditions, &of, is_head);
    let key = image.key.clone();
    let (status, body) = match selected {
        ConditionalAnswer::Whole if coding == Coding::Inflated => {
            (StatusCode::OK, Body::Inflated { key, file, length: size })
        }
        ConditionalAnswer::Whole => (StatusCode::OK, Body::Part { key, file, from: 0, length: size }),
        ConditionalAnswer::Part { first, last } => {
            (StatusCode::PARTIAL_CONTENT, Body::Part { key, file, from: first, length: last - first + 1 })
        }
        ConditionalAnswer::NotModified => (StatusCode::NOT_MODIFIED, Body::None),
        ConditionalAnswer::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, Body::Text(String::new())),
        ConditionalAnswer::NotSatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, Body::Text(String::new())),
    };
    // Within the second in which it became visible it is not later than the answer (RFC 9110, section 8.8.2.1).
    let last_modified = fmt_http_date(now.min(image.visible_since.into()));
    let headers = vec![("etag", etag.clone()), ("last-modified", last_modified)];
    let answer = Answer { status, headers, body };
    let answer = match coding {
        Coding::None => answer,
        Coding::Gzip | Coding::Inflated => answer.with("vary", "Accept-Encoding"),
    };
    match selected {
        ConditionalAnswer::Part { first, last } => {
            answer.of_bytes(image, coding).with("content-range", format!("bytes {first}-{last}/{size}"))
        }
        ConditionalAnswer::Whole => answer.of_bytes(image, coding),
        ConditionalAnswer::NotSatisfiable => answer.with("content-range", format!("bytes */{size}")),
        ConditionalAnswer::NotModified | ConditionalAnswer::PreconditionFailed => answer,
    }
}

impl Answer {
    /// What a head that cannot be read is answered.
    pub(super) fn to_no_head(why: NoHead) -> Self {
        match why {
            NoHead::TooLarge => Self::text(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "the head of the request is too large\n",
            ),
            NoHead::Bad | NoHead::Partial => {
                Self::text(StatusCode::BAD_REQUEST, "the request cannot be read\n")
            }
        }
    }

    /// A few words.
    pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: Body::Text(text.into()) }
    }

    /// With a header, in place of one of the same name.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// What is said of an image besides its bytes. The digest is that of the whole, coding included (RFC 9530, section 3).
    fn of_bytes(self, image: &StoredImage, coding: Coding) -> Self {
        let ranges = if coding == Coding::Inflated { "none" } else { "bytes" };
        let answer = self.with("content-type", "application/octet-stream").with("accept-ranges", ranges);
        if coding == Coding::Gzip {
            return answer.with("content-encoding", "gzip");
        }
        let digest: Vec<u8> = image
            .sha256
            .as_bytes()
            .chunks(2)
            .filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
            .collect();
        answer.with("repr-digest", format!("sha-256=:{}:", STANDARD.encode(digest)))
    }

    fn without_body(mut self) -> Self {
        self.body = match self.body {
            Body::Text(text) => Body::Left(text.len() as u64),
            Body::Part { length, .. } | Body::Inflated { length, .. } => Body::Left(length),
            other => other,
        };
        self
    }

    /// The head as it is sent.
    pub(super) fn head(&self, now: SystemTime, keeps_alive: bool) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status.as_u16());
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        line("date", &fmt_http_date(now));
        self.headers.iter().for_each(|(name, value)| line(name, value));
        let length = match &self.body {
            Body::Text(text) => Some(text.len() as u64),
            Body::Part { length, .. } | Body::Inflated { length, .. } | Body::Left(length) => Some(*length),
            Body::None => None,
        };
        if let Some(length) = length {
            line("content-length", &length.to_string());
        }
        line("connection", if keeps_alive { "keep-alive" } else { "close" });
        head.push_str("\r\n");
        head
    }
}
