//! What must be signed, and by which keys: the one rule, for every command.
//!
//! Keys that somebody configured win, and the values are then not read. Else a deployment that has a key checks
//! signatures by itself, unless it says that it does not. A key that cannot be read is an error, never "no key".

use super::{InvalidKey, Keys, PublicKey};
use crate::budget::Exceeded;
use crate::release::policy::Demand;
use crate::sylva::{COSIGN_KEY, REGISTRIES, SECURITY_KEY, SKIP_SIGNING_CHECK};
use crate::values::{KeyPath, Rendered, ValueError, WrongValue};

/// What is required of the signatures of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Each image must be signed by one of these keys.
    Required(Keys),
    /// The reader is told of each image that is not signed by one of these keys.
    Warned(Keys),
    /// Nothing is verified.
    NotRequired(Unverified),
}

/// Why nothing is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// A setting says so.
    Off,
    /// No key is known, and nothing asks for signatures.
    NoKey,
    /// No key is known, and warnings are asked for: the reader is told that.
    NoKeyToWarnBy,
    /// The releases come from a file, and no registry is asked.
    FromFile,
}

/// Why it cannot be said what is required. A person must act.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequirementError {
    /// A key, or a setting, cannot be read from the values.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A key is not a public key.
    #[error("`{at}`: not a public key: {error}")]
    Key {
        /// Where it stands.
        at: KeyPath,
        /// What is wrong with it.
        error: InvalidKey,
    },
    /// Signatures are required, and there is no key.
    #[error("signatures are required, and no public key is known")]
    NoKey,
    /// Deployments of the same images name different keys.
    #[error("the files name different public keys for the same images")]
    TwoKeys,
}

/// What the values of one deployment require of images of `registries` (paths of entries of
/// `os_images_oci_registries`, or of `os_images` that were rendered). `demand` is the setting `signatures:`.
///
/// # Errors
/// Required signatures without a key; a key or a setting that cannot be read, where it would count.
pub fn requirement(
    values: Rendered<'_>,
    registries: &[KeyPath],
    configured: Option<&Keys>,
    demand: Option<Demand>,
) -> Result<Requirement, RequirementError> {
    if let Some(settled) = settled(configured, demand) {
        return Ok(settled);
    }
    let demand = match demand {
        None if values.flag(&path(&SKIP_SIGNING_CHECK))? == Some(true) => Some(Demand::Warn),
        demand => demand,
    };
    match (keys(values, registries)?, demand) {
        (Some(keys), demand) => Ok(Requirement::by(keys, demand)),
        (None, Some(Demand::Required)) => Err(RequirementError::NoKey),
        (None, Some(Demand::Warn)) => Ok(Requirement::NotRequired(Unverified::NoKeyToWarnBy)),
        (None, _) => Ok(Requirement::NotRequired(Unverified::NoKey)),
    }
}

/// What settings alone decide, whatever the values say.
pub fn settled(configured: Option<&Keys>, demand: Option<Demand>) -> Option<Requirement> {
    match (demand, configured) {
        (Some(Demand::Off), _) => Some(Requirement::NotRequired(Unverified::Off)),
        (demand, Some(keys)) => Some(Requirement::by(keys.clone(), demand)),
        (_, None) => None,
    }
}

/// The paths of the values that the rule reads.
pub fn paths(registries: &[KeyPath]) -> Vec<KeyPath> {
    let keys = registries.iter().map(|registry| registry.below(&[COSIGN_KEY]));
    keys.chain([path(&SECURITY_KEY), path(&SKIP_SIGNING_CHECK)]).collect()
}

/// The path of an entry of `os_images_oci_registries`.
pub fn registry_path(name: &str) -> KeyPath {
    path(&[REGISTRIES, name])
}

/// The key of each registry, else that of all OS images.
fn keys(values: Rendered<'_>, registries: &[KeyPath]) -> Result<Option<Keys>, RequirementError> {
    let of_all = || key(values, &path(&SECURITY_KEY));
    if registries.is_empty() {
        return Ok(Keys::new(of_all()?));
    }
    let mut keys = Vec::new();
    for registry in registries {
        let own = key(values, &registry.below(&[COSIGN_KEY]))?;
        keys.extend(if own.is_some() { own } else { of_all()? });
    }
    Ok(Keys::new(keys))
}

fn key(values: Rendered<'_>, at: &KeyPath) -> Result<Option<PublicKey>, RequirementError> {
    let Some(text) = values.text(at)?.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let invalid = |error| RequirementError::Key { at: at.clone(), error };
    PublicKey::from_pem(&text).map(Some).map_err(invalid)
}

