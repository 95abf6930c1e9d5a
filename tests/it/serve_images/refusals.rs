//! What is wrong with a command line or a folder is said at once, with what to do.

use super::{Folder, KEY};

fn data(name: &str) -> String {
    format!("{}/tests/data/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn what_cannot_be_served_is_said_with_its_file_and_what_to_do() {
    let folder = Folder::new();
    let hex = folder.store(KEY, b"image", "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    folder.desk.write("text", "no certificate\n");
    let (certificate, key, other) = (data("server.pem"), data("server.key"), data("authority.key"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let tls = |certificate, key| ["images", "--tls-cert", certificate, "--tls-key", key];
    let table: [(&[&str], i32, &str); 11] = [
        (
            &["text"],
            3,
            "couldn't read text: text/wanted.json: Not a directory (os error 20)\nhint: name a folder",
        ),
        (&["absent"], 2, "absent/wanted.json does not exist\nhint: run `dibump pull --into absent` first"),
        (&["images", "--listen", "8080"], 2, "expected an address with a port, as [::]:8080"),
        (
            &["images", "--listen", &taken],
            3,
            "Address already in use (os error 98)\nhint: name another address",
        ),
        (&["images", "--pull-every", "0s"], 2, "a second is the least"),
        (&["images", "--pull-every", "15"], 2, "`15` has no unit"),
        (&tls("text", &key), 3, "couldn't use text: it holds no certificate in PEM"),
        (
            &tls(&certificate, "text"),
            3,
            "couldn't use text: it holds no private key in PEM without a passphrase",
        ),
        (&tls(&certificate, &other), 3, "the key is not that of the certificate"),
        (&tls("absent.pem", &key), 3, "couldn't read absent.pem: No such file or directory"),
        (&["images", "--tls-cert", &certificate], 2, "--tls-key <FILE>"),
    ];
    for (arguments, exit, said) in table {
        let listens = if arguments.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] };
        let ran = folder.desk.dibump(&[&["serve-images"], arguments, listens].concat()).await;
        assert!(ran.exit == Some(exit) && ran.stderr.contains(said), "{said} is expected: {ran:#?}");
    }
    for (name, broken) in [("wanted.json", "{"), ("unwanted.json", "[]")] {
        folder.desk.write(&format!("images/{name}"), broken);
        let ran = folder.desk.dibump(&["serve-images", "images", "--listen", "127.0.0.1:0"]).await;
        let said = format!("images/{name} cannot be read");
        assert!(ran.exit == Some(3) && ran.stderr.contains(&said), "{said} is expected: {ran:#?}");
        folder.want(&[(KEY, &hex)]);
    }
}
