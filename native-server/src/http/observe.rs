//! Every request is counted and, on the level `debug`, logged: method, route, status, time; never its path, which holds
//! capabilities, nor its address, which is a person's.

use std::time::Instant;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
    web,
};
use protocol::problem::ProblemKind;

use crate::{routes::ROUTES, server::State};

/// Route of everything that is no route of the API: the page's files, and what does not exist.
const OTHER: &str = "other";

/// Counts and logs.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let start = Instant::now();
    let state = request.app_data::<web::Data<State>>().cloned();
    let method = method(request.method());
    let response = next.call(request).await?;
    let pattern = response.request().match_pattern();
    let known = ROUTES
        .iter()
        .map(|(route, _)| *route)
        .find(|route| pattern.as_deref() == Some(*route));
    let (route, status) = (known.unwrap_or(OTHER), response.status());
    let problem = response
        .response()
        .extensions()
        .get::<ProblemKind>()
        .copied();
    if let Some(state) = state {
        state
            .metrics
            .request(method, route, status.as_u16(), problem);
    }
    let (ms, status, problem) = (
        start.elapsed().as_millis() as u64,
        status.as_u16(),
        problem.map_or("", ProblemKind::slug),
    );
    if status >= StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
        tracing::warn!(method, route, status, problem, ms, "request");
    } else {
        tracing::debug!(method, route, status, problem, ms, "request");
    }
    Ok(response)
}

// Methods are free text: a label for each would let anyone fill the memory.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
