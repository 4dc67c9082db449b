//! Errors on the wire: `application/problem+json` (RFC 9457), each kind explained in `docs/common-errors.md`.

use std::{fmt, num::NonZeroU16};

use serde::{Deserialize, Serialize};

/// Media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Page whose anchors explain the kinds.
pub const DOCUMENT: &str = "/docs/common-errors";

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $slug:literal, $status:literal, $title:literal, $hint:literal;)*) => {
        /// Everything the server can refuse or fail at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind { $($(#[$doc])* $kind,)* }

        impl ProblemKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Anchor in [`DOCUMENT`].
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)* }
            }

            /// Short summary, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$kind => $hint,)* }
            }
        }
    };
}

kinds! {
    /// No such route or file.
    NotFound: "not-found", 404, "There is nothing at this address",
        "Check the path against docs/protocol.md.";
    /// The route exists, not with this method.
    MethodNotAllowed: "method-not-allowed", 405, "This address does not take this method",
        "The Allow header lists the methods it takes.";
    /// A body that is not the JSON expected.
    BadJson: "bad-json", 400, "The body is not the expected JSON",
        "Send an object with the fields that docs/protocol.md names.";
    /// A path or query string that cannot be read.
    BadAddress: "bad-address", 400, "The address is malformed",
        "Identifiers are 32 hexadecimal digits, part numbers are decimal.";
    /// Wrong `Content-Type`.
    UnsupportedMediaType: "unsupported-media-type", 415, "The body has the wrong media type",
        "Send application/json to JSON routes and application/octet-stream to binary ones.";
    /// More bytes than the route takes.
    PayloadTooLarge: "payload-too-large", 413, "The body is larger than this address takes",
        "Key parts are at most 8 MiB; the manifest names the size of a query.";
    /// The body did not arrive in time, or broke off.
    UploadInterrupted: "upload-interrupted", 408, "The body did not arrive completely",
        "Send the same request again; uploads are idempotent.";
    /// No model of this name.
    UnknownModel: "unknown-model", 404, "This server has no such model",
        "GET /v1/models lists the models.";
    /// A file that the model's manifest does not name.
    UnknownFile: "unknown-file", 404, "The model has no file of this name",
        "Files are those that the manifest lists under `task`.";
    /// Key configuration digest of another model version.
    RetiredConfiguration: "retired-configuration", 410, "The model now uses other evaluation keys",
        "Read the manifest again and make new keys.";
    /// No key set of this id.
    UnknownKeySet: "unknown-key-set", 404, "This server does not hold such a key set",
        "Key sets expire when nobody uses them: create a new one and upload the keys again.";
    /// A key name that the manifest does not list.
    UnknownKey: "unknown-key", 404, "The model has no key of this name",
        "Key names are those of the manifest.";
    /// Part number past the end of the key.
    PartOutOfRange: "part-out-of-range", 400, "The key has no part of this number",
        "A key of n bytes has ceil(n / 8 MiB) parts, counted from 0.";
    /// A part of the wrong size.
    PartLength: "part-length", 400, "The part does not have the size it must have",
        "Every part but the last has exactly 8 MiB, the last one has the rest.";
    /// A part that differs from its checksum header.
    PartChecksum: "part-checksum", 400, "The part differs from its checksum",
        "It was damaged on the way: send it again.";
    /// Truncated, damaged or of another type.
    BadContainer: "bad-container", 400, "The object cannot be read",
        "It was damaged on the way or is of another kind: make it and send it again.";
    /// An object for other encryption parameters.
    WrongParameters: "wrong-parameters", 409, "The object was made for other encryption parameters",
        "Read the manifest again and make new keys with its parameters.";
    /// Inference with an incomplete key set.
    MissingKeys: "missing-keys", 409, "The key set is not complete",
        "Upload the keys listed in `missing`, then ask again.";
    /// The memory for key sets is used up by sets in use.
    KeyStoreFull: "key-store-full", 503, "The server has no room for more keys now",
        "Try again in a few minutes.";
    /// The disk under the key store is full.
    DiskFull: "disk-full", 507, "The server's disk is full",
        "Nothing was stored. Try again later, or tell whoever runs the server.";
    /// The key store cannot be read or written.
    StorageFailed: "storage-failed", 503, "The server's key store does not answer",
        "Try again in a few minutes, or tell whoever runs the server.";
    /// Too many jobs wait.
    QueueFull: "queue-full", 429, "Too many inferences are waiting",
        "Try again after `retry_after` seconds; `waiting` inferences are before you.";
    /// More requests than one address may send.
    RateLimited: "rate-limited", 429, "Too many requests from this address",
        "Try again after `retry_after` seconds.";
    /// No inference of this id.
    UnknownInference: "unknown-inference", 404, "This server has no such inference",
        "Results are dropped a few minutes after they are ready: send the query again.";
    /// The inference was cancelled.
    Cancelled: "cancelled", 410, "The inference was cancelled",
        "Send the query again.";
    /// The evaluation took longer than the server allows.
    TimeLimit: "time-limit", 503, "The inference took too long",
        "Send the query again when the server is less busy, or tell whoever runs it.";
    /// The server is about to end.
    ShuttingDown: "shutting-down", 503, "The server is shutting down",
        "Try again in a minute: uploaded keys stay.";
    /// The evaluator failed.
    EvaluationFailed: "evaluation-failed", 500, "The encrypted computation failed",
        "Please report it with the detail text.";
    /// A defect of the server.
    Internal: "internal", 500, "The server failed",
        "Please report it with the detail text.";
}

