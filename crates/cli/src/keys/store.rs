//! Kept secrets: one folder a server and model, readable by its owner only.
//!
//! `seed` holds the 32 bytes from which the secret key is expanded, `set.json` what it is for and where its evaluation keys are.
//! The secret key itself is never written.

use std::{
    env, fs,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use client::Seed;
use protocol::hex::{Capability, Digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::CliError;

const SEED: &str = "seed";
const SET: &str = "set.json";
const LOCK: &str = "lock";

/// Longest description that is read.
const SET_BYTES: u64 = 1 << 14;

/// What a kept secret is for, and where its keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Address of the server.
    pub server: String,
    /// Model on it.
    pub model: String,
    /// Key configuration; another one gets another secret.
    pub configuration: Digest,
    /// The key set on the server, once there is one.
    pub key_set: Option<Capability>,
    /// When the secret was drawn, in seconds since 1970.
    pub created: u64,
}

/// The folder of all kept secrets.
pub struct Store(PathBuf);

impl Store {
    /// The folder in `$XDG_DATA_HOME`, or `~/.local/share` without it.
    pub fn of_user() -> Result<Self, CliError> {
        let named = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let data = named
            // The specification wants other values ignored.
            .filter(|path| path.is_absolute())
            .or_else(|| Some(env::home_dir()?.join(".local/share")))
            .ok_or(CliError::NoHome)?;
        Ok(Self(data.join("cipherformer/keys")))
    }

    /// The folder of one kept secret.
    pub fn folder(&self, server: &str, model: &str) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        for part in [server, model] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut name = hasher.finalize().to_hex().to_string();
        name.truncate(32);
        self.0.join(name)
    }

    /// All kept secrets, oldest first.
    pub fn list(&self) -> Result<Vec<Kept>, CliError> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(CliError::read(&self.0))?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let folder = entry.map_err(CliError::read(&self.0))?.path();
            all.extend(describe(&folder)?);
        }
        all.sort_by(|a, b| (a.created, &a.server, &a.model).cmp(&(b.created, &b.server, &b.model)));
        Ok(all)
    }

    /// The one for a model of a server.
    pub fn find(&self, server: &str, model: &str) -> Result<Option<Kept>, CliError> {
        describe(&self.folder(server, model))
    }

    /// Waits until no other command makes, uploads or forgets these keys.
    pub fn lock(&self, server: &str, model: &str) -> Result<File, CliError> {
        let folder = self.folder(server, model);
        private(DirBuilder::new().recursive(true))
            .create(&folder)
            .map_err(CliError::write(&folder))?;
        let path = folder.join(LOCK);
        let file = private_file(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&path)
            .map_err(CliError::write(&path))?;
        if file.try_lock().is_err() {
            eprintln!("waiting for another cipherformer that works on the same keys");
            file.lock().map_err(CliError::write(&path))?;
        }
        Ok(file)
    }

    /// Draws a secret and keeps it. The caller holds the lock.
    pub fn create(
        &self,
        server: &str,
        model: &str,
        configuration: Digest,
    ) -> Result<Kept, CliError> {
        let seed = Seed::random().map_err(|_| CliError::Randomness)?;
        let path = self.folder(server, model).join(SEED);
        // A seed without a description was left by a command that was interrupted here, and nothing was made from it.
        remove(&path)?;
        let mut file = private_file(OpenOptions::new().write(true).create_new(true))
            .open(&path)
            .map_err(CliError::write(&path))?;
        file.write_all(seed.expose())
            .and_then(|()| file.sync_all())
            .map_err(CliError::write(&path))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let kept = Kept {
            server: server.to_owned(),
            model: model.to_owned(),
            configuration,
            key_set: None,
            created: now.map_or(0, |now| now.as_secs()),
        };
        self.save(&kept)?;
        Ok(kept)
    }

    /// Writes a description, all of it or nothing. The caller holds the lock.
    pub fn save(&self, kept: &Kept) -> Result<(), CliError> {
        let folder = self.folder(&kept.server, &kept.model);
        let (path, new) = (folder.join(SET), folder.join("set.json.new"));
        let json =
            serde_json::to_vec(kept).map_err(|error| CliError::Protocol(error.to_string()))?;
        remove(&new)?;
        let mut file = private_file(OpenOptions::new().write(true).create_new(true))
            .open(&new)
            .map_err(CliError::write(&new))?;
        file.write_all(&json)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, &path))
            .map_err(CliError::write(&path))
    }

    /// The seed of a kept secret.
    pub fn seed(&self, kept: &Kept) -> Result<Seed, CliError> {
        let path = self.folder(&kept.server, &kept.model).join(SEED);
        let mut file = File::open(&path).map_err(CliError::read(&path))?;
        let metadata = file.metadata().map_err(CliError::read(&path))?;
        if metadata.len() != 32 || is_shared(&metadata) {
            return Err(CliError::Seed(path.display().to_string()));
        }
        let mut bytes = Zeroizing::new([0; 32]);
        file.read_exact(&mut *bytes)
            .map_err(CliError::read(&path))?;
        Ok(Seed::from_bytes(*bytes))
    }

    /// Removes a kept secret. The caller holds the lock.
    pub fn remove(&self, server: &str, model: &str) -> Result<(), CliError> {
        let folder = self.folder(server, model);
        // The seed first: what remains after an interruption must not be able to decrypt.
        for name in [SEED, SET, LOCK] {
            remove(&folder.join(name))?;
        }
        fs::remove_dir(&folder).map_err(CliError::write(&folder))
    }
}

