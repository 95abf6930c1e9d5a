//! Signatures of images: vectors that others made, forgeries of our own, and what no change of a byte may do.

mod attacks;
mod identity;
mod properties;
mod signer;
mod synthetic;
mod table;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use dibump::signature::{Keys, PublicKey, Rejection, Verdict, Verified};
use serde::de::DeserializeOwned;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn keys(pems: &[&str]) -> Keys {
    Keys::new(pems.iter().map(|pem| PublicKey::from_pem(pem).unwrap())).unwrap()
}

fn verified(verdict: Verdict) -> Verified {
    match verdict {
        Verdict::Verified(verified) => verified,
        other => panic!("{other:?}"),
    }
}

fn rejections(verdict: Verdict) -> Vec<Rejection> {
    match verdict {
        Verdict::Bad(rejections) => rejections,
        other => panic!("{other:?}"),
    }
}
