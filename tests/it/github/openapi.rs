//! GitHub's own description of its REST API, and whether what was asked and answered fits it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::clients;
use crate::fake::wire::Seen;

/// `@octokit/openapi`
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let file = clients::folder().join("node_modules/@octokit/openapi/generated/api.github.com.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
});

/// What the description knows of a request.
struct Operation {
    parameters: Vec<&'static Value>,
    value: &'static Value,
}

/// Holds requests and answers of the REST API to the description, and names the operations that were held.
pub(crate) fn hold(log: &[Seen]) -> BTreeSet<&'static str> {
    let rest = log.iter().filter_map(|seen| Some((seen, seen.target.strip_prefix("/api/v3")?)));
    rest.map(|(seen, target)| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let what = format!("{} {target} {}", seen.method, seen.status);
        let operation = operation(&seen.method, path).unwrap_or_else(|| panic!("GitHub has no {what}"));
        operation.holds_query(query, &what);
        operation.holds_body(&seen.body, &what);
        operation.holds_answer(seen, &what);
        operation.value["operationId"].as_str().unwrap()
    })
    .collect()
}

/// Of several paths that fit, the one with the fewest parameters.
fn operation(method: &str, path: &str) -> Option<Operation> {
    let paths = DESCRIPTION["paths"].as_object()?.iter();
    let fitting = paths.filter_map(|(template, methods)| {
        let value = methods.get(method.to_lowercase())?;
        let parameters: Vec<_> = value["parameters"].as_array().into_iter().flatten().map(resolved).collect();
        fits(template, path, &parameters)
            .then_some((template.matches('{').count(), Operation { parameters, value }))
    });
    fitting.min_by_key(|(count, _)| *count).map(|(_, operation)| operation)
}

/// A parameter stands for one segment, or for the whole rest where the description says so.
fn fits(template: &str, path: &str, parameters: &[&Value]) -> bool {
    let mut segments = path.split('/');
    for part in template.split('/') {
        let Some(segment) = segments.next() else { return false };
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let parameter =
            parameters.iter().find(|parameter| name.is_some_and(|name| parameter["name"] == name));
        match parameter {
            Some(parameter) if parameter["x-multi-segment"] == true => return true,
            Some(_) => {}
            None if part == segment => {}
            None => return false,
        }
    }
    segments.next().is_none()
}

impl Operation {
    fn holds_query(&self, query: &str, what: &str) {
        let known: BTreeMap<&str, &Value> = (self.parameters.iter())
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| (parameter["name"].as_str().unwrap(), *parameter))
            .collect();
        let sent: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for (name, value) in &sent {
            let parameter =
                known.get(name.as_str()).unwrap_or_else(|| panic!("{what}: GitHub knows no {name}"));
            let number = value.parse::<u64>().map(Value::from).ok();
            let value = number.filter(|_| parameter["schema"]["type"] == "integer").unwrap_or(json!(value));
            fit(&parameter["schema"], &value, &format!("{what}: {name}"));
        }
        let missing = known.iter().find(|(name, of)| of["required"] == true && !sent.contains_key(**name));
        assert!(missing.is_none(), "{what}: {missing:?} is required");
    }

    /// A field that GitHub does not know is one that it would leave out without a word.
    fn holds_body(&self, body: &[u8], what: &str) {
        let about = resolved(&self.value["requestBody"]);
        if body.is_empty() {
            assert!(about["required"] != true, "{what}: a body is required");
            return;
        }
        let schema = resolved(&about["content"]["application/json"]["schema"]);
        let body: Value = serde_json::from_slice(body).unwrap();
        fit(schema, &body, what);
        let unknown: Vec<&String> = body
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| schema["properties"].get(name).is_none())
            .collect();
        assert!(unknown.is_empty(), "{what}: GitHub knows no {unknown:?}");
    }

    /// What succeeds brings no field that GitHub does not know; errors say more than the description shows of them.
    fn holds_answer(&self, seen: &Seen, what: &str) {
        let about = self.value["responses"].get(seen.status.to_string()).map(resolved);
        // Whoever is not known, or may not see it, is told so everywhere. The description does not say so everywhere.
        let denied = [401, 403, 404].contains(&seen.status);
        assert!(about.is_some() || denied, "{what}: GitHub does not answer that");
        let schema = about.and_then(|about| about["content"].get("application/json")).map(|of| &of["schema"]);
        if seen.status >= 400 {
            let any = &DESCRIPTION["components"]["schemas"]["basic-error"];
            fit(schema.unwrap_or(any), &serde_json::from_slice(&seen.answer).unwrap(), what);
            return;
        }
        match schema.filter(|_| seen.media_type == "application/json") {
            Some(schema) => {
                let answer = serde_json::from_slice(&seen.answer).unwrap();
                fit(schema, &answer, what);
                let mut unknown = Vec::new();
                find_unknown(&[schema], &answer, "", &mut unknown);
                assert!(unknown.is_empty(), "{what}: GitHub knows no {unknown:#?}");
            }
            // The raw form of a file is described in words only.
            None => assert!(seen.answer.is_empty() || seen.media_type.ends_with("raw+json"), "{what}"),
        }
    }
}

