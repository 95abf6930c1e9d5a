//! Conditional requests and parts as nginx answers them: the same table is asked of nginx and of us. Where the answers differ,
//! the section of RFC 9110 is named that ours follows.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use tokio::net::TcpStream;

use super::{Answered, Folder, KEY, Server};
use crate::clients;
use crate::world::PATIENCE;

/// Since when both serve the file.
const SINCE: &str = "2026-05-05T03:02:01Z";
const SAME: &str = "Tue, 05 May 2026 03:02:01 GMT";
const BEFORE: &str = "Tue, 05 May 2026 03:02:00 GMT";
const AFTER: &str = "Tue, 05 May 2026 03:02:02 GMT";

/// A request, and how ours is answered: as nginx answers it, or (with the reason) otherwise.
type Row<'a> = (&'a str, &'a str, u16, Option<&'a str>);

const SEVERAL: &str =
    "14.2: a server may ignore several ranges, and agents that write disks never ask for them";
const UNREADABLE: &str = "14.2: a range that cannot be read is ignored";
const ONLY_GET: &str = "14.2: a range is defined for GET only";
const TAGS_FIRST: &str = "13.2.2: a date is not looked at where a tag is given";
const CLIPPED: &str = "14.1.2: a last position beyond the end is the end, however long the number is";

#[rustfmt::skip]
const TABLE: &[Row<'static>] = &[
    ("GET", "", 200, None),
    ("HEAD", "", 200, None),
    // One range.
    ("GET", "Range: bytes=0-0", 206, None),
    ("GET", "Range: bytes=5-104", 206, None),
    ("GET", "Range: bytes=999-", 206, None),
    ("GET", "Range: bytes=0-", 206, None),
    ("GET", "Range: bytes=0-999", 206, None),
    ("GET", "Range: bytes=0-5000", 206, None),
    ("GET", "Range: bytes=-1", 206, None),
    ("GET", "Range: bytes=-1000", 206, None),
    ("GET", "Range: bytes=-5000", 206, None),
    ("GET", "Range: bytes= 3 - 7 ", 206, None),
    ("GET", "Range: bytes=1000-", 416, None),
    ("GET", "Range: bytes=1000-2000", 416, None),
    ("GET", "Range: bytes=-0", 416, None),
    ("GET", "Range: lines=0-1", 200, None),
    ("GET", "Range: bytes", 200, None),
    ("GET", "Range: bytes=0-99999999999999999999", 206, Some(CLIPPED)),
    ("GET", "Range: bytes=7-3", 200, Some(UNREADABLE)),
    ("GET", "Range: bytes=", 200, None),
    ("GET", "Range: bytes=a-b", 200, Some(UNREADABLE)),
    ("GET", "Range: bytes=-", 200, Some(UNREADABLE)),
    ("GET", "Range: bytes=0-0,5-5", 200, Some(SEVERAL)),
    ("GET", "Range: bytes=0-0,-1", 200, Some(SEVERAL)),
    ("HEAD", "Range: bytes=0-0", 200, Some(ONLY_GET)),
    // If-Range.
    ("GET", "Range: bytes=0-4\r\nIf-Range: ETAG", 206, None),
    ("GET", "Range: bytes=0-4\r\nIf-Range: \"other\"", 200, None),
    ("GET", "Range: bytes=0-4\r\nIf-Range: W/ETAG", 200, None),
    ("GET", "Range: bytes=0-4\r\nIf-Range: SAME", 206, None),
    ("GET", "Range: bytes=0-4\r\nIf-Range: BEFORE", 200, None),
    ("GET", "Range: bytes=0-4\r\nIf-Range: AFTER", 200, None),
    ("GET", "Range: bytes=1000-\r\nIf-Range: \"other\"", 200, None),
    // If-None-Match and If-Modified-Since.
    ("GET", "If-None-Match: ETAG", 304, None),
    ("HEAD", "If-None-Match: ETAG", 304, None),
    ("GET", "If-None-Match: W/ETAG", 304, None),
    ("GET", "If-None-Match: *", 304, None),
    ("GET", "If-None-Match: \"a\", ETAG, \"b\"", 304, None),
    ("GET", "If-None-Match: \"a\", \"b\"", 200, None),
    ("GET", "If-Modified-Since: SAME", 304, None),
    ("HEAD", "If-Modified-Since: SAME", 304, None),
    ("GET", "If-Modified-Since: AFTER", 304, None),
    ("GET", "If-Modified-Since: BEFORE", 200, None),
    ("GET", "If-Modified-Since: yesterday", 200, None),
    ("GET", "If-None-Match: \"a\"\r\nIf-Modified-Since: SAME", 200, None),
    ("GET", "If-None-Match: ETAG\r\nIf-Modified-Since: SAME", 304, None),
    ("GET", "If-None-Match: ETAG\r\nIf-Modified-Since: BEFORE", 304, Some(TAGS_FIRST)),
    ("GET", "If-None-Match: ETAG\r\nRange: bytes=0-4", 304, None),
    // If-Match and If-Unmodified-Since.
    ("GET", "If-Match: ETAG", 200, None),
    ("GET", "If-Match: *", 200, None),
    ("GET", "If-Match: \"a\", ETAG", 200, None),
    ("GET", "If-Match: \"a\"", 412, None),
    ("GET", "If-Match: W/ETAG", 412, None),
    ("HEAD", "If-Match: \"a\"", 412, None),
    ("GET", "If-Unmodified-Since: SAME", 200, None),
    ("GET", "If-Unmodified-Since: AFTER", 200, None),
    ("GET", "If-Unmodified-Since: BEFORE", 412, None),
    ("GET", "If-Match: ETAG\r\nIf-Unmodified-Since: BEFORE", 200, Some(TAGS_FIRST)),
    ("GET", "If-Match: ETAG\r\nIf-None-Match: ETAG", 304, None),
    ("GET", "If-Match: \"a\"\r\nIf-None-Match: ETAG", 412, None),
    ("GET", "If-Match: ETAG\r\nRange: bytes=0-4", 206, None),
    ("POST", "Content-Length: 0", 405, None),
];

