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
    manifest::NewInference,
    problem::{Problem, ProblemKind},
};
use serde::Deserialize;
use tokio::{sync::watch, time};

use super::{key_sets::capability, resource};
use crate::{
    body,
    error::{ApiError, ApiResult},
    job::{Job, JobState, queued},
    key_set::{KeySet, container_problem},
    server::State,
};

/// Progress comes between ciphertext operations, hundreds of times a second at its fastest; people read slower.
const PACE: Duration = Duration::from_millis(150);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/inferences", "POST").route(web::post().to(create)))
        .service(resource("/inferences/{id}", "DELETE").route(web::delete().to(cancel)))
        .service(resource("/inferences/{id}/events", "GET").route(web::get().to(events)))
        .service(resource("/inferences/{id}/result", "GET").route(web::get().to(result)));
}

#[derive(Deserialize)]
struct Selection {
    key_set: String,
}

async fn create(
    state: web::Data<State>,
    selection: web::Query<Selection>,
    request: HttpRequest,
    mut payload: web::Payload,
) -> ApiResult {
    let outcome = submit(&state, &selection, &request, &mut payload).await;
    if outcome.is_err() {
        body::drain(&mut payload).await;
    }
    outcome
}

async fn submit(
    state: &web::Data<State>,
    selection: &Selection,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> ApiResult {
    let set = state.keys.get(capability(&selection.key_set)?)?;
    let missing = set.missing();
    if !missing.is_empty() {
        let detail = format_args!(
            "{} of {} keys are missing",
            missing.len(),
            set.manifest().keys.len()
        );
        let problem = Problem::new(ProblemKind::MissingKeys, detail);
        let missing = missing.into_boxed_slice();
        return Err(ApiError(Problem { missing, ..problem }));
    }
    let limit = usize::try_from(set.manifest().query.bytes).unwrap_or(usize::MAX);
    let body = body::read(request, payload, limit).await?;
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

async fn cancel(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    state.jobs.cancel(capability(&id)?)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn result(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let job = state.jobs.get(capability(&id)?)?;
    match job.state() {
        JobState::Done(bytes) => Ok(HttpResponse::Ok()
            .content_type("application/octet-stream")
            .body(bytes)),
        JobState::Failed(problem) => Err(problem.into()),
        JobState::Cancelled => Err(ApiError::new(ProblemKind::Cancelled, job.id)),
        JobState::Waiting => Ok(HttpResponse::Accepted().json(position(&state, &job))),
        JobState::Running(progress) => Ok(HttpResponse::Accepted().json(progress)),
    }
}

async fn events(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
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
    queued(state.jobs.ahead_of(job.id), expected)
}
