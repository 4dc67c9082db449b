//! The secret that a command works with: kept from an earlier call, kept from now on, or gone with the command.

use client::{Seed, Session};
use protocol::{
    hex::Capability,
    manifest::{KeySetStatus, Manifest},
};

use super::store::{Kept, Store};
use crate::{CliError, http::Api};

/// A session and where its secret is kept.
pub struct KeyRing {
    /// The session.
    pub session: Session,
    kept: Option<(Store, Kept)>,
}

impl KeyRing {
    /// A fresh secret that nothing keeps.
    pub fn fresh(manifest: &Manifest) -> Result<Self, CliError> {
        let seed = Seed::random().map_err(|_| CliError::Randomness)?;
        let session = Session::new(manifest, seed)?;
        Ok(Self {
            session,
            kept: None,
        })
    }

    /// The kept secret for the server's model where there is one; otherwise a fresh one, kept if `keep`.
    pub fn open(api: &Api, manifest: &Manifest, keep: bool) -> Result<Self, CliError> {
        // Without a home there is nothing kept.
        let Ok(store) = Store::of_user() else {
            return if keep {
                Err(CliError::NoHome)
            } else {
                Self::fresh(manifest)
            };
        };
        let (server, model) = (api.server(), manifest.model.as_str());
        if !keep && store.find(server, model)?.is_none() {
            return Self::fresh(manifest);
        }
        // A server that asks for what this client refuses leaves no file behind.
        manifest
            .check(client::Trust::Secure)
            .map_err(client::ClientError::from)?;
        let _lock = store.lock(server, model)?;
        let kept = match store.find(server, model)? {
            Some(kept) if kept.configuration == manifest.configuration => kept,
            outdated => {
                if let Some(set) = outdated.and_then(|kept| kept.key_set) {
                    eprintln!("the model asks for other keys than those kept: they are made anew");
                    // The server forgets unused keys by itself if this does not reach it.
                    let _ = api.delete_key_set(set);
                }
                store.create(server, model, manifest.configuration)?
            }
        };
        let session = Session::new(manifest, store.seed(&kept)?)?;
        Ok(Self {
            session,
            kept: Some((store, kept)),
        })
    }

    /// Whether the secret outlives the command.
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Calls `upload` with the key set on the server and the names of the keys that it lacks; makes the set where there is none. Other
    /// commands wait that would send the same keys. `known` is the set so far of a secret that is not kept.
    pub fn ensure(
        &self,
        api: &Api,
        known: Option<Capability>,
        upload: impl FnOnce(Capability, &[String]) -> Result<(), CliError>,
    ) -> Result<Capability, CliError> {
        let manifest = self.session.manifest();
        let Some((store, kept)) = &self.kept else {
            let status = match self.held(api, known)? {
                Some(status) => status,
                None => api.create_key_set(manifest)?,
            };
            upload(status.id, &status.missing)?;
            return Ok(status.id);
        };
        let _lock = store.lock(&kept.server, &kept.model)?;
        // Another command may have made the set while this one waited.
        let mut kept = store
            .find(&kept.server, &kept.model)?
            .filter(|now| (now.created, now.configuration) == (kept.created, kept.configuration))
            .ok_or(CliError::Forgotten)?;
        let status = match self.held(api, kept.key_set)? {
            Some(status) => status,
            None => {
                let status = api.create_key_set(manifest)?;
                kept.key_set = Some(status.id);
                store.save(&kept)?;
                status
            }
        };
        upload(status.id, &status.missing)?;
        Ok(status.id)
    }

    /// What the server has of a key set that fits the session.
    fn held(&self, api: &Api, set: Option<Capability>) -> Result<Option<KeySetStatus>, CliError> {
        let Some(set) = set else {
            return Ok(None);
        };
        let configuration = self.session.manifest().configuration;
        Ok(api
            .key_set(set)?
            .filter(|status| status.configuration == configuration))
    }
}
