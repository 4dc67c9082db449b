//! A secret key here and its evaluation keys on a server.

use std::time::Instant;

use client::{Rgb32, Seed, Session};
use protocol::{hex::Capability, limits, manifest::Manifest};

use crate::{CliError, http::Api, ticker::Ticker};

/// Streams of events that one inference may use up.
const STREAMS: usize = 3;

/// A session whose keys are on the server. They are deleted there when it is dropped.
pub struct Remote {
    api: Api,
    session: Session,
    set: Capability,
}

impl Remote {
    /// Makes keys for a manifest and uploads them, one at a time.
    pub fn connect(api: Api, manifest: &Manifest) -> Result<Self, CliError> {
        let seed = Seed::random().map_err(|_| CliError::Randomness)?;
        let session = Session::new(manifest, seed)?;
        let set = api.create_key_set(manifest)?.id;
        let remote = Self { api, session, set };
        remote.upload()?;
        Ok(remote)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Has an image classified; returns the decrypted values.
    pub fn infer(&self, image: &Rgb32) -> Result<Vec<f32>, CliError> {
        let query = self.session.encrypt_image(image)?;
        let start = Instant::now();
        let id = self.api.infer(self.set, &query)?;
        let mut ticker = Ticker::default();
        self.follow(id, &mut ticker)?;
        let answer = self.api.result(id, self.session.manifest().result.bytes)?;
        ticker.note(&format!(
            "computed in {:.1} s",
            start.elapsed().as_secs_f64()
        ));
        Ok(self.session.decrypt(&answer)?)
    }

    // The computation goes on when its stream of events breaks off, and a new stream takes up where it is.
    fn follow(&self, id: Capability, ticker: &mut Ticker) -> Result<(), CliError> {
        let mut attempts = STREAMS;
        loop {
            attempts -= 1;
            match self
                .api
                .follow(id, &mut |progress| ticker.progress(progress))
            {
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
