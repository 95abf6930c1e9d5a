//! What another manager wrote without server-side apply, as if we had applied it: so the next apply takes it over, and
//! removes what it does not have. It is what `kubectl apply --server-side` does with objects of `kubectl apply`
//! (client-go, `util/csaupgrade`), which alone keeps kubectl's annotation: it goes on to need it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

const APPLY: &str = "Apply";
const UPDATE: &str = "Update";

/// The entries with what `from` wrote given to `to`; `None` where they wrote nothing.
pub(super) fn handed_over(
    entries: Vec<ManagedFieldsEntry>,
    from: &[String],
    to: &str,
) -> Option<Vec<ManagedFieldsEntry>> {
    let is_given = |entry: &ManagedFieldsEntry| {
        is(entry, UPDATE) && entry.manager.as_ref().is_some_and(|manager| from.contains(manager))
    };
    let (mut given, mut kept): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_given);
    if given.is_empty() {
        return None;
    }
    let own = kept.iter().position(|entry| is(entry, APPLY) && entry.manager.as_deref() == Some(to));
    let mut own = match own {
        Some(at) => kept.remove(at),
        None => {
            let first = given.remove(0);
            ManagedFieldsEntry { manager: Some(to.to_owned()), operation: Some(APPLY.to_owned()), ..first }
        }
    };
    for fields in given.into_iter().filter_map(|entry| entry.fields_v1) {
        match &mut own.fields_v1 {
            Some(all) => unite(&mut all.0, fields.0),
            none => *none = Some(fields),
        }
    }
    kept.push(own);
    Some(kept)
}

/// Whether it is of this operation, on the object itself.
fn is(entry: &ManagedFieldsEntry, operation: &str) -> bool {
    entry.operation.as_deref() == Some(operation) && entry.subresource.as_ref().is_none_or(String::is_empty)
}

/// Fields are mappings of names to what is below them.
fn unite(all: &mut Value, more: Value) {
    if let (Value::Object(all), Value::Object(more)) = (all, more) {
        for (name, below) in more {
            unite(all.entry(name).or_insert_with(|| Value::Object(serde_json::Map::new())), below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1;
    use serde_json::json;

    fn entry(manager: &str, operation: &str, fields: Value) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            operation: Some(operation.to_owned()),
            fields_v1: Some(FieldsV1(fields)),
            ..ManagedFieldsEntry::default()
        }
    }

    #[test]
    fn what_clients_wrote_becomes_ours_and_what_others_applied_stays_theirs() {
        let from = ["kubectl-client-side-apply", "kubectl-create"].map(str::to_owned);
        let helm = entry("helm", APPLY, json!({"f:data": {"f:notes": {}}}));
        let applied = entry("kubectl-create", APPLY, json!({"f:data": {"f:x": {}}}));
        let status = ManagedFieldsEntry {
            subresource: Some("status".to_owned()),
            ..entry("kubectl-create", UPDATE, json!({}))
        };
        let one = entry("kubectl-client-side-apply", UPDATE, json!({"f:data": {".": {}, "f:a": {}}}));
        let other = entry("kubectl-create", UPDATE, json!({"f:data": {"f:b": {}}, "f:metadata": {}}));
        let kept = [helm.clone(), applied.clone(), status.clone()];
        let both = json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:metadata": {}});

        let entries = [&kept[..], &[one.clone(), other.clone()]].concat();
        let expected = [&kept[..], &[entry("dibump", APPLY, both)]].concat();
        assert_eq!(handed_over(entries, &from, "dibump"), Some(expected));

        let ours = entry("dibump", APPLY, json!({"f:data": {"f:c": {}}}));
        let all = json!({"f:data": {".": {}, "f:a": {}, "f:c": {}}});
        let handed = handed_over(vec![ours.clone(), one, helm.clone()], &from, "dibump");
        assert_eq!(handed, Some(vec![helm.clone(), entry("dibump", APPLY, all)]));

        assert_eq!(handed_over(vec![helm, applied, status], &from, "dibump"), None);
        assert_eq!(handed_over(vec![], &from, "dibump"), None);
    }
}
