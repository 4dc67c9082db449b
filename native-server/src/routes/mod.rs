//! The HTTP surface; `docs/protocol.md` is its description.

mod health;
mod inferences;
mod key_sets;
mod metrics;
mod models;
mod openapi;

use actix_web::{HttpRequest, Resource, web};

use crate::http::{error, headers};

/// Every route with its methods. No other is served: [`resource`] takes the methods from here.
pub const ROUTES: &[(&str, &str)] = &[
    ("/v1/models", "GET"),
    ("/v1/models/{id}", "GET"),
    ("/v1/models/{id}/files/{name}", "GET"),
    ("/v1/key-sets", "POST"),
    ("/v1/key-sets/{id}", "GET, DELETE"),
    ("/v1/key-sets/{id}/keys/{name}/parts/{part}", "PUT"),
    ("/v1/inferences", "POST"),
    ("/v1/inferences/{id}", "DELETE"),
    ("/v1/inferences/{id}/events", "GET"),
    ("/v1/inferences/{id}/result", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
    ("/openapi.json", "GET"),
    (protocol::problem::DOCUMENT, "GET"),
];

/// Media type of containers, parts and files.
const BINARY: &str = "application/octet-stream";

const API: &str = "/v1";

/// Adds all routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::scope(API)
                .wrap(headers::api())
                .configure(models::configure)
                .configure(key_sets::configure)
                .configure(inferences::configure)
                .default_service(web::to(error::not_found)),
        )
        .configure(health::configure)
        .configure(metrics::configure)
        .configure(openapi::configure);
}

/// The description of all routes, generated from their handlers.
pub use openapi::document;

// A resource that answers other methods with a problem and the list of those it takes.
fn resource(path: &'static str) -> Resource {
    let allow = ROUTES
        .iter()
        .find(|(route, _)| *route == path)
        .map(|(_, methods)| *methods);
    let allow = allow.unwrap_or_else(|| unreachable!("{path} is not among the routes"));
    web::resource(path.strip_prefix(API).unwrap_or(path)).default_service(web::to(
        move |request: HttpRequest| async move { error::method_not_allowed(&request, allow) },
    ))
}
