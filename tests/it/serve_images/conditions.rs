//! Conditional requests and parts, over the wire. The whole table is beside the rule (`image_store::conditional`).

use super::{Folder, KEY};

#[tokio::test]
async fn parts_and_conditions_are_answered_as_rfc_9110_says() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let (server, path) = (folder.serve(&[]).await, format!("/{KEY}.raw"));
    let etag = format!("\"sha256:{hex}\"");
    let table: [(&str, u16, &[u8], Option<&str>); 10] = [
        ("Range: bytes=0-0", 206, &bytes[..1], Some("bytes 0-0/256")),
        ("Range: bytes=250-", 206, &bytes[250..], Some("bytes 250-255/256")),
        ("Range: bytes=-6", 206, &bytes[250..], Some("bytes 250-255/256")),
        ("Range: bytes=256-", 416, b"", Some("bytes */256")),
        ("Range: bytes=0-1,4-5", 200, &bytes, None),
        ("Range: bytes=0-1\r\nIf-Range: ETAG", 206, &bytes[..2], Some("bytes 0-1/256")),
        ("Range: bytes=0-1\r\nIf-Range: \"other\"", 200, &bytes, None),
        ("If-None-Match: \"x\"\r\nIf-None-Match: ETAG", 304, b"", None),
        ("If-Modified-Since: Tue, 05 May 2026 03:02:01 GMT", 304, b"", None),
        ("If-Match: \"x\"", 412, b"", None),
    ];
    for (headers, status, body, range) in table {
        let answered = server.ask("GET", &path, &format!("{}\r\n", headers.replace("ETAG", &etag))).await;
        assert_eq!(answered.status, status, "{headers}: {}", answered.head);
        assert!(answered.body == body, "{headers}: {:?}", answered.body);
        assert_eq!(answered.header("content-range"), range, "{headers}: {}", answered.head);
        assert_eq!(answered.header("etag"), Some(etag.as_str()), "{headers}: {}", answered.head);
        if status == 304 {
            assert_eq!(answered.header("content-length"), None, "{}", answered.head);
        }
    }
    let of_head = server.ask("HEAD", &path, "Range: bytes=0-0\r\n").await;
    assert_eq!((of_head.status, of_head.header("content-length")), (200, Some("256")));
}