/// What a reference leads to.
fn resolved(value: &'static Value) -> &'static Value {
    let reference = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    reference.map_or(value, |pointer| DESCRIPTION.pointer(pointer).expect("it describes what it refers to"))
}

#[track_caller]
fn fit(schema: &'static Value, value: &Value, what: &str) {
    let errors: Vec<String> = validator(schema)
        .iter_errors(value)
        .map(|error| format!("{}: {}", error.instance_path(), error.masked()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{value:#}");
}

/// Fields that no alternative of a schema names.
fn find_unknown(schemas: &[&'static Value], value: &Value, place: &str, unknown: &mut Vec<String>) {
    let mut all: Vec<&Value> = Vec::new();
    let mut next: Vec<&Value> = schemas.to_vec();
    while let Some(schema) = next.pop().map(resolved) {
        next.extend(["allOf", "anyOf", "oneOf"].iter().filter_map(|of| schema[*of].as_array()).flatten());
        all.push(schema);
    }
    let of = |name: &str| all.iter().filter_map(|schema| schema.get(name)).collect::<Vec<_>>();
    match value {
        Value::Array(entries) => {
            entries
                .iter()
                .for_each(|entry| find_unknown(&of("items"), entry, &format!("{place}[]"), unknown));
        }
        Value::Object(fields) if !of("properties").is_empty() => {
            for (name, field) in fields {
                let place = format!("{place}.{name}");
                let named: Vec<_> = of("properties").iter().filter_map(|known| known.get(name)).collect();
                match named.is_empty() {
                    true => unknown.push(place),
                    false => find_unknown(&named, field, &place, unknown),
                }
            }
        }
        _ => {}
    }
}

/// The schema with all that it refers to.
fn validator(schema: &'static Value) -> Validator {
    let mut schemas = Map::new();
    let schema = without_nullable(schema, &mut schemas);
    let whole = json!({"allOf": [schema], "components": {"schemas": schemas}});
    jsonschema::options().with_draft(Draft::Draft4).build(&whole).unwrap_or_else(|error| panic!("{error}"))
}

/// As JSON Schema: OpenAPI 3.0 has a word of its own for what may be null. Collects the schemas that are referred to.
fn without_nullable(schema: &'static Value, schemas: &mut Map<String, Value>) -> Value {
    match schema {
        Value::Array(all) => all.iter().map(|one| without_nullable(one, schemas)).collect(),
        Value::Object(fields) => {
            if let Some(name) =
                schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/schemas/"))
                && !schemas.contains_key(name)
            {
                schemas.insert(name.to_owned(), Value::Null);
                let referred = without_nullable(resolved(schema), schemas);
                schemas.insert(name.to_owned(), referred);
            }
            let others = fields.iter().filter(|(name, value)| *name != "nullable" || **value != json!(true));
            let read: Map<_, _> =
                others.map(|(name, value)| (name.clone(), without_nullable(value, schemas))).collect();
            if read.len() == fields.len() { read.into() } else { json!({"anyOf": [{"type": "null"}, read]}) }
        }
        plain => plain.clone(),
    }
}
