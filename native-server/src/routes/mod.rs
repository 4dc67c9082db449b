//! The HTTP surface; `docs/protocol.md` is its description.

mod health;
mod inferences;
mod key_sets;
mod models;

use actix_web::{HttpRequest, Resource, web};

use crate::{error, headers};

/// Adds all routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::scope("/v1")
                .wrap(headers::api())
                .configure(models::configure)
                .configure(key_sets::configure)
                .configure(inferences::configure)
                .default_service(web::to(error::not_found)),
        )
        .configure(health::configure);
}

// A resource that answers other methods with a problem and the list of those it takes.
fn resource(path: &str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move |request: HttpRequest| async move {
        error::method_not_allowed(&request, allow)
    }))
}
