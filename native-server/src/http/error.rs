//! Every refusal as `application/problem+json`, those of actix-web's own extractors included.

use std::{fmt, num::NonZeroU16};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    error::{JsonPayloadError, PathError, QueryPayloadError},
    http::{StatusCode, header},
    web,
};
use protocol::{
    limits,
    problem::{MEDIA_TYPE, Problem, ProblemKind},
};

/// Seconds after which a client that was turned away for lack of room may ask again, where nothing better is known.
const RETRY_AFTER: u16 = 15;

/// A [`Problem`] as an actix-web error.
#[derive(Debug)]
pub struct ApiError(pub Problem);

/// What handlers return.
pub type ApiResult<T = HttpResponse> = Result<T, ApiError>;

impl ApiError {
    /// An occurrence of `kind`.
    pub fn new(kind: ProblemKind, detail: impl fmt::Display) -> Self {
        Self(Problem::new(kind, detail))
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        let passing = matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        if passing {
            let seconds = self.0.retry_after.map_or(RETRY_AFTER, NonZeroU16::get);
            response.insert_header((header::RETRY_AFTER, header::HeaderValue::from(seconds)));
        }
        if let Some(kind) = self.0.kind() {
            // For whoever counts.
            response.extensions_mut().insert(kind);
        }
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        response.content_type(MEDIA_TYPE).body(body)
    }
}

/// Limit and error of JSON bodies.
pub fn json_config() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(limits::JSON_BYTES)
        .error_handler(|error, _| {
            let kind = match error {
                JsonPayloadError::OverflowKnownLength { .. }
                | JsonPayloadError::Overflow { .. } => ProblemKind::PayloadTooLarge,
                JsonPayloadError::ContentType => ProblemKind::UnsupportedMediaType,
                _ => ProblemKind::BadJson,
            };
            ApiError::new(kind, error).into()
        })
}

/// Error of path segments.
pub fn path_config() -> web::PathConfig {
    web::PathConfig::default()
        .error_handler(|error: PathError, _| ApiError::new(ProblemKind::BadAddress, error).into())
}

/// Error of query strings.
pub fn query_config() -> web::QueryConfig {
    web::QueryConfig::default().error_handler(|error: QueryPayloadError, _| {
        ApiError::new(ProblemKind::BadAddress, error).into()
    })
}

/// Answer to addresses that are no route.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    ApiError::new(ProblemKind::NotFound, request.path()).error_response()
}

/// Answer to a method that a route does not take.
pub fn method_not_allowed(request: &HttpRequest, allow: &'static str) -> HttpResponse {
    let detail = format_args!("{} {}; allowed: {allow}", request.method(), request.path());
    let error = ApiError::new(ProblemKind::MethodNotAllowed, detail);
    let mut response = error.error_response();
    response
        .headers_mut()
        .insert(header::ALLOW, header::HeaderValue::from_static(allow));
    response
}
