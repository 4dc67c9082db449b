//! `/openapi.json` describes every route and every problem, and nothing else. (Every other test holds the server's answers
//! against it too, see `common::description`.)

mod common;

use std::collections::BTreeSet;

use common::Site;
use native_server::{ROUTES, Settings};
use protocol::problem::{Problem, ProblemKind};
use serde_json::Value;

fn document() -> Value {
    let answer = Site::start(Settings::default()).get("/openapi.json");
    assert_eq!(answer.status, 200);
    answer.json()
}

fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (path.clone(), method.to_uppercase()))
    });
    operations.collect()
}

#[test]
fn routes_and_description_are_the_same() {
    let routes = ROUTES.iter().flat_map(|(path, methods)| {
        methods
            .split(", ")
            .map(|method| ((*path).to_owned(), method.to_owned()))
    });
    assert_eq!(operations(&document()), routes.collect());
}

#[test]
fn what_is_described_is_served() {
    let site = Site::start(Settings::default());
    for (path, method) in operations(&document()) {
        let path = path
            .replace("{part}", "0")
            .replace("{id}", &"0".repeat(32))
            .replace("{name}", "x");
        let answer = site.send(
            &method,
            &path,
            common::BINARY,
            if method == "GET" { b"" } else { b"x" },
        );
        if answer.status >= 400 {
            let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
            let unserved = [
                Some(ProblemKind::NotFound),
                Some(ProblemKind::MethodNotAllowed),
            ];
            assert!(!unserved.contains(&problem.kind()), "{method} {path}");
        }
    }
}

#[test]
fn every_kind_of_problem_is_the_answer_of_some_route() {
    let text = document()["paths"].to_string();
    for kind in ProblemKind::ALL {
        // These two are the answer where there is no route.
        let elsewhere = matches!(kind, ProblemKind::NotFound | ProblemKind::MethodNotAllowed);
        assert_eq!(
            text.contains(&format!("`{}`", kind.slug())),
            !elsewhere,
            "{}",
            kind.slug()
        );
    }
    let types = &document()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    assert_eq!(types.as_array().unwrap().len(), ProblemKind::ALL.len());
}

#[test]
fn every_parameter_says_what_it_is() {
    let document = document();
    let operations = document["paths"].as_object().unwrap().values();
    let parameters: Vec<_> = operations
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| operation["parameters"].as_array())
        .flatten()
        .collect();
    assert!(!parameters.is_empty());
    for parameter in parameters {
        assert!(parameter["schema"].is_object(), "{parameter}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn visit(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let target = document.pointer(reference.trim_start_matches('#'));
                    assert!(target.is_some(), "{reference}");
                }
                members.values().for_each(|value| visit(value, document));
            }
            Value::Array(values) => values.iter().for_each(|value| visit(value, document)),
            _ => {}
        }
    }
    let document = document();
    visit(&document, &document);
}