impl ProblemKind {
    /// The kind with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

/// One occurrence of an error, as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Address of the explanation: [`DOCUMENT`], `#`, slug.
    #[serde(rename = "type")]
    pub address: String,
    /// Summary of the kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// Names of the keys that a key set lacks.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>, required = false))]
    pub missing: Box<[String]>,
    /// Inferences that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u16, required = false))]
    pub waiting: Option<NonZeroU16>,
    /// Seconds after which asking again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u16, required = false))]
    pub retry_after: Option<NonZeroU16>,
}

impl Problem {
    /// An occurrence of `kind`.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl fmt::Display) -> Self {
        Self {
            address: format!("{DOCUMENT}#{}", kind.slug()),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.to_string(),
            hint: kind.hint().to_owned(),
            missing: Box::default(),
            waiting: None,
            retry_after: None,
        }
    }

    /// The kind, when this build knows it.
    #[must_use]
    pub fn kind(&self) -> Option<ProblemKind> {
        let (_, slug) = self.address.split_once('#')?;
        ProblemKind::from_slug(slug)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, detail, hint) = (&self.title, self.detail.trim_end(), &self.hint);
        let stop = if detail.is_empty() || detail.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        write!(formatter, "{title}: {detail}{stop} {hint}")
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_explained_in_the_document() {
        let document = include_str!("../../../docs/common-errors.md");
        let headings: Vec<_> = document
            .lines()
            .filter_map(|line| line.strip_prefix("### "))
            .collect();
        for kind in ProblemKind::ALL {
            let slug = kind.slug();
            let count = headings.iter().filter(|&&heading| heading == slug).count();
            assert_eq!(
                count, 1,
                "docs/common-errors.md needs exactly one heading `### {slug}`"
            );
        }
    }

    #[test]
    fn slugs_are_unique_and_statuses_are_errors() {
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_slug(kind.slug()), Some(*kind));
            assert!((400..600).contains(&kind.status()), "{}", kind.slug());
        }
    }

    #[test]
    fn json_has_the_members_of_rfc_9457() {
        let problem = Problem::new(ProblemKind::MissingKeys, "two keys are missing");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "/docs/common-errors#missing-keys");
        assert_eq!(json["status"], 409);
        assert!(json.get("missing").is_none());
        let back: Problem = serde_json::from_value(json).unwrap();
        assert_eq!(back, problem);
        assert_eq!(back.kind(), Some(ProblemKind::MissingKeys));
    }
}