fn describe(folder: &Path) -> Result<Option<Kept>, CliError> {
    let path = folder.join(SET);
    let mut json = Vec::new();
    match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file
            .and_then(|file| file.take(SET_BYTES).read_to_end(&mut json))
            .map_err(CliError::read(&path))?,
    };
    let kept = serde_json::from_slice(&json);
    kept.map(Some).map_err(|error| CliError::Kept {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

fn remove(path: &Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(CliError::write(path)),
    }
}

#[cfg(unix)]
fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700)
}

#[cfg(unix)]
fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(unix)]
fn is_shared(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

// Elsewhere a user's own folders are closed to others by the system.
#[cfg(not(unix))]
fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

#[cfg(not(unix))]
fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
fn is_shared(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use protocol::hex::Hex;

    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_what_is_forgotten_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().join("keys"));
        assert!(store.list().unwrap().is_empty());
        let (server, model) = ("http://localhost", "m");
        let lock = store.lock(server, model).unwrap();
        assert_eq!(store.find(server, model).unwrap(), None);
        let mut kept = store.create(server, model, Hex([1; 32])).unwrap();
        kept.key_set = Some(Hex([2; 16]));
        store.save(&kept).unwrap();
        assert_eq!(store.find(server, model).unwrap(), Some(kept.clone()));
        assert_eq!(store.find("http://localhos", "tm").unwrap(), None);
        assert_eq!(store.list().unwrap(), [kept.clone()]);
        let seed = store.seed(&kept).unwrap();
        assert_ne!(seed.expose(), &[0; 32]);
        assert_eq!(store.seed(&kept).unwrap().expose(), seed.expose());
        drop(lock);
        store.remove(server, model).unwrap();
        assert!(store.list().unwrap().is_empty());
        assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 0);
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().join("keys"));
        let _lock = store.lock("s", "m").unwrap();
        let kept = store.create("s", "m", Hex([1; 32])).unwrap();
        let own = store.folder("s", "m");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&store.0), mode(&own)), (0o700, 0o700));
        for name in [SEED, SET, LOCK] {
            assert_eq!(mode(&own.join(name)), 0o600, "{name}");
        }
        assert_eq!(fs::read(own.join(SEED)).unwrap().len(), 32);
        fs::set_permissions(own.join(SEED), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(store.seed(&kept), Err(CliError::Seed(_))));
        fs::set_permissions(own.join(SEED), fs::Permissions::from_mode(0o600)).unwrap();
        store.seed(&kept).unwrap();
        fs::write(own.join(SEED), [1; 31]).unwrap();
        assert!(matches!(store.seed(&kept), Err(CliError::Seed(_))));
    }
}