fn path(keys: &[&str]) -> KeyPath {
    KeyPath::default().below(keys)
}

impl Requirement {
    fn by(keys: Keys, demand: Option<Demand>) -> Self {
        if demand == Some(Demand::Warn) { Self::Warned(keys) } else { Self::Required(keys) }
    }

    /// The keys that count; none where nothing is verified.
    pub fn keys(&self) -> Option<&Keys> {
        match self {
            Self::Required(keys) | Self::Warned(keys) => Some(keys),
            Self::NotRequired(_) => None,
        }
    }

    /// What several deployments of the same images require together: what the strictest of them does.
    ///
    /// # Errors
    /// They name different keys.
    pub fn and(self, other: Self) -> Result<Self, RequirementError> {
        match (self.keys(), other.keys()) {
            (Some(ours), Some(theirs)) if ours != theirs => Err(RequirementError::TwoKeys),
            _ => Ok(if self.strictness() >= other.strictness() { self } else { other }),
        }
    }

    fn strictness(&self) -> u8 {
        match self {
            Self::Required(_) => 4,
            Self::Warned(_) => 3,
            Self::NotRequired(Unverified::NoKeyToWarnBy) => 2,
            Self::NotRequired(Unverified::NoKey) => 1,
            Self::NotRequired(Unverified::Off | Unverified::FromFile) => 0,
        }
    }
}

impl Unverified {
    /// What a reader should know, where anybody might expect signatures to be verified.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::NoKey | Self::NoKeyToWarnBy => Some("no public key is known"),
            Self::FromFile => Some("the releases come from a file"),
        }
    }
}

impl RequirementError {
    /// The path of the values that is to blame.
    pub fn at(&self) -> KeyPath {
        match self {
            Self::Value(ValueError { at, .. }) | Self::Key { at, .. } => at.clone(),
            Self::NoKey | Self::TwoKeys => path(&SECURITY_KEY),
        }
    }

    /// What a template is too large in, if that is why.
    pub fn exceeded(&self) -> Option<&Exceeded> {
        match self {
            Self::Value(ValueError { wrong, .. }) => wrong.exceeded(),
            _ => None,
        }
    }

