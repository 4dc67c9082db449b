//! Liveness, readiness and the explanation of errors.

use actix_web::{HttpResponse, web};

use super::resource;

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz", "GET").route(web::get().to(ok)))
        // The listener opens after the models are loaded, so whoever is answered finds them ready.
        .service(resource("/readyz", "GET").route(web::get().to(ok)))
        .service(resource(protocol::problem::DOCUMENT, "GET").route(web::get().to(errors)));
}

async fn ok() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

async fn errors() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(include_str!("../../../docs/common-errors.md"))
}