/// nginx of Debian, which serves the folder `nginx`.
pub(super) async fn nginx(folder: &Folder) -> Server {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let root = folder.desk.path("nginx");
    std::fs::create_dir(&root).unwrap();
    let path = root.to_str().unwrap();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {path}/{name};\n"))
        .concat();
    // As RFC 9110 says it; nginx alone would compare for equality.
    let http = format!(
        "server {{ listen {free}; root {path}; }}\nif_modified_since before;\naccess_log off;\n{temporary}"
    );
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{http}}}\n"
    );
    folder.desk.write("nginx.conf", configuration);
    let mut command = clients::debian("nginx");
    command.args(["-e", "stderr", "-c"]).arg(folder.desk.path("nginx.conf"));
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("nginx starts");
    let ready = async {
        while TcpStream::connect(free).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "nginx did not start on {free}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("nginx starts");
    Server { child, address: free.to_string() }
}

/// What is compared of an answer.
fn seen(answered: &Answered) -> (u16, Option<String>, Option<String>, Vec<u8>) {
    let header = |name: &str| answered.header(name).map(str::to_owned);
    // Bodies of errors are for people, and each has its own.
    let has_content = matches!(answered.status, 200 | 206);
    let body = if has_content { answered.body.clone() } else { Vec::new() };
    (answered.status, header("content-range"), header("content-length").filter(|_| has_content), body)
}

#[tokio::test]
async fn conditions_and_parts_are_answered_as_by_nginx_or_by_the_rfc() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..1000_u32).map(|i| (i % 251) as u8).collect();
    let hex = folder.store(KEY, &bytes, SINCE);
    folder.want(&[(KEY, &hex)]);
    let (ours, nginx) = (folder.serve(&[]).await, nginx(&folder).await);
    let path = format!("/{KEY}.raw");
    let file = folder.desk.path(&format!("nginx{path}"));
    std::fs::write(&file, &bytes).unwrap();
    let since: jiff::Timestamp = SINCE.parse().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_modified(SystemTime::from(since)).unwrap();
    let tag = |answered: &Answered| answered.header("etag").expect("a tag").to_owned();
    let (our_tag, their_tag) = (tag(&ours.get(&path).await), tag(&nginx.get(&path).await));
    let (mut equal, mut otherwise) = (0, 0);
    for (method, headers, status, reason) in TABLE {
        let headers = headers.replace("SAME", SAME).replace("BEFORE", BEFORE).replace("AFTER", AFTER);
        let ask = async |server: &Server, tag: &str| {
            let headers = headers.replace("ETAG", tag);
            let lines = if headers.is_empty() { String::new() } else { headers + "\r\n" };
            seen(&server.ask(method, &path, &lines).await)
        };
        let (our, their) = (ask(&ours, &our_tag).await, ask(&nginx, &their_tag).await);
        assert_eq!(our.0, *status, "{method} {headers:?}: nginx answers {}", their.0);
        match reason {
            None => {
                assert!(our == their, "{method} {headers:?}: {our:?}, and nginx: {their:?}");
                equal += 1;
            }
            Some(reason) => {
                assert_ne!(our.0, their.0, "{method} {headers:?}: nginx answers the same: {reason}");
                otherwise += 1;
            }
        }
    }
    println!("nginx: {equal} answers are equal, {otherwise} follow RFC 9110 where nginx does not");
}
