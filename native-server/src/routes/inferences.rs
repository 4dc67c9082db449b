//! `/v1/inferences`

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use futures_util::stream;
use protocol::{
    container::{self, ObjectType},
    events::{Event, Progress},
    hex::Capability,
    manifest::NewInference,
    problem::{Problem, ProblemKind},
};
use serde::Deserialize;
use tokio::{sync::watch, time};

use super::{BINARY, key_sets::capability, resource};
use crate::{
    http::body,
    http::error::{ApiError, ApiResult},
    jobs::{Job, JobState, queued},
    keys::{KeySet, container_problem},
    server::State,
};

/// Progress comes between ciphertext operations, hundreds of times a second at its fastest; people read slower.
const PACE: Duration = Duration::from_millis(150);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/inferences").route(web::post().to(create)))
        .service(resource("/v1/inferences/{id}").route(web::delete().to(cancel)))
        .service(resource("/v1/inferences/{id}/events").route(web::get().to(events)))
        .service(resource("/v1/inferences/{id}/result").route(web::get().to(result)));
}

#[derive(Deserialize)]
pub(super) struct Selection {
    key_set: String,
}

/// Evaluates a model on an encrypted query
#[utoipa::path(post, path = "/v1/inferences", tag = "inferences",
    params(("key_set" = Capability, Query, description = "Id of a complete key set")),
    request_body(content = Vec<u8>, content_type = BINARY, description = "Query container"),
    responses((status = 202, description = "It waits or runs", body = NewInference, headers(("Location" = String)))),
)]
pub(super) async fn create(
    state: web::Data<State>,
    selection: web::Query<Selection>,
    request: HttpRequest,
    mut payload: web::Payload,
) -> ApiResult {
    let outcome = submit(&state, &selection, &request, &mut payload).await;
    body::drained(outcome, &mut payload).await
}

async fn submit(
    state: &web::Data<State>,
    selection: &Selection,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> ApiResult {
    let set = state.keys.get(capability(&selection.key_set)?)?;
    if let Some(problem) = set.incomplete() {
        return Err(problem.into());
    }
    let limit = usize::try_from(set.manifest().query.bytes).unwrap_or(usize::MAX);
    let body = body::read(request, payload, limit, &state.patience).await?;
    let checked = Arc::clone(&set);
    let query = web::block(move || check(&checked, &body)).await;
    let query = query.map_err(|error| ApiError::new(ProblemKind::Internal, error))??;
    let job = state.jobs.submit(set, query)?;
    let location = format!("/v1/inferences/{}", job.id);
    Ok(HttpResponse::Accepted()
        .insert_header((header::LOCATION, location))
        .json(NewInference { id: job.id }))
}

fn check(set: &KeySet, body: &Bytes) -> Result<Vec<u8>, Problem> {
    let digest = set.engine.parameter_digest();
    let payload =
        container::read(body, body.len(), ObjectType::Query, &digest).map_err(container_problem)?;
    set.engine.check_query(payload)?;
    Ok(payload.to_vec())
}

/// Cancels an inference, or drops its result
#[utoipa::path(delete, path = "/v1/inferences/{id}", tag = "inferences", params(("id" = Capability, Path)), responses(
    (status = 204, description = "A running evaluation stops within two seconds"),
))]
pub(super) async fn cancel(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    state.jobs.cancel(capability(&id)?)?;
    Ok(HttpResponse::NoContent().finish())
}

/// The encrypted answer
#[utoipa::path(get, path = "/v1/inferences/{id}/result", tag = "inferences", params(("id" = Capability, Path)), responses(
    (status = 200, description = "Result container", content_type = BINARY, body = [u8]),
    (status = 202, description = "It is not there yet", body = Progress),
))]
pub(super) async fn result(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let job = state.jobs.get(capability(&id)?)?;
    match job.state() {
        JobState::Done(bytes) => Ok(HttpResponse::Ok().content_type(BINARY).body(bytes)),
        JobState::Failed(problem) => Err(problem.into()),
        JobState::Cancelled => Err(ApiError::new(ProblemKind::Cancelled, "there is no result")),
        JobState::Waiting => Ok(HttpResponse::Accepted().json(position(&state, &job))),
        JobState::Running(progress) => Ok(HttpResponse::Accepted().json(progress)),
    }
}

/// How an inference goes on
///
/// Server-sent events `progress`, `done`, `failed` and `cancelled`; the first tells the present state, the stream ends after the
/// first that is not `progress`.
#[utoipa::path(get, path = "/v1/inferences/{id}/events", tag = "inferences", params(("id" = Capability, Path)), responses(
    (status = 200, description = "Events; the data of `progress` is a `Progress`", content_type = "text/event-stream", body = String),
))]
pub(super) async fn events(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let job = state.jobs.get(capability(&id)?)?;
    let watch = job.subscribe();
    let feed = Feed {
        state,
        job,
        watch,
        phase: Phase::First,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // Proxies would otherwise hold events back until a buffer is full.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(feed, |mut feed| async move {
            let text = feed.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(text)), feed))
        })))
}

struct Feed {
    state: web::Data<State>,
    job: Arc<Job>,
    watch: watch::Receiver<JobState>,
    phase: Phase,
}

enum Phase {
    First,
    Later,
    Over,
}

impl Feed {
    async fn next(&mut self) -> Option<String> {
        match self.phase {
            Phase::Over => return None,
            Phase::First => self.phase = Phase::Later,
            Phase::Later => {
                time::sleep(PACE).await;
                if time::timeout(HEARTBEAT, self.watch.changed())
                    .await
                    .is_err()
                {
                    return Some(": still here\n\n".to_owned());
                }
            }
        }
        let event = match &*self.watch.borrow_and_update() {
            JobState::Waiting => Event::Progress(position(&self.state, &self.job)),
            JobState::Running(progress) => Event::Progress(progress.clone()),
            JobState::Done(_) => Event::Done,
            JobState::Failed(problem) => Event::Failed(problem.clone()),
            JobState::Cancelled => Event::Cancelled,
        };
        if event.is_last() {
            self.phase = Phase::Over;
        }
        event.to_sse().ok()
    }
}

fn position(state: &State, job: &Job) -> Progress {
    let seconds = state
        .jobs
        .seconds(&job.model)
        .unwrap_or(job.expected_seconds);
    let expected = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    queued(state.jobs.ahead_of(job), expected)
}
