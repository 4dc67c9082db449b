//! `/v1/key-sets`

use std::{str::FromStr, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use protocol::{
    hex::{Capability, Digest, Hex},
    limits,
    manifest::{KeySetStatus, NewKeySet},
    problem::{Problem, ProblemKind},
};

use super::{models, resource};
use crate::{
    body,
    error::{ApiError, ApiResult},
    key_set::{Complete, KeySet},
    server::State,
};

const CHECKSUM_HEADER: &str = "x-part-blake3";

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/key-sets", "POST").route(web::post().to(create)))
        .service(
            resource("/key-sets/{id}", "GET, DELETE")
                .route(web::get().to(status))
                .route(web::delete().to(remove)),
        )
        .service(
            resource("/key-sets/{id}/keys/{name}/parts/{part}", "PUT").route(web::put().to(upload)),
        );
}

async fn create(state: web::Data<State>, body: web::Json<NewKeySet>) -> ApiResult {
    let model = models::find(&state, &body.model)?;
    let present = model.manifest().configuration;
    if body.configuration != present {
        let detail = format_args!("the configuration is {present} now");
        return Err(ApiError::new(ProblemKind::RetiredConfiguration, detail));
    }
    let set = state.keys.create(model)?;
    let location = format!("/v1/key-sets/{}", set.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(describe(&set)))
}

async fn status(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let set = state.keys.get(capability(&id)?)?;
    Ok(HttpResponse::Ok().json(describe(&set)))
}

async fn remove(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let id = capability(&id)?;
    state.keys.remove(id)?;
    state.jobs.cancel_all_of(id);
    Ok(HttpResponse::NoContent().finish())
}

async fn upload(
    state: web::Data<State>,
    path: web::Path<(String, String, String)>,
    request: HttpRequest,
    mut payload: web::Payload,
) -> ApiResult {
    let outcome = store(&state, &path, &request, &mut payload).await;
    if outcome.is_err() {
        body::drain(&mut payload).await;
    }
    outcome
}

async fn store(
    state: &web::Data<State>,
    (id, name, part): &(String, String, String),
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> ApiResult {
    let set = state.keys.get(capability(id)?)?;
    let (key, size) = set
        .key(name)
        .ok_or_else(|| ApiError::new(ProblemKind::UnknownKey, format_args!("{name:.80?}")))?;
    let part: usize = part
        .parse()
        .map_err(|_| ApiError::new(ProblemKind::BadAddress, "the part is no decimal number"))?;
    let expected = limits::part_length(size, part).ok_or_else(|| {
        let count = limits::part_count(size);
        ApiError::new(
            ProblemKind::PartOutOfRange,
            format_args!("part {part} of {count}"),
        )
    })?;
    // Room is taken before the body is read, so that bodies in flight count too.
    let charge = state.keys.reserve(expected as u64)?;
    let bytes = body::read(request, payload, limits::PART_BYTES).await?;
    if bytes.len() != expected {
        let detail = format_args!("{} bytes came, {expected} make part {part}", bytes.len());
        return Err(ApiError::new(ProblemKind::PartLength, detail));
    }
    check_checksum(request, &bytes)?;
    if let Some(complete) = set.put(key, part, bytes, charge) {
        prepare(state, set, complete).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

async fn prepare(state: &web::Data<State>, set: Arc<KeySet>, complete: Complete) -> ApiResult<()> {
    let memory = match state
        .keys
        .reserve(set.engine.prepared_bytes(complete.key()))
    {
        Ok(memory) => memory,
        Err(problem) => {
            set.give_up(&complete);
            return Err(problem.into());
        }
    };
    let prepared = web::block(move || set.prepare(complete, memory)).await;
    prepared.map_err(|error| ApiError::new(ProblemKind::Internal, error))??;
    Ok(())
}

fn check_checksum(request: &HttpRequest, bytes: &Bytes) -> ApiResult<()> {
    let Some(announced) = request.headers().get(CHECKSUM_HEADER) else {
        return Ok(());
    };
    let announced = announced
        .to_str()
        .ok()
        .and_then(|text| Digest::from_str(text).ok());
    if announced == Some(Hex(*blake3::hash(bytes).as_bytes())) {
        return Ok(());
    }
    Err(ApiError::new(ProblemKind::PartChecksum, CHECKSUM_HEADER))
}

fn describe(set: &KeySet) -> KeySetStatus {
    let manifest = set.manifest();
    KeySetStatus {
        id: set.id,
        model: manifest.model.clone(),
        configuration: manifest.configuration,
        missing: set.missing(),
    }
}

/// Reads a capability out of an address.
pub fn capability(text: &str) -> Result<Capability, Problem> {
    Capability::from_str(text).map_err(|error| Problem::new(ProblemKind::BadAddress, error))
}
