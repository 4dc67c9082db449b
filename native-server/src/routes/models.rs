//! `/v1/models`

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ETag, EntityTag, Header, IfNoneMatch},
    web,
};
use protocol::{
    manifest::{FileEntry, Manifest, ModelList, ModelSummary},
    problem::ProblemKind,
};

use super::{BINARY, resource};
use crate::{
    engine::Engine,
    http::error::{ApiError, ApiResult},
    server::State,
};

/// Files besides those of the manifest: whoever wants to compare evaluates the model in the clear. The manifest's `weights`
/// is the digest of the first two.
const CLEAR_MODEL: [&str; 3] = ["config.json", "model.safetensors", "README.md"];

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/models").route(web::get().to(list)))
        .service(resource("/v1/models/{id}").route(web::get().to(one)))
        .service(resource("/v1/models/{id}/files/{name}").route(web::get().to(file)));
}

/// The model called `id`.
pub fn find(state: &State, id: &str) -> ApiResult<Arc<dyn Engine>> {
    let model = state.models.get(id).cloned();
    model.ok_or_else(|| ApiError::new(ProblemKind::UnknownModel, format_args!("{id:.80?}")))
}

/// The models of this server
#[utoipa::path(get, path = "/v1/models", tag = "models", responses(
    (status = 200, description = "All of them", body = ModelList),
))]
pub(super) async fn list(state: web::Data<State>) -> HttpResponse {
    let models = state
        .models
        .values()
        .map(|model| {
            let manifest = current(&state, model.as_ref());
            ModelSummary {
                id: manifest.model,
                task: manifest.task.kind(),
                parameters: manifest.parameters.name,
                evaluation_key_bytes: manifest.evaluation_key_bytes,
                expected_seconds: manifest.expected_seconds,
                accuracy: manifest.task.accuracy().cloned(),
            }
        })
        .collect();
    HttpResponse::Ok().json(ModelList { models })
}

/// What a client needs to know about a model
#[utoipa::path(get, path = "/v1/models/{id}", tag = "models", params(("id" = String, Path, description = "Name of the model")), responses(
    (status = 200, description = "The manifest", body = Manifest),
))]
pub(super) async fn one(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let model = find(&state, &id)?;
    Ok(HttpResponse::Ok().json(current(&state, model.as_ref())))
}

/// A file that the manifest names
#[utoipa::path(get, path = "/v1/models/{id}/files/{name}", tag = "models",
    params(
        ("id" = String, Path, description = "Name of the model"),
        ("name" = String, Path, description = "Name of the file in the manifest"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag` of the file at hand"),
    ),
    responses(
        (status = 200, description = "Its content", content_type = BINARY, body = [u8]),
        (status = 304, description = "The file at hand is the present one"),
    ),
)]
pub(super) async fn file(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> ApiResult {
    let (id, name) = &*path;
    let model = find(&state, id)?;
    let named = model.manifest().task.file(name);
    let offered = named.is_some() || CLEAR_MODEL.contains(&name.as_str());
    let content = model
        .file(name)
        .filter(|_| offered)
        .ok_or_else(|| ApiError::new(ProblemKind::UnknownFile, format_args!("{name:.80?}")))?;
    let digest = named.map_or_else(|| FileEntry::of(name, content).digest, |entry| entry.digest);
    let tag = EntityTag::new_strong(digest.to_string());
    let known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Ok(IfNoneMatch::Any) => true,
        Err(_) => false,
    };
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header(ETag(tag))
        // The address outlives its content when the model is replaced, so caches ask again.
        .insert_header((header::CACHE_CONTROL, "public, no-cache"));
    if known {
        return Ok(response.finish());
    }
    Ok(response
        .content_type(if name.ends_with(".md") {
            "text/plain; charset=utf-8"
        } else {
            BINARY
        })
        .body(content.to_vec()))
}

// The manifest with the time that inferences took lately instead of the planned one.
fn current(state: &State, model: &dyn Engine) -> Manifest {
    let mut manifest = model.manifest().clone();
    if let Some(seconds) = state.jobs.seconds(&manifest.model) {
        manifest.expected_seconds = seconds;
    }
    manifest
}
