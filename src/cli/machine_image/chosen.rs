//! Which machines get an image, and what chooses it: the command line, or the values.

use std::sync::Arc;

use super::Args;
use crate::cli::Context;
use crate::cli::deployment::Deployment;
use crate::cli::failure::Failure;
use crate::cli::reached::fallback;
use crate::config::Config;
use crate::os_image::definition::{ImageChoice, Selector, Server};
use crate::os_image::machine::{ClusterMachines, Machines, machines, own_cluster};
use crate::os_image::{ImageOrigin, OsImage, Problem, Published};
use crate::release::ImageKey;
use crate::values::KeyPath;

/// What was chosen, and for which machines.
pub(super) struct Chosen {
    pub(super) machines: Option<String>,
    /// Where the values choose it.
    pub(super) at: Option<KeyPath>,
    pub(super) choice: ImageChoice,
    pub(super) cluster: Arc<ClusterMachines>,
    pub(super) server: Result<Option<Server>, Problem>,
}

/// The image of the command line, else that of each machine of the values.
pub(super) fn chosen(
    context: &Context,
    args: &Args,
    deployment: &Deployment,
) -> Result<Vec<Chosen>, Failure> {
    let outright = match (&args.key, args.selector.as_slice()) {
        (Some(key), _) => ImageChoice::Key(key.clone()),
        (None, []) => return of_values(context, args, deployment),
        (None, words) => ImageChoice::Selector(selector(words)?),
    };
    let (cluster, server) = own_cluster(deployment.rendered());
    Ok(vec![Chosen { machines: None, at: None, choice: outright, cluster, server }])
}

fn of_values(context: &Context, args: &Args, deployment: &Deployment) -> Result<Vec<Chosen>, Failure> {
    let refused = |problem: &Problem| deployment.refused(std::slice::from_ref(problem));
    let all = machines(deployment.rendered()).map_err(|problem| refused(&problem))?;
    if all.is_empty() {
        return Err(Failure::usage("name an image, a --selector, or values in which a cluster has one")
            .hint("dibump machine-image -f values.yaml, where cluster.capm3.os_image_key names an image"));
    }
    let names: Vec<String> = all.iter().map(|machines| machines.name.clone()).collect();
    let wanted: Vec<Machines> = all
        .into_iter()
        .filter(|machines| args.machines.as_ref().is_none_or(|name| *name == machines.name))
        .collect();
    if let (true, Some(name)) = (wanted.is_empty(), &args.machines) {
        let error = anyhow::anyhow!("the values have no machines `{name}` (they have {})", names.join(", "));
        return Err(Failure::person(error));
    }
    let mut chosen = Vec::new();
    for machines in wanted {
        if args.machines.is_none() && !machines.cluster.is_metal3() {
            let infrastructure = machines.cluster.infrastructure.clone().unwrap_or_default();
            context.note(&format!("{}: no Metal3 image (infra_provider: {infrastructure})", machines.name));
            continue;
        }
        match machines.choice.map_err(|problem| refused(&problem))? {
            Some((choice, at)) => chosen.push(Chosen {
                machines: Some(machines.name),
                at: Some(at),
                choice,
                cluster: machines.cluster,
                server: machines.server,
            }),
            None => {
                let what = format!("the values choose no image for `{}`", machines.name);
                let said = deployment.said(&machines.at, &what);
                match &args.machines {
                    Some(_) => return Err(Failure::person(anyhow::anyhow!(said))),
                    None => context.note(&said),
                }
            }
        }
    }
    Ok(chosen)
}

/// `NAME=REGEX`, several by commas.
fn selector(words: &[String]) -> Result<Selector, Failure> {
    let word = |word: &String| {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--selector {word}: expected NAME=REGEX, as in os=ubuntu,k8s-flavor=rke2"))
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.iter().map(word).collect()
}

/// The artifact that was named without any values.
pub(super) fn outright(args: &Args, config: Option<&Config>, chosen: &[Chosen]) -> Result<OsImage, Failure> {
    let [Chosen { choice: ImageChoice::Key(key), .. }] = chosen else {
        let hint = "dibump machine-image --selector os=ubuntu -f values.yaml";
        return Err(Failure::usage("a selector needs images to choose from").hint(hint));
    };
    let hint =
        "dibump machine-image KEY --registry oci://registry.example/path/diskimage-builder --tag 0.4.12";
    let (Some(prefix), Some(tag)) = (fallback(&args.deployment.reach, config)?, &args.tag) else {
        return Err(Failure::usage("an image without values needs --registry and --tag").hint(hint));
    };
    let image: ImageKey = key.parse().map_err(Failure::person)?;
    let published = Published {
        prefix,
        key: image,
        tag: tag.clone(),
        registries: Vec::new(),
        cosign_key: Ok(None),
        more: serde_json::Map::new(),
    };
    let origin = ImageOrigin::Published(published);
    Ok(OsImage { key: key.clone(), at: KeyPath(Vec::new()), origin, generation: None })
}
