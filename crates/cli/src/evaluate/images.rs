use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use client::model::{Task, Vit, labels, top_k};
use protocol::manifest::Accuracy;
use serde::Serialize;

use super::{
    comparison::Comparison,
    connect,
    folders::{self, Labelled},
    model_folder,
};
use crate::{
    CliError, Stop, arguments::Evaluate, classify::read_image, remote::Remote, report::print,
};

const BEST: usize = 5;

/// What is printed. Shares lie between 0 and 1.
#[derive(Serialize)]
struct Report {
    top1: f64,
    top5: f64,
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    agree: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top10_difference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_per_image: Option<f64>,
}

#[derive(Default)]
struct Tally {
    top1: usize,
    top5: usize,
    beside_clear: Comparison,
    time: Duration,
}

/// Measures a model on labelled images and prints one line of JSON.
pub fn run(
    arguments: &Evaluate,
    images: &Path,
    out: &mut dyn Write,
    stop: &Stop,
) -> Result<(), CliError> {
    let folder = model_folder(&arguments.model, Task::Classify)?;
    let vit = Vit::load(&folder)?;
    let labels = labels::load(&folder, &vit.config)?;
    let mut images = folders::list(images, &labels)?;
    if let Some(limit) = arguments.limit {
        images.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let remote = if arguments.encrypted {
        let (api, keys) = connect(arguments, &vit.config.name, &folder, stop)?;
        Some(Remote::connect(api, keys, stop)?)
    } else {
        None
    };
    let mut tally = Tally::default();
    for labelled in &images {
        judge(&vit, remote.as_ref(), labelled, &mut tally)?;
    }
    let n = images.len();
    let share = |count: usize| count as f64 / n as f64;
    let report = Report {
        top1: share(tally.top1),
        top5: share(tally.top5),
        n,
        agree: remote.as_ref().map(|_| tally.beside_clear.agreement()),
        top10_difference: remote.as_ref().map(|_| tally.beside_clear.difference()),
        seconds_per_image: remote.as_ref().map(|_| tally.time.as_secs_f64() / n as f64),
    };
    if let (true, Some(remote)) = (arguments.record, &remote) {
        let accuracy = Accuracy {
            top1: report.top1,
            top5: report.top5,
            images: n as u64,
        };
        let manifest = remote.session().manifest();
        tally
            .beside_clear
            .record(&folder, manifest, Some(accuracy))?;
    }
    print(&report, out)
}

fn judge(
    vit: &Vit,
    remote: Option<&Remote>,
    labelled: &Labelled,
    tally: &mut Tally,
) -> Result<(), CliError> {
    let picture = read_image(&labelled.path)?;
    let clear = vit.logits(&vit.patches(&picture)).to_vec();
    let start = Instant::now();
    let judged = match remote {
        Some(remote) => remote.classify(&picture)?,
        None => clear.clone(),
    };
    tally.time += start.elapsed();
    let best = top_k(&judged, BEST);
    let first = best.first().map(|&(class, _)| class);
    tally.top1 += usize::from(first == Some(labelled.class));
    tally.top5 += usize::from(best.iter().any(|&(class, _)| class == labelled.class));
    tally.beside_clear.add(&judged, &clear);
    Ok(())
}