    /// Whether a template names a value that none of the files has.
    pub fn lacks_a_value(&self) -> bool {
        use crate::template::TemplateError::Missing;
        matches!(self, Self::Value(ValueError { wrong: WrongValue::Template(Missing(_)), .. }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::budget::Budget;

    fn requirement(
        values: &Value,
        registries: &[KeyPath],
        configured: Option<&Keys>,
        demand: Option<Demand>,
    ) -> Result<Requirement, RequirementError> {
        super::requirement(Rendered::new(values, &Budget::default()), registries, configured, demand)
    }

    const PEM: &str = include_str!("../../tests/data/cosign.pub");
    const OTHER: &str = include_str!("../../tests/data/github/test-app.public.pem");

    fn key() -> Keys {
        Keys::new([PublicKey::from_pem(PEM).unwrap()]).unwrap()
    }

    /// The forms in which values may have the key of a registry.
    fn forms() -> [(&'static str, Value); 9] {
        let by = |text: Value| json!({"os_images_oci_registries": {"sylva": {"cosign_publickey": text}}});
        let with = |mut values: Value, more: Value| {
            values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            values
        };
        let security = |text: &str| json!({"security": {"os_images": {"cosign_public_key": text}}});
        let one = by(json!("{{ .Values.security.os_images.cosign_public_key }}"));
        let twice = json!({"security": {
            "os_images": {"cosign_public_key": "{{ .Values.security.default_cosign_public_key }}"},
            "default_cosign_public_key": PEM
        }});
        [
            ("literal", by(json!(PEM))),
            ("one template", with(one.clone(), security(PEM))),
            ("two templates", with(one, twice)),
            ("unrenderable", by(json!("{{ .Values.security.lost }}"))),
            ("typo", by(json!(PEM.replace("MFk", "MFx")))),
            ("number", by(json!(8))),
            ("empty", by(json!(""))),
            ("null", by(Value::Null)),
            ("missing", json!({})),
        ]
    }

    fn word(result: &Result<Requirement, RequirementError>) -> &'static str {
        match result {
            Ok(Requirement::Required(keys)) if *keys == key() => "required",
            Ok(Requirement::Warned(keys)) if *keys == key() => "warned",
            Ok(Requirement::Required(_) | Requirement::Warned(_)) => "another key",
            Ok(Requirement::NotRequired(Unverified::NoKeyToWarnBy)) => "warned: no key",
            Ok(Requirement::NotRequired(Unverified::NoKey)) => "not required: no key",
            Ok(Requirement::NotRequired(_)) => "off",
            Err(RequirementError::NoKey) => "error: no key",
            Err(_) => "error",
        }
    }

    fn expected(form: &str, demand: Option<Demand>, skips: bool, configured: bool) -> &'static str {
        let demand = match demand {
            Some(Demand::Off) => return "off",
            None if skips && !configured => Some(Demand::Warn),
            demand => demand,
        };
        let has_key = configured || matches!(form, "literal" | "one template" | "two templates");
        let is_broken = !configured && matches!(form, "unrenderable" | "typo" | "number");
        match demand {
            _ if is_broken => "error",
            Some(Demand::Warn) if has_key => "warned",
            _ if has_key => "required",
            Some(Demand::Required) => "error: no key",
            Some(Demand::Warn) => "warned: no key",
            _ => "not required: no key",
        }
    }

    #[test]
    fn every_form_of_a_key_has_one_verdict_under_every_setting() {
        let registries = [registry_path("sylva")];
        let demands = [Some(Demand::Required), Some(Demand::Warn), Some(Demand::Off), None];
        let mut rows = 0;
        for (form, values) in forms() {
            for demand in demands {
                for skip in [Value::Null, json!(true), json!("true"), json!("{{ true }}"), json!(false)] {
                    for configured in [None, Some(key())] {
                        let mut values = values.clone();
                        let security = &mut values["security"];
                        security["os_images"]["skip_signing_check"] = skip.clone();
                        let found = requirement(&values, &registries, configured.as_ref(), demand);
                        let skips = !matches!(skip, Value::Null | Value::Bool(false));
                        let wanted = expected(form, demand, skips, configured.is_some());
                        let row = format!("{form}, {demand:?}, skip {skip}, {}", configured.is_some());
                        assert_eq!(word(&found), wanted, "{row}: {found:?}");
                        rows += 1;
                    }
                }
            }
        }
        assert_eq!(rows, 9 * 4 * 5 * 2);
    }

    #[test]
    fn an_empty_key_of_a_registry_leaves_it_to_that_of_all_images() {
        let values = |text: Value| {
            json!({
                "os_images_oci_registries": {"sylva": {"cosign_publickey": text}, "kiwi": {"cosign_publickey": OTHER}},
                "security": {"os_images": {"cosign_public_key": PEM}}
            })
        };
        for empty in
            [Value::Null, json!(""), json!(" \n"), json!("{{ .Values.security.none | default \"\" }}")]
        {
            let found = requirement(&values(empty), &[registry_path("sylva")], None, None);
            assert_eq!(found, Ok(Requirement::Required(key())));
        }
        let other = requirement(&values(json!(PEM)), &[registry_path("kiwi")], None, None);
        assert!(matches!(other, Err(RequirementError::Key { .. })), "an RSA key: {other:?}");
    }

    #[test]
    fn an_error_names_the_value_that_is_to_blame() {
        let values = json!({
            "os_images_oci_registries": {"sylva": {"cosign_publickey": "{{ .Values.security.key }}"}},
            "security": {"key": "{{ .Values.security.lost }}", "os_images": {"skip_signing_check": "maybe"}}
        });
        let found = requirement(&values, &[registry_path("sylva")], None, Some(Demand::Warn)).unwrap_err();
        assert_eq!(
            found.to_string(),
            "`security.key`: `.Values.security.lost` has no value; set it in the values file"
        );
        assert!(found.lacks_a_value());
        let found = requirement(&values, &[registry_path("sylva")], None, None).unwrap_err();
        assert_eq!(
            found.to_string(),
            "`security.os_images.skip_signing_check`: is text (expected true or false)"
        );
    }

    #[test]
    fn the_strictest_deployment_decides() {
        let not = |why| Requirement::NotRequired(why);
        let table = [
            (Requirement::Required(key()), Requirement::Warned(key()), Requirement::Required(key())),
            (not(Unverified::NoKey), Requirement::Warned(key()), Requirement::Warned(key())),
            (not(Unverified::NoKey), not(Unverified::NoKeyToWarnBy), not(Unverified::NoKeyToWarnBy)),
        ];
        for (one, other, together) in table {
            assert_eq!(one.clone().and(other.clone()), Ok(together.clone()));
            assert_eq!(other.and(one), Ok(together));
        }
    }
}
