//! A secret key here and its evaluation keys on a server.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use client::{Rgb32, Session, model::Embedding};
use protocol::{events::Progress, hex::Capability, limits, manifest::STEM, problem::ProblemKind};

use crate::{CliError, Stop, http::Api, keys::KeyRing, progress::Ticker};

/// Streams of events in a row that may break off without a word. With the waits between them a server has time to start again.
const SILENT_STREAMS: u32 = 6;

/// Times that a query is sent again after the server lost something.
const RECOVERIES: u32 = 3;

/// First wait before a broken stream is opened again; every further one is twice as long.
const REOPEN: Duration = Duration::from_millis(500);

/// A session whose keys are on the server. They are deleted there when it is dropped, unless they are kept.
pub struct Remote {
    api: Api,
    keys: KeyRing,
    set: Cell<Option<Capability>>,
    stop: Stop,
}

impl Remote {
    /// Fetches the weights of an image's convolutions, where there are some, then makes and uploads the keys that the server lacks, one at a time.
    pub fn connect(api: Api, mut keys: KeyRing, stop: &Stop) -> Result<Self, CliError> {
        stop.check()?;
        let manifest = keys.session.manifest();
        if let Some(file) = manifest.task.file(STEM) {
            let content = api.file(&manifest.model, file)?;
            keys.session.load_stem(&content)?;
        }
        let remote = Self {
            api,
            keys,
            set: Cell::default(),
            stop: stop.clone(),
        };
        remote.ensure()?;
        Ok(remote)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.keys.session
    }

    /// Has an image classified; returns the decrypted values.
    pub fn classify(&self, image: &Rgb32) -> Result<Vec<f32>, CliError> {
        let query = self.session().encrypt_image(image)?;
        let start = Instant::now();
        let mut ticker = Ticker::default();
        let answer = self.infer(&query, &mut |progress| ticker.progress(progress))?;
        ticker.note(&format!(
            "computed in {:.1} s",
            start.elapsed().as_secs_f64()
        ));
        Ok(self.session().decrypt(&answer)?)
    }

    /// Has the token after these predicted; returns the decrypted scores of all tokens.
    pub fn next(
        &self,
        embedding: &Embedding,
        ids: &[u32],
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Vec<f32>, CliError> {
        let prompt = self.session().prompt(ids)?;
        let query = self.session().encrypt_prompt(embedding, &prompt)?;
        let answer = self.infer(&query, watch)?;
        Ok(self.session().decrypt_logits(embedding, &answer)?)
    }

    /// Has a query evaluated; returns the result container.
    fn infer(&self, query: &[u8], watch: &mut dyn FnMut(&Progress)) -> Result<Vec<u8>, CliError> {
        for _ in 0..RECOVERIES {
            match self.attempt(query, watch) {
                // A restart or the quota took it: what is missing is made again, by the same seed.
                Err(error) if is_loss(&error) => self.ensure()?,
                outcome => return outcome,
            }
        }
        self.attempt(query, watch)
    }

    /// Sends a query and waits for its result. A stop cancels the evaluation on the server.
    fn attempt(&self, query: &[u8], watch: &mut dyn FnMut(&Progress)) -> Result<Vec<u8>, CliError> {
        self.stop.check()?;
        let id = self.api.infer(self.ensured()?, query)?;
        let api = self.api.clone();
        // If the cancellation does not reach the server, the deletion of the keys still may.
        let cancel = move || drop(api.cancel(id));
        let followed = self.stop.during(cancel, || self.follow(id, watch));
        // The server tells of a cancelled evaluation in the same words whoever cancelled it.
        self.stop.check()?;
        followed?;
        let limit = self.session().manifest().result.bytes;
        self.api.result(id, limit)
    }

    // The computation goes on when its stream of events breaks off, and a new stream takes up where it is.
    fn follow(&self, id: Capability, watch: &mut dyn FnMut(&Progress)) -> Result<(), CliError> {
        let mut silent = 0;
        loop {
            let mut heard = false;
            let outcome = self.api.follow(id, &mut |progress| {
                heard = true;
                watch(progress);
            });
            silent = if heard { 0 } else { silent + 1 };
            match outcome {
                Err(error) if error.is_transient() && silent < SILENT_STREAMS => {
                    self.stop.pause(REOPEN * (1 << silent))?;
                }
                outcome => return outcome,
            }
        }
    }

    fn ensured(&self) -> Result<Capability, CliError> {
        self.set.get().ok_or(CliError::Forgotten)
    }

    fn ensure(&self) -> Result<(), CliError> {
        let set = self
            .keys
            .ensure(&self.api, self.set.get(), |set, missing| {
                // Known from now on, so that it is deleted if the upload fails.
                self.set.set(Some(set));
                self.upload(set, missing)
            })?;
        self.set.set(Some(set));
        Ok(())
    }

    fn upload(&self, set: Capability, missing: &[String]) -> Result<(), CliError> {
        let keys = self.session().manifest().keys.iter().enumerate();
        let keys: Vec<_> = keys
            .filter(|(_, key)| missing.contains(&key.name))
            .collect();
        let (count, start) = (keys.len(), Instant::now());
        let total = keys.iter().map(|(_, key)| key.bytes).sum();
        let mut ticker = Ticker::default();
        let mut sent = 0;
        for (done, (index, entry)) in keys.into_iter().enumerate() {
            let key = self.session().key(index)?;
            let stage = format!("key {} of {count}", done + 1);
            for (part, bytes) in key.chunks(limits::PART_BYTES).enumerate() {
                self.stop.check()?;
                ticker.bytes("keys", &stage, sent, total);
                self.api.put_part(set, &entry.name, part, bytes)?;
                sent += bytes.len() as u64;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = sent as f64 / 1e6;
        ticker.note(&if count == 0 {
            "the server has all keys".to_owned()
        } else {
            format!("{count} keys, {megabytes:.0} MB, made and sent in {seconds:.1} s")
        });
        Ok(())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let (false, Some(set)) = (self.keys.is_kept(), self.set.get()) {
            // The server forgets unused keys by itself if this does not reach it.
            let _ = self.api.delete_key_set(set);
        }
    }
}

/// Whether the server had something and has it no more.
fn is_loss(error: &CliError) -> bool {
    const LOSSES: [ProblemKind; 3] = [
        ProblemKind::UnknownKeySet,
        ProblemKind::MissingKeys,
        ProblemKind::UnknownInference,
    ];
    LOSSES.iter().any(|&kind| error.is(kind))
}
