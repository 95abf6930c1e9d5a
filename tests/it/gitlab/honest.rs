//! The fake is honest: what it answers in the stories of a merge request fits GitLab's own schemas.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::fake::gitlab::FakeGitLab;
use crate::fake::wire::Seen;
use crate::hub::{self, Hub, PATH, SOURCE};
use crate::world::{AT_0_4_11, VALUES, World, values_at};

struct Folder;

impl Retrieve for Folder {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(schema(uri.path().as_str().trim_start_matches('/')))
    }
}

fn schema(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/gitlab-schemas");
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn validator(name: &str) -> Validator {
    let options = jsonschema::options().with_base_uri(format!("schema:///{name}")).with_retriever(Folder);
    options.build(&schema(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The schema of an answer, and where in the answer it applies; `None` for what has no schema (raw files, GraphQL,
/// projects, approvals).
fn held_to(seen: &Seen) -> Option<(&'static str, &'static str)> {
    let path = seen.target.split('?').next()?.strip_prefix("/api/v4/projects/")?.split_once('/')?.1;
    let list = seen.method == "GET";
    Some(match path.split('/').collect::<Vec<_>>().as_slice() {
        ["repository", "branches"] => ("public_api/v4/branches.json", ""),
        ["repository", "branches", _] if list => ("public_api/v4/branch.json", ""),
        ["repository", "commits"] => ("public_api/v4/commit/detail.json", ""),
        ["repository", "compare"] => ("public_api/v4/commit/basic.json", "/commits"),
        ["merge_requests"] if list => ("public_api/v4/merge_request.json", "each"),
        ["merge_requests"] | ["merge_requests", _] | ["merge_requests", _, "merge"] => {
            ("public_api/v4/merge_request.json", "")
        }
        ["milestones"] => ("public_api/v4/milestone.json", "each"),
        ["releases"] => ("public_api/v4/releases.json", ""),
        ["registry", "repositories"] => ("registry/repositories.json", ""),
        _ => return None,
    })
}

fn hold(log: &[Seen]) -> BTreeSet<&'static str> {
    let mut held = BTreeSet::new();
    for seen in log.iter().filter(|seen| seen.status < 300 && !seen.answer.is_empty()) {
        let Some((name, place)) = held_to(seen) else { continue };
        let answer: Value = serde_json::from_slice(&seen.answer).unwrap();
        let parts: Vec<&Value> = match place {
            "" => vec![&answer],
            "each" => answer.as_array().unwrap().iter().collect(),
            pointer => answer.pointer(pointer).unwrap().as_array().unwrap().iter().collect(),
        };
        let validator = validator(name);
        for part in parts {
            let errors: Vec<String> = validator
                .iter_errors(part)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{} {}: {errors:#?}\n{part:#}", seen.method, seen.target);
            held.insert(name);
        }
    }
    held
}

#[tokio::test]
async fn what_the_fake_answers_in_the_stories_fits_gitlabs_own_schemas() {
    let fake = FakeGitLab::start().await;
    {
        let mut state = fake.state();
        state.add_project(hub::PROJECT, PATH, &[(VALUES, AT_0_4_11.as_bytes())]);
        state.add_bot(hub::PROJECT, "project_42_bot", hub::TOKEN);
        state.add_user("alice");
        state.project(hub::PROJECT).protected[0].merge = 30;
        state.project(hub::PROJECT).milestones = vec!["1.5".to_owned()];
        let producer = state.add_project(7, "sylva/producer", &[("README.md", b"images\n")]);
        producer.registry.names = vec![String::new(), "ubuntu".to_owned()];
        let (tag, released_at) = ("0.4.12".to_owned(), "2026-05-04T03:02:01.000Z".to_owned());
        producer.releases.push(crate::fake::gitlab::Release {
            tag,
            description: "- more".to_owned(),
            released_at,
        });
    }
    let hub: Box<dyn Hub> = Box::new(fake);
    let world = World::on(hub).await;
    world.merge_request_settings("{milestone: '1.5', assignees: [alice], labels: [bot]}");
    let settled = world.run().await;
    assert_eq!(settled.exit, Some(0), "{settled:#?}");
    world.hub.pipeline(SOURCE, false);
    world.configure("[catalog]", "").merge_request_settings("{auto_merge: true}");
    world.run().await;
    world.configure("[catalog]", "").release(13).run().await;
    world.hub.commit("main", "By hand", &[(VALUES, values_at(13).as_bytes())]);
    world.run().await;
    let api = world.hub.config();
    for list in ["registry/repositories", "releases"] {
        let address = api.trim_start_matches("{url: \"").trim_end_matches("\"}");
        let url = format!("{address}/api/v4/projects/7/{list}");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        assert_eq!(client.get(url).send().await.unwrap().status(), 200, "{list}");
    }

    let held = hold(&world.hub.log());

    assert_eq!(held.len(), 8, "{held:#?}");
}
