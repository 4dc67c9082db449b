//! Every answer of every test against `/openapi.json`.

use std::sync::LazyLock;

use native_server::{ROUTES, document};
use protocol::problem::{MEDIA_TYPE, Problem, ProblemKind};
use serde_json::Value;

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap());

/// Fails when the answer is not one that the description allows.
#[track_caller]
pub fn check(method: &str, address: &str, answer: &Answer) {
    let path = address.split('?').next().unwrap();
    let Some((route, methods)) = ROUTES.iter().find(|(route, _)| fits(route, path)) else {
        return;
    };
    if !methods.split(", ").any(|known| known == method) {
        return;
    }
    let operation = &DOCUMENT["paths"][route][method.to_lowercase()];
    let response = &operation["responses"][answer.status.to_string()];
    assert!(
        response.is_object(),
        "{method} {route} is not described to answer {}",
        answer.status
    );
    let Some(media) = answer.headers.get("content-type") else {
        return;
    };
    let media = media.to_str().unwrap();
    let content = &response["content"][media];
    assert!(
        content.is_object(),
        "{method} {route} is not described to answer {} with {media}",
        answer.status
    );
    if media == MEDIA_TYPE {
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        let kind = problem.kind().map_or("unknown", ProblemKind::slug);
        let kinds = response["description"].as_str().unwrap();
        assert!(
            kinds.contains(&format!("`{kind}`")),
            "{method} {route} is not described to answer {kind}: {kinds}"
        );
    }
    if media.ends_with("json") && *route != "/openapi.json" {
        agrees(&content["schema"], &answer.json(), route);
    }
}

/// Whether a value has what its schema requires and nothing that it does not name, as deep as schemas go.
#[track_caller]
fn agrees(schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = DOCUMENT.pointer(reference.trim_start_matches('#'));
        return agrees(schema.expect(reference), value, place);
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        return values.iter().for_each(|value| agrees(items, value, place));
    }
    let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object())
    else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            members.contains_key(name.as_str().unwrap()),
            "{place}: {name} is described and not there: {value}"
        );
    }
    for (name, value) in members {
        let schema = properties.get(name);
        assert!(
            schema.is_some(),
            "{place}: {name} is there and not described"
        );
        agrees(schema.unwrap(), value, &format!("{place} {name}"));
    }
}

fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len()
        && route
            .iter()
            .zip(path)
            .all(|(part, found)| part.starts_with('{') || *part == found)
}
