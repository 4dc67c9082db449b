//! Jobs that wait, served in turn between key sets: who asks for much waits behind who asks for little.

use std::{collections::VecDeque, sync::Arc};

use super::job::Job;
use crate::keys::SetName;

/// Waiting jobs.
#[derive(Default)]
pub struct Queue {
    // The front is next; a set that was served goes to the back with what it has left.
    turns: VecDeque<Turn>,
}

struct Turn {
    set: SetName,
    jobs: VecDeque<Arc<Job>>,
}

impl Queue {
    /// Jobs in all.
    pub fn len(&self) -> usize {
        self.turns.iter().map(|turn| turn.jobs.len()).sum()
    }

    /// Jobs of one set.
    pub fn of(&self, set: SetName) -> usize {
        self.turns
            .iter()
            .find(|turn| turn.set == set)
            .map_or(0, |turn| turn.jobs.len())
    }

    /// Appends a job to those of its set.
    pub fn push(&mut self, job: Arc<Job>) {
        let set = job.set;
        match self.turns.iter_mut().find(|turn| turn.set == set) {
            Some(turn) => turn.jobs.push_back(job),
            None => self.turns.push_back(Turn {
                set,
                jobs: [job].into(),
            }),
        }
    }

    /// Takes the next job.
    pub fn pop(&mut self) -> Option<Arc<Job>> {
        let mut turn = self.turns.pop_front()?;
        let job = turn.jobs.pop_front();
        if !turn.jobs.is_empty() {
            self.turns.push_back(turn);
        }
        job
    }

    /// Takes a job out; false when it does not wait.
    pub fn remove(&mut self, job: &Job) -> bool {
        let before = self.len();
        for turn in &mut self.turns {
            turn.jobs.retain(|waiting| waiting.id != job.id);
        }
        self.turns.retain(|turn| !turn.jobs.is_empty());
        self.len() < before
    }

    /// Jobs that are served before this one, as things stand.
    pub fn ahead_of(&self, job: &Job) -> usize {
        let Some(place) = self.turns.iter().position(|turn| turn.set == job.set) else {
            return 0;
        };
        let own = self
            .turns
            .get(place)
            .and_then(|turn| turn.jobs.iter().position(|waiting| waiting.id == job.id));
        let own = own.unwrap_or(0);
        let others = self
            .turns
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != place);
        own + others
            .map(|(index, turn)| turn.jobs.len().min(own + usize::from(index < place)))
            .sum::<usize>()
    }
}
