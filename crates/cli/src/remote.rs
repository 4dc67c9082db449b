//! A secret key here and its evaluation keys on a server.

use std::time::Instant;

use client::{Rgb32, Seed, Session, model::Embedding};
use protocol::{events::Progress, hex::Capability, limits, manifest::Manifest};

use crate::{CliError, Stop, http::Api, ticker::Ticker};

/// Streams of events that one inference may use up.
const STREAMS: usize = 3;

/// A session whose keys are on the server. They are deleted there when it is dropped.
pub struct Remote {
    api: Api,
    session: Session,
    set: Capability,
    stop: Stop,
}

/// A session with a fresh key, after the manifest's examination.
pub fn session(manifest: &Manifest) -> Result<Session, CliError> {
    let seed = Seed::random().map_err(|_| CliError::Randomness)?;
    Ok(Session::new(manifest, seed)?)
}

impl Remote {
    /// Makes the session's keys and uploads them, one at a time.
    pub fn connect(api: Api, session: Session, stop: &Stop) -> Result<Self, CliError> {
        stop.check()?;
        let set = api.create_key_set(session.manifest())?.id;
        let stop = stop.clone();
        let remote = Self {
            api,
            session,
            set,
            stop,
        };
        remote.upload()?;
        Ok(remote)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Has an image classified; returns the decrypted values.
    pub fn classify(&self, image: &Rgb32) -> Result<Vec<f32>, CliError> {
        let query = self.session.encrypt_image(image)?;
        let start = Instant::now();
        let mut ticker = Ticker::default();
        let answer = self.infer(&query, &mut |progress| ticker.progress(progress))?;
        ticker.note(&format!(
            "computed in {:.1} s",
            start.elapsed().as_secs_f64()
        ));
        Ok(self.session.decrypt(&answer)?)
    }

    /// Has the token after these predicted; returns the decrypted scores of all tokens.
    pub fn next(
        &self,
        embedding: &Embedding,
        ids: &[u32],
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Vec<f32>, CliError> {
        let prompt = self.session.prompt(ids)?;
        let query = self.session.encrypt_prompt(embedding, &prompt)?;
        let answer = self.infer(&query, watch)?;
        Ok(self.session.decrypt_logits(embedding, &answer)?)
    }

    /// Has a query evaluated; returns the result container. A stop cancels the evaluation on the server.
    fn infer(&self, query: &[u8], watch: &mut dyn FnMut(&Progress)) -> Result<Vec<u8>, CliError> {
        self.stop.check()?;
        let id = self.api.infer(self.set, query)?;
        let api = self.api.clone();
        // If the cancellation does not reach the server, the deletion of the keys still may.
        let cancel = move || drop(api.cancel(id));
        let followed = self.stop.during(cancel, || self.follow(id, watch));
        // The server tells of a cancelled evaluation in the same words whoever cancelled it.
        self.stop.check()?;
        followed?;
        self.api.result(id, self.session.manifest().result.bytes)
    }

    // The computation goes on when its stream of events breaks off, and a new stream takes up where it is.
    fn follow(&self, id: Capability, watch: &mut dyn FnMut(&Progress)) -> Result<(), CliError> {
        let mut attempts = STREAMS;
        loop {
            attempts -= 1;
            match self.api.follow(id, watch) {
                Err(CliError::BrokenOff(_)) if attempts > 0 => {}
                outcome => return outcome,
            }
        }
    }

    fn upload(&self) -> Result<(), CliError> {
        let manifest = self.session.manifest();
        let (count, start) = (manifest.keys.len(), Instant::now());
        let mut ticker = Ticker::default();
        let mut sent = 0;
        for (index, entry) in manifest.keys.iter().enumerate() {
            let key = self.session.key(index)?;
            for (part, bytes) in key.chunks(limits::PART_BYTES).enumerate() {
                self.stop.check()?;
                self.api.put_part(self.set, &entry.name, part, bytes)?;
                sent += bytes.len();
            }
            ticker.step(
                "keys",
                &format!("{} of {count}, {:.0} MB", index + 1, megabytes(sent)),
            );
        }
        let seconds = start.elapsed().as_secs_f64();
        ticker.note(&format!(
            "{count} keys, {:.0} MB, made and sent in {seconds:.1} s",
            megabytes(sent)
        ));
        Ok(())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // The server forgets unused keys by itself if this does not reach it.
        let _ = self.api.delete_key_set(self.set);
    }
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
