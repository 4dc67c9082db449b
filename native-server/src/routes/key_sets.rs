//! `/v1/key-sets`

use std::str::FromStr;

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

use super::{BINARY, models, resource};
use crate::{
    http::body,
    http::error::{ApiError, ApiResult},
    keys::KeySet,
    server::State,
};

const CHECKSUM_HEADER: &str = "x-part-blake3";

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/key-sets").route(web::post().to(create)))
        .service(
            resource("/v1/key-sets/{id}")
                .route(web::get().to(status))
                .route(web::delete().to(remove)),
        )
        .service(
            resource("/v1/key-sets/{id}/keys/{name}/parts/{part}").route(web::put().to(upload)),
        );
}

/// Makes an empty key set
#[utoipa::path(post, path = "/v1/key-sets", tag = "key sets", request_body = NewKeySet, responses(
    (status = 201, description = "Its keys are to be uploaded", body = KeySetStatus, headers(("Location" = String))),
))]
pub(super) async fn create(
    state: web::Data<State>,
    request: HttpRequest,
    body: web::Json<NewKeySet>,
) -> ApiResult {
    state.rates.check_key_set(&request)?;
    let model = models::find(&state, &body.model)?;
    let present = model.manifest().configuration;
    if body.configuration != present {
        let detail = format_args!("the configuration is {present} now");
        return Err(ApiError::new(ProblemKind::RetiredConfiguration, detail));
    }
    let (id, set) = state.keys.create(model).await?;
    let location = format!("/v1/key-sets/{id}");
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(describe(id, &set)))
}

/// Which keys of a set are there
#[utoipa::path(get, path = "/v1/key-sets/{id}", tag = "key sets", params(("id" = Capability, Path)), responses(
    (status = 200, description = "`missing` names those that are not", body = KeySetStatus),
))]
pub(super) async fn status(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let id = capability(&id)?;
    let set = state.keys.get(id)?;
    Ok(HttpResponse::Ok().json(describe(id, &set)))
}

/// Removes a key set from memory and disk
#[utoipa::path(delete, path = "/v1/key-sets/{id}", tag = "key sets", params(("id" = Capability, Path)), responses(
    (status = 204, description = "It is gone; its inferences are cancelled"),
))]
pub(super) async fn remove(state: web::Data<State>, id: web::Path<String>) -> ApiResult {
    let id = capability(&id)?;
    state.jobs.cancel_all_of(id.into());
    state.keys.remove(id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Uploads a part of a key
///
/// Parts come in any order and may be repeated; the answer to the one that completes a key comes when the key is stored.
#[utoipa::path(put, path = "/v1/key-sets/{id}/keys/{name}/parts/{part}", tag = "key sets",
    params(
        ("id" = Capability, Path),
        ("name" = String, Path, description = "Name of the key in the manifest"),
        ("part" = usize, Path, description = "Number of the part, counted from 0"),
        ("x-part-blake3" = Option<Digest>, Header, description = "BLAKE3 of the part"),
    ),
    request_body(content = Vec<u8>, content_type = BINARY, description = "8 MiB of a key container, or its last bytes"),
    responses((status = 204, description = "The part is there")),
)]
pub(super) async fn upload(
    state: web::Data<State>,
    path: web::Path<(String, String, String)>,
    request: HttpRequest,
    mut payload: web::Payload,
) -> ApiResult {
    let outcome = store(&state, &path, &request, &mut payload).await;
    body::drained(outcome, &mut payload).await
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
    // Room is taken before the body is read: what is under way counts too.
    let _body = state.keys.reserve_body(expected as u64)?;
    let arriving = || state.keys.reserve_arriving(size as u64);
    let room = set.is_missing(key).then(arriving).transpose()?;
    let bytes = body::read(request, payload, limits::PART_BYTES, &state.patience).await?;
    if bytes.len() != expected {
        let detail = format_args!("{} bytes came, {expected} make part {part}", bytes.len());
        return Err(ApiError::new(ProblemKind::PartLength, detail));
    }
    check_checksum(request, &bytes)?;
    // Parts that came before may have made room for others meanwhile.
    if set.is_missing(key) {
        set.begin(key, size, room.map_or_else(arriving, Ok)?);
    }
    if let Some(complete) = set.put(key, part, bytes) {
        state.keys.complete(set, complete).await?;
    }
    Ok(HttpResponse::NoContent().finish())
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

fn describe(id: Capability, set: &KeySet) -> KeySetStatus {
    let manifest = set.manifest();
    KeySetStatus {
        id,
        model: manifest.model.clone(),
        configuration: manifest.configuration,
        missing: set.missing(),
    }
}

/// Reads a capability out of an address.
pub fn capability(text: &str) -> Result<Capability, Problem> {
    Capability::from_str(text).map_err(|error| Problem::new(ProblemKind::BadAddress, error))
}
