//! Where keys are stored: a folder, memory, or a bucket.

use std::{
    env,
    fmt::Display,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory};
use thiserror::Error;
use url::Url;

use super::{name::SetName, storage::StorageError};

const LOCK: &str = "lock";

/// Where the keys of clients are stored.
#[derive(Clone, Debug, Default)]
pub enum KeyPlace {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In memory, beside the prepared keys; nothing is left when the server ends.
    #[default]
    Memory,
    /// In an object store.
    Bucket(Url),
    /// In a store that is open already.
    Open(Arc<dyn ObjectStore>),
}

/// Why the key store cannot be used.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// The folder cannot be made or read.
    #[error("{folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// Two servers would count and expire each other's keys.
    #[error("another server uses the folder {0}: end it or choose another --key-store")]
    Taken(String),
    /// Neither folder nor address of a store.
    #[error("{url}: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] object_store::Error),
    /// The store cannot be read.
    #[error("cannot read the key store: {0}")]
    Read(#[from] StorageError),
    /// The system refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl FromStr for KeyPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a folder, memory:/// or the URL of a store is expected".to_owned());
        }
        match Url::parse(text) {
            Ok(url) if url.scheme() == "memory" => Ok(Self::Memory),
            Ok(url) if url.scheme() == "file" => {
                let folder = url.to_file_path();
                folder
                    .map(Self::Folder)
                    .map_err(|()| "file:///folder is expected".to_owned())
            }
            Ok(url) => Ok(Self::Bucket(url)),
            Err(_) => Ok(Self::Folder(text.into())),
        }
    }
}

impl Display for KeyPlace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(formatter),
            Self::Memory => "memory:///".fmt(formatter),
            Self::Bucket(url) => url.fmt(formatter),
            Self::Open(store) => store.fmt(formatter),
        }
    }
}

/// An open store, and what keeps other servers out.
pub(super) type Opened = (Arc<dyn ObjectStore>, Option<File>);

impl KeyPlace {
    /// Folder for a server that was told none: systemd's, the user's, or none where there is no home.
    pub fn usual() -> Option<Self> {
        let folder = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let folder = folder("STATE_DIRECTORY")
            .map(|state| state.join("keys"))
            .or_else(|| {
                let state =
                    folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
                Some(state?.join("cipherformer/keys"))
            })?;
        Some(Self::Folder(folder))
    }

    pub(super) fn open(&self) -> Result<Opened, PlaceError> {
        match self {
            Self::Folder(folder) => open_folder(folder),
            Self::Memory => Ok((Arc::new(InMemory::new()), None)),
            Self::Bucket(url) => open_bucket(url),
            Self::Open(store) => Ok((Arc::clone(store), None)),
        }
    }
}

fn open_folder(folder: &Path) -> Result<Opened, PlaceError> {
    let failed = |source| PlaceError::Folder {
        folder: folder.display().to_string(),
        source,
    };
    create_private(folder).map_err(failed)?;
    let lock = File::create(folder.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(PlaceError::Taken(folder.display().to_string()));
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    remove_unfinished(folder).map_err(failed)?;
    // A finished key is announced as stored, so it must survive a power cut too.
    let store = LocalFileSystem::new_with_prefix(folder)?
        .with_fsync(true)
        .with_automatic_cleanup(true);
    Ok((Arc::new(store), Some(lock)))
}

fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

// `LocalFileSystem` writes `name#1` and renames it; a killed server leaves such files behind, which no listing shows. Folders that are no
// key set's are somebody else's.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for set in fs::read_dir(folder)? {
        let set = set?;
        let name = set.file_name();
        let ours = name
            .to_str()
            .is_some_and(|name| name.parse::<SetName>().is_ok());
        if !ours || !set.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(set.path())? {
            let file = file?;
            let name = file.file_name();
            let suffix = name.to_str().and_then(|name| name.rsplit_once('#'));
            let number = |digits: &str| digits.parse::<u64>().is_ok();
            if suffix.is_some_and(|(_, digits)| number(digits)) {
                fs::remove_file(file.path())?;
            }
        }
    }
    Ok(())
}

#[cfg(feature = "s3")]
fn open_bucket(url: &Url) -> Result<Opened, PlaceError> {
    use object_store::prefix::PrefixStore;

    // Credentials, region and endpoint come from the AWS_ variables.
    let options = env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        name.starts_with("AWS_")
            .then_some((name.to_ascii_lowercase(), value.into_string().ok()?))
    });
    let (store, prefix) = object_store::parse_url_opts(url, options)?;
    Ok((Arc::new(PrefixStore::new(store, prefix)), None))
}

#[cfg(not(feature = "s3"))]
fn open_bucket(url: &Url) -> Result<Opened, PlaceError> {
    Err(PlaceError::Url {
        url: url.to_string(),
        reason: "this build stores keys in a folder or in memory only; S3 takes `--features s3`"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_urls_are_told_apart() {
        let folder = |text: &str| match text.parse() {
            Ok(KeyPlace::Folder(folder)) => Some(folder),
            _ => None,
        };
        assert_eq!(folder("keys"), Some("keys".into()));
        assert_eq!(folder("/var/keys"), Some("/var/keys".into()));
        assert_eq!(folder("file:///var/keys"), Some("/var/keys".into()));
        assert!(matches!("memory:///".parse(), Ok(KeyPlace::Memory)));
        assert!(matches!(
            "s3://bucket/keys".parse(),
            Ok(KeyPlace::Bucket(_))
        ));
        assert!("".parse::<KeyPlace>().is_err());
    }

    #[test]
    fn a_folder_has_one_server_and_loses_what_is_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("5a".repeat(32));
        let other = folder.path().join("notes");
        for folder in [&set, &other] {
            fs::create_dir(folder).unwrap();
            for name in ["galois-5.key", "galois-5.key#1", "set.json#22", "chapter#"] {
                fs::write(folder.join(name), "x").unwrap();
            }
        }
        let place = KeyPlace::Folder(folder.path().to_owned());
        let first = place.open().unwrap();
        let left = |folder| {
            let files = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(left(&set), ["chapter#", "galois-5.key"]);
        assert_eq!(left(&other).len(), 4);
        assert!(matches!(place.open(), Err(PlaceError::Taken(_))));
        drop(first);
        assert!(place.open().is_ok());
    }
}
