//! Liveness, readiness and the explanation of errors.

use actix_web::{HttpResponse, web};
use protocol::problem::ProblemKind;

use super::resource;
use crate::{
    http::error::{ApiError, ApiResult},
    server::State,
};

const TEXT: &str = "text/plain; charset=utf-8";

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz").route(web::get().to(alive)))
        .service(resource("/readyz").route(web::get().to(ready)))
        .service(resource(protocol::problem::DOCUMENT).route(web::get().to(errors)));
}

/// Whether the server runs
#[utoipa::path(get, path = "/healthz", tag = "operation", responses(
    (status = 200, description = "It does", content_type = TEXT, body = String),
))]
pub(super) async fn alive() -> HttpResponse {
    ok()
}

/// Whether the server takes inferences
///
/// It answers nobody before the models are loaded, and says no while it shuts down.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "It does", content_type = TEXT, body = String),
))]
pub(super) async fn ready(state: web::Data<State>) -> ApiResult {
    if state.jobs.is_closing() {
        return Err(ApiError::new(
            ProblemKind::ShuttingDown,
            "no inference is begun any more",
        ));
    }
    Ok(ok())
}

/// The page that problem types point into
#[utoipa::path(get, path = "/docs/common-errors", tag = "operation", responses(
    (status = 200, description = "Markdown", content_type = TEXT, body = String),
))]
pub(super) async fn errors() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(TEXT)
        .body(include_str!("../../../docs/common-errors.md"))
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().content_type(TEXT).body("ok\n")
}
