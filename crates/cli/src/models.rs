use std::io::Write;

use client::Trust;
use protocol::{
    manifest::{Accuracy, Manifest, Perplexity, Task},
    measured::Encrypted,
};
use serde::Serialize;
use std::collections::BTreeMap;

use crate::{
    CliError, Stop,
    arguments::Models,
    http::Api,
    report::{megabytes, one_line, print, table},
};

/// A model of a server.
#[derive(Serialize)]
struct Model {
    id: String,
    task: &'static str,
    parameters: String,
    log_n: u32,
    log_qp: f64,
    security_bits: u32,
    keys: usize,
    evaluation_key_bytes: u64,
    query_bytes: u64,
    result_bytes: u64,
    expected_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<Accuracy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perplexity: Option<BTreeMap<String, Perplexity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<Encrypted>,
    /// Why this client would not use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

#[derive(Serialize)]
struct Report {
    server: String,
    models: Vec<Model>,
}

/// Prints what a server offers.
pub fn run(arguments: &Models, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    let api = Api::new(&arguments.server.server, stop);
    let mut models = Vec::new();
    for summary in api.models()?.models {
        models.push(describe(api.manifest(&summary.id)?));
    }
    if arguments.json {
        let server = api.server().to_owned();
        return print(&Report { server, models }, out);
    }
    let rows: Vec<_> = models.iter().map(row).collect();
    let titles = ["MODEL", "TASK", "PARAMETERS", "KEYS", "SECONDS", "ACCURACY"];
    table(titles, &rows, out)
}

fn describe(manifest: Manifest) -> Model {
    let refused = manifest.check(Trust::Secure).err();
    let (task, accuracy, perplexity) = match manifest.task {
        Task::Classify(classify) => ("classify", Some(classify.accuracy), None),
        Task::Complete(complete) => ("complete", None, Some(complete.perplexity)),
    };
    Model {
        id: manifest.model,
        task,
        parameters: manifest.parameters.name,
        log_n: manifest.parameters.log_n,
        log_qp: manifest.parameters.log_qp,
        security_bits: manifest.parameters.security.bits,
        keys: manifest.keys.len(),
        evaluation_key_bytes: manifest.evaluation_key_bytes,
        query_bytes: manifest.query.bytes,
        result_bytes: manifest.result.bytes,
        expected_seconds: manifest.expected_seconds,
        accuracy,
        perplexity,
        encrypted: manifest.encrypted,
        refused: refused.map(|error| error.to_string()),
    }
}

fn row(model: &Model) -> [String; 6] {
    let mut quality = match (&model.refused, &model.accuracy, &model.perplexity) {
        (Some(reason), ..) => format!("not usable: {reason}"),
        (_, Some(accuracy), _) => format!(
            "{:.1} % top-1, {:.1} % top-5",
            100.0 * accuracy.top1,
            100.0 * accuracy.top5
        ),
        (.., perplexity) => {
            let texts = perplexity.iter().flatten();
            let texts = texts.map(|(text, found)| format!("{:.1} on {text}", found.token));
            format!("perplexity {}", texts.collect::<Vec<_>>().join(", "))
        }
    };
    if let (None, Some(Encrypted { inputs, agree, .. })) = (&model.refused, &model.encrypted) {
        quality += &format!("; encrypted the same best choice in {agree} of {inputs}");
    }
    [
        model.id.clone(),
        model.task.to_owned(),
        format!("{}, {} bits", model.parameters, model.security_bits),
        format!(
            "{} keys, {}",
            model.keys,
            megabytes(model.evaluation_key_bytes)
        ),
        format!("{:.0}", model.expected_seconds),
        quality,
    ]
    .map(|cell| one_line(&cell))
}
