//! `/metrics`

use actix_web::{HttpResponse, web};
use protocol::problem::ProblemKind;

use super::resource;
use crate::{
    http::error::{ApiError, ApiResult},
    server::State,
    telemetry::MEDIA_TYPE,
};

/// Adds the route.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(resource("/metrics").route(web::get().to(metrics)));
}

/// Numbers for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "OpenMetrics text", content_type = MEDIA_TYPE, body = String),
))]
pub(super) async fn metrics(state: web::Data<State>) -> ApiResult {
    let text = state
        .metrics
        .encode(state.jobs.waiting(), state.keys.usage());
    let text = text.map_err(|error| ApiError::new(ProblemKind::Internal, error))?;
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).body(text))
}
