//! `/v1/models`

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use protocol::{
    manifest::{Manifest, ModelList, ModelSummary},
    problem::ProblemKind,
};

use super::resource;
use crate::{
    engine::Engine,
    error::{ApiError, ApiResult},
    server::State,
};

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/models", "GET").route(web::get().to(list)))
        .service(resource("/models/{id}", "GET").route(web::get().to(one)));
}

/// The model called `id`.
pub fn find(state: &State, id: &str) -> ApiResult<Arc<dyn Engine>> {
    let model = state.models.get(id).cloned();
    model.ok_or_else(|| ApiError::new(ProblemKind::UnknownModel, format_args!("{id:.80?}")))
}

async fn list(state: web::Data<State>) -> HttpResponse {
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
            }
        })
        .collect();
    HttpResponse::Ok().json(ModelList { models })
}

async fn one(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let model = find(&state, &id)?;
    Ok(HttpResponse::Ok().json(current(&state, model.as_ref())))
}

// The manifest with the time that inferences took lately instead of the planned one.
fn current(state: &State, model: &dyn Engine) -> Manifest {
    let mut manifest = model.manifest().clone();
    if let Some(seconds) = state.jobs.seconds(&manifest.model) {
        manifest.expected_seconds = seconds;
    }
    manifest
}
