//! Binary request bodies, read under a limit and a time limit.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::header,
    web::{Bytes, BytesMut, Payload},
};
use futures_util::StreamExt;
use protocol::problem::ProblemKind;

use crate::{
    http::error::{ApiError, ApiResult},
    server::Patience,
};

// How much of a refused body is read so that the client gets to see the answer instead of a reset connection.
const DRAIN_BYTES: usize = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Reads a body of at most `limit` bytes; the buffer grows with what arrives, not with what is announced.
pub async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    patience: &Patience,
) -> ApiResult<Bytes> {
    check_type(request)?;
    if announced(request).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let mut body = BytesMut::new();
    let receive = async {
        let silent = |_| ApiError::new(ProblemKind::UploadInterrupted, "nothing came for a while");
        while let Some(chunk) = tokio::time::timeout(patience.silence, payload.next())
            .await
            .map_err(silent)?
        {
            let chunk =
                chunk.map_err(|error| ApiError::new(ProblemKind::UploadInterrupted, error))?;
            if body.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(patience.body, receive).await {
        Ok(done) => done?,
        Err(_) => {
            return Err(ApiError::new(
                ProblemKind::UploadInterrupted,
                "it took too long",
            ));
        }
    }
    Ok(body.freeze())
}

/// Reads on after a refusal, within bounds; hands the outcome through.
pub async fn drained(outcome: ApiResult, payload: &mut Payload) -> ApiResult {
    let interrupted = Some(ProblemKind::UploadInterrupted);
    if outcome
        .as_ref()
        .is_err_and(|error| error.0.kind() != interrupted)
    {
        // Whether the rest arrives is the client's affair.
        let _ = tokio::time::timeout(DRAIN_TIME, drain(payload)).await;
    }
    outcome
}

async fn drain(payload: &mut Payload) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(chunk)) = payload.next().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn check_type(request: &HttpRequest) -> ApiResult<()> {
    let found = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map(header::HeaderValue::as_bytes);
    if found == Some(b"application/octet-stream") {
        return Ok(());
    }
    Err(ApiError::new(
        ProblemKind::UnsupportedMediaType,
        "application/octet-stream is expected",
    ))
}

fn announced(request: &HttpRequest) -> Option<u64> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        ProblemKind::PayloadTooLarge,
        format_args!("at most {limit} bytes"),
    )
}
