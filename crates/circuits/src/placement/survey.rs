//! A circuit as segments between its places, each read from the highest level on.

use super::search::Priced;
use crate::{Operation, Shape};
use ckks::Parameters;

/// What a circuit does between its places.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, Default)]
struct Segment {
    /// The level it was read from.
    start: usize,
    /// The lowest level of what lives at its end.
    end: usize,
    /// Ciphertexts that live at its start.
    live: usize,
    operations: Vec<Surveyed>,
}

/// An operation and what came of it.
#[derive(Clone, Copy, Debug)]
struct Surveyed {
    operation: Operation,
    level: usize,
    log_scale: f64,
}

impl Survey {
    /// A new segment, read from level `start`.
    pub(crate) fn begin(&mut self, start: usize, live: usize) {
        self.segments.push(Segment {
            start,
            live,
            ..Segment::default()
        });
    }

    /// The last segment ends.
    pub(crate) fn end(&mut self, level: usize) {
        if let Some(segment) = self.segments.last_mut() {
            segment.end = level;
        }
    }

    pub(crate) fn record(&mut self, operation: Operation, result: &Shape) {
        if let Some(segment) = self.segments.last_mut() {
            segment.operations.push(Surveyed {
                operation,
                level: result.level,
                log_scale: result.scale.log2(),
            });
        }
    }

    /// Places that the circuit offers.
    pub fn places(&self) -> usize {
        self.segments.len().saturating_sub(1)
    }

    /// What each segment costs from every level.
    pub(super) fn priced(&self, parameters: &Parameters) -> Vec<Priced> {
        let price = |segment: &Segment| Priced {
            depth: segment.start - segment.end,
            live: segment.live,
            costs: (0..=parameters.max_level())
                .map(|level| segment.cost_from(parameters, level))
                .collect(),
        };
        self.segments.iter().map(price).collect()
    }
}

impl Segment {
    /// The cost of the same operations from another level; none where one of them finds no level or no room for its scale.
    fn cost_from(&self, parameters: &Parameters, level: usize) -> Option<f64> {
        self.operations.iter().try_fold(0.0, |sum, surveyed| {
            let moved = |old: usize| (old + level).checked_sub(self.start);
            let operation = Operation {
                level: moved(surveyed.operation.level)?,
                ..surveyed.operation
            };
            let room = parameters.log_q(moved(surveyed.level)?);
            (surveyed.log_scale + 2.0 < room).then(|| sum + operation.cost(parameters))
        })
    }
}
