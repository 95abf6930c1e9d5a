//! Lists of charts, as RKE2 keeps them for each of its versions: `lists/<version>.yaml` of the folder, over HTTP.

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::extract::{Path as Asked, State};
use axum::http::StatusCode;

/// The units of sylva-core whose charts are RKE2's.
const UNITS: [(&str, &str); 3] =
    [("calico", "rke2-calico"), ("calico-crd", "rke2-calico-crd"), ("ingress-nginx", "rke2-ingress-nginx")];

/// A server of lists.
pub struct Lists {
    host: String,
}

impl Lists {
    /// Serves the lists of a folder; `None` where it has none.
    pub async fn start(folder: &Path) -> Option<Self> {
        let files = std::fs::read_dir(folder.join("lists")).ok()?.map(|file| file.unwrap().path());
        let list = |path: std::path::PathBuf| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
        };
        let lists: BTreeMap<String, Vec<u8>> = files.map(list).collect();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let answer = async |State(lists): State<BTreeMap<String, Vec<u8>>>, Asked(version): Asked<String>| {
            lists.get(&version).cloned().ok_or(StatusCode::NOT_FOUND)
        };
        let router = Router::new().route("/{version}", axum::routing::get(answer)).with_state(lists);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Some(Self { host })
    }

    /// Lines of a target, and those behind it, by which the charts of a file follow; those of an alias cannot.
    pub fn rules(&self, file: &str) -> String {
        let rule = |(unit, chart): &(&str, &str)| {
            format!(
                "      - url: 'http://{}/{{k8s_version}}'\n        find: {{filename: /charts/{chart}.yaml}}\n        \
                 take: version\n        to: units.{unit}.helm_chart_versions\n",
                self.host
            )
        };
        let rules: String = UNITS.iter().filter(|(unit, _)| has_map(file, unit)).map(rule).collect();
        match rules.is_empty() {
            true => String::new(),
            false => format!("    values_from:\n{rules}values_from_hosts: ['{}']\n", self.host),
        }
    }
}

/// Whether a unit has a map of versions that is no alias.
fn has_map(file: &str, unit: &str) -> bool {
    let head = format!("  {unit}:");
    let inside = file.lines().skip_while(|line| *line != head).skip(1);
    let mut inside = inside.take_while(|line| line.is_empty() || line.starts_with("    "));
    inside.any(|line| line.starts_with("    helm_chart_versions:") && !line.contains('*'))
}
