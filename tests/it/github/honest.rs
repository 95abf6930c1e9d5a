//! The fake is honest: what it is asked and answers in the stories of a pull request fits GitHub's own description.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::apps::{app, installed};
use super::*;
use crate::clients;
use crate::fake::github::{Package, Token};
use crate::fake::wire::Seen;
use crate::hub::{self, Hub};
use crate::world::{self, AT_0_4_11, PREFIX, World, images, values_at};

/// A world whose GitHub knows people, a milestone and the producer's packages.
async fn arranged() -> World {
    let fake = FakeGitHub::start().await;
    {
        let mut state = fake.state();
        let project = state.add_project(PROJECT, PATH, &[(world::VALUES, AT_0_4_11.as_bytes())]);
        project.milestones = vec!["1.5".to_owned()];
        project.members.insert("alice".to_owned(), 3);
        state.add_bot(PROJECT, "sylva-bot", hub::TOKEN);
        let scopes = ["repo", "read:packages"];
        state.tokens.insert(hub::TOKEN.to_owned(), Token::classic("sylva-bot", &scopes));
        let (owner, path) = PREFIX.split_once('/').unwrap();
        state.add_user(owner);
        let package = |image: &crate::fake::oci::Image| Package {
            owner: owner.to_owned(),
            name: format!("{path}/{}", image.name),
        };
        state.packages =
            [images(11), images(12), images(13), images(14)].concat().iter().map(package).collect();
    }
    let hub: Box<dyn Hub> = Box::new(fake);
    World::on(hub).await
}

#[tokio::test]
async fn requests_and_answers_of_the_fake_fit_githubs_own_description() {
    let world = arranged().await;
    let online = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(online.exit, Some(0), "{online:#?}");
    world.merge_request_settings(
        "{milestone: '1.5', assignees: [alice], reviewers: [alice], labels: [bot images]}",
    );
    says(&world, "created").await;
    world.hub.pipeline(SOURCE, false);
    world.configure("[catalog]", "").merge_request_settings("{auto_merge: true}");
    says(&world, "updated").await;
    world.release(13).configure("[catalog]", "");
    says(&world, "updated").await;
    world.hub.commit("main", "By hand", &[(world::VALUES, values_at(13).as_bytes())]);
    says(&world, "closed").await;

    let producer = format!("    github: {{url: \"{}\"}}\n", address(&world));
    world.release(14).configure("[github]", &producer);
    says(&world, "created").await;

    let log = world.hub.log();
    let held = openapi::hold(&log);
    let queries = hold_to_the_schema(&log).await;

    assert_eq!(held.len(), 23, "{held:#?}");
    assert_eq!(queries.len(), 4, "{queries:#?}");
}

/// What no story of the program comes to: an App, the token of a job, reviews, and merging at once.
#[tokio::test]
async fn what_an_app_and_a_job_ask_fits_it_too() {
    let fake = installed().await;
    let app = client_of(&fake, app("Iv23liTest", None), PATH);
    let main = head(&mut fake.state(), "main");
    let ours = app.push(&commit(main, None)).await.unwrap();
    app.create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
    app.access(&branch(SOURCE)).await.unwrap();
    app.is_approved(1).await.unwrap();
    app.enable_auto_merge(1, &ours).await.unwrap();
    assert_eq!(fake.state().project(PROJECT).pull_request(1).state, "merged");
    fake.state().tokens.insert("ghs_job".to_owned(), Token::actions(PROJECT));
    client_of(&fake, Some(token(&fake, "ghs_job")), PATH).access(&branch(SOURCE)).await.unwrap();

    let log = fake.log();
    let held = openapi::hold(&log);
    let queries = hold_to_the_schema(&log).await;

    assert_eq!(held.len(), 13, "{held:#?}");
    assert_eq!(queries.len(), 4, "{queries:#?}");
}

/// GraphQL has a schema instead. Names the operations.
async fn hold_to_the_schema(log: &[Seen]) -> BTreeSet<&str> {
    let of_graphql = || log.iter().filter_map(|seen| Some((seen, seen.target.split_once("graphql#")?.1)));
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let asked = of_graphql().map(|(seen, _)| {
        let body = read(&seen.body);
        json!({"query": body["query"], "variables": body["variables"], "answer": read(&seen.answer)})
    });
    let asked = Value::Array(asked.collect()).to_string();
    clients::node(include_str!("../../clients/graphql.js"), &[&asked]).await;
    of_graphql().map(|(_, operation)| operation).collect()
}

async fn says(world: &World, outcome: &str) {
    crate::said::says(&world.run().await, outcome);
}

fn address(world: &World) -> String {
    let config = world.hub.config();
    config.split('"').nth(1).unwrap().to_owned()
}
