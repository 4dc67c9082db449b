//! `/openapi.json`: the routes as their handlers describe them, and which problems each may answer.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{HttpResponse, web};
use protocol::{
    events::Progress,
    problem::{DOCUMENT, MEDIA_TYPE, Problem, ProblemKind},
};
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        path::{Operation, PathItem},
        schema::{Object, ObjectBuilder, Schema, Type},
    },
};

use super::{health, inferences, key_sets, metrics, models, resource};
use crate::http::error::{ApiError, ApiResult};

use ProblemKind as Kind;

static TEXT: LazyLock<Result<String, serde_json::Error>> = LazyLock::new(|| document().to_json());

/// Adds the route.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(resource("/openapi.json").route(web::get().to(this)));
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cipherformer",
        description = "Inference on ciphertexts. docs/protocol.md has the meaning of it all."
    ),
    paths(
        models::list,
        models::one,
        models::file,
        key_sets::create,
        key_sets::status,
        key_sets::remove,
        key_sets::upload,
        inferences::create,
        inferences::cancel,
        inferences::events,
        inferences::result,
        health::alive,
        health::ready,
        health::errors,
        metrics::metrics,
        this,
    ),
    components(schemas(Problem, Progress))
)]
struct Description;

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses(
    (status = 200, description = "OpenAPI", content_type = "application/json", body = Object),
))]
pub(super) async fn this() -> ApiResult {
    let text = TEXT
        .as_ref()
        .map_err(|error| ApiError::new(Kind::Internal, error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(text.as_str()))
}

/// What every address under a limit may answer.
const ANYWHERE: &[Kind] = &[Kind::RateLimited, Kind::Internal];

/// What a binary body may be refused for.
const BODY: &[Kind] = &[
    Kind::UnsupportedMediaType,
    Kind::PayloadTooLarge,
    Kind::UploadInterrupted,
    Kind::BadContainer,
    Kind::WrongParameters,
];

/// What naming a key set may be refused for.
const KEY_SET: &[Kind] = &[
    Kind::BadAddress,
    Kind::UnknownKeySet,
    Kind::RetiredConfiguration,
];

/// What the store under the keys may fail at.
const STORE: &[Kind] = &[Kind::KeyStoreFull, Kind::DiskFull, Kind::StorageFailed];

/// The problems of each operation; `tests/openapi.rs` and every other test of the server hold answers against it.
fn problems(method: &str, path: &str) -> Vec<Kind> {
    let own: &[&[Kind]] = match (method, path) {
        ("get", "/v1/models/{id}") => &[&[Kind::UnknownModel, Kind::BadAddress]],
        ("get", "/v1/models/{id}/files/{name}") => {
            &[&[Kind::UnknownModel, Kind::UnknownFile, Kind::BadAddress]]
        }
        ("post", "/v1/key-sets") => &[
            &[
                Kind::BadJson,
                Kind::UnsupportedMediaType,
                Kind::PayloadTooLarge,
                Kind::UnknownModel,
                Kind::RetiredConfiguration,
            ],
            STORE,
        ],
        ("get", "/v1/key-sets/{id}") => &[KEY_SET],
        ("delete", "/v1/key-sets/{id}") => &[&[
            Kind::BadAddress,
            Kind::UnknownKeySet,
            Kind::DiskFull,
            Kind::StorageFailed,
        ]],
        ("put", "/v1/key-sets/{id}/keys/{name}/parts/{part}") => &[
            KEY_SET,
            BODY,
            STORE,
            &[
                Kind::UnknownKey,
                Kind::PartOutOfRange,
                Kind::PartLength,
                Kind::PartChecksum,
            ],
        ],
        ("post", "/v1/inferences") => &[
            KEY_SET,
            BODY,
            &[Kind::MissingKeys, Kind::QueueFull, Kind::ShuttingDown],
        ],
        ("get", "/v1/inferences/{id}/result") => &[
            &[
                Kind::BadAddress,
                Kind::UnknownInference,
                Kind::Cancelled,
                Kind::EvaluationFailed,
                Kind::TimeLimit,
            ],
            // Keys may have to come back from the store.
            &[
                Kind::MissingKeys,
                Kind::KeyStoreFull,
                Kind::DiskFull,
                Kind::StorageFailed,
            ],
        ],
        (_, "/v1/inferences/{id}" | "/v1/inferences/{id}/events") => {
            &[&[Kind::BadAddress, Kind::UnknownInference]]
        }
        (_, "/readyz") => &[&[Kind::ShuttingDown]],
        _ => &[],
    };
    [&own.concat(), ANYWHERE].concat()
}

/// The description of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Description::openapi();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            for (status, response) in responses(&problems(method, path)) {
                operation
                    .responses
                    .responses
                    .insert(status, RefOr::T(response));
            }
        }
    }
    if let Some(components) = &mut document.components
        && let Some(RefOr::T(Schema::Object(problem))) = components.schemas.get_mut("Problem")
    {
        problem
            .properties
            .insert("type".to_owned(), RefOr::T(Schema::Object(addresses())));
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let methods = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("delete", &mut item.delete),
    ];
    methods
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn responses(kinds: &[Kind]) -> BTreeMap<String, Response> {
    let mut slugs = BTreeMap::<_, Vec<_>>::new();
    for kind in kinds {
        slugs
            .entry(kind.status().to_string())
            .or_default()
            .push(format!("`{}`", kind.slug()));
    }
    let content = || {
        ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build()
    };
    let response = |slugs: Vec<_>| {
        ResponseBuilder::new()
            .description(slugs.join(", "))
            .content(MEDIA_TYPE, content())
            .build()
    };
    slugs
        .into_iter()
        .map(|(status, slugs)| (status, response(slugs)))
        .collect()
}

fn addresses() -> Object {
    let kinds = Kind::ALL
        .iter()
        .map(|kind| format!("{DOCUMENT}#{}", kind.slug()));
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(kinds))
        .build()
}
