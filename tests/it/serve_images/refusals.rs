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
    let table: [(&[&str], i32); 11] = [
        (&["text"], 3),
        (&["absent"], 2),
        (&["images", "--listen", "8080"], 2),
        (&["images", "--listen", &taken], 3),
        (&["images", "--pull-every", "0s"], 2),
        (&["images", "--pull-every", "15"], 2),
        (&tls("text", &key), 3),
        (&tls(&certificate, "text"), 3),
        (&tls(&certificate, &other), 3),
        (&tls("absent.pem", &key), 3),
        (&["images", "--tls-cert", &certificate], 2),
    ];
    let mut said = String::new();
    for (arguments, exit) in table {
        let listens = if arguments.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] };
        let ran = folder.desk.dibump(&[&["serve-images"], arguments, listens].concat()).await;
        assert_eq!(ran.exit, Some(exit), "{arguments:?}: {ran:#?}");
        // What the parser of the command line adds is its own.
        said += ran.stderr.split("\n\n").next().unwrap().trim_end();
        said += "\n";
    }
    for (name, broken) in [("wanted.json", "{"), ("unwanted.json", "[]")] {
        folder.desk.write(&format!("images/{name}"), broken);
        let ran = folder.desk.dibump(&["serve-images", "images", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(ran.exit, Some(3), "{name}: {ran:#?}");
        said += &ran.stderr;
        folder.want(&[(KEY, &hex)]);
    }
    reads!(said.replace(env!("CARGO_MANIFEST_DIR"), "CHECKOUT"), @"
    error: couldn't read text: text/wanted.json: Not a directory (os error N)
    hint: name a folder, and not a file
    error: absent/wanted.json does not exist
    hint: run `dibump pull --into absent` first
    error: invalid value '8080' for '--listen <ADDRESS>': expected an address with a port, as [::]:8080 or HOST
    note: 1 of 1 wanted images are complete
    error: couldn't listen on HOST: Address already in use (os error N)
    hint: name another address with --listen
    error: invalid value '0s' for '--pull-every <DURATION>': a second is the least
    error: invalid value '15' for '--pull-every <DURATION>': `15` has no unit (write `15 days`, `15h`, `15m` or `15s`)
    note: 1 of 1 wanted images are complete
    error: couldn't use text: it holds no certificate in PEM
    note: 1 of 1 wanted images are complete
    error: couldn't use text: it holds no private key in PEM without a passphrase
    note: 1 of 1 wanted images are complete
    error: couldn't use CHECKOUT/tests/data/tls/server.pem with CHECKOUT/tests/data/tls/authority.key: the key is not that of the certificate
    note: 1 of 1 wanted images are complete
    error: couldn't read absent.pem: No such file or directory (os error N)
    error: the following required arguments were not provided:
      --tls-key <FILE>
    error: couldn't read images: images/wanted.json cannot be read: EOF while parsing an object at line 1 column 1
    error: couldn't read images: images/unwanted.json cannot be read: invalid length 0, expected struct UnwantedImages with 2 elements at line 1 column 2
    ");
}
