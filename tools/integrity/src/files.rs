//! Files below a folder, by paths as addresses have them.

use std::{collections::BTreeSet, fs, io, path::Path};

/// Every file below `root/folder` (`""`: below `root`) but hidden ones, as `app/main.js`.
pub fn below(root: &Path, folder: &str) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in read_folder(&root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            io::Error::other(format!("a file of the page is called {}", name.display()))
        })?;
        if name.starts_with('.') {
            continue;
        }
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if entry.file_type()?.is_dir() {
            found.extend(below(root, &path)?);
        } else {
            found.insert(path);
        }
    }
    Ok(found)
}

/// The bytes of a file, or an error that names it.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| named(path, &error))
}

/// The text of a file, or an error that names it.
pub fn read_text(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn read_folder(path: &Path) -> io::Result<fs::ReadDir> {
    fs::read_dir(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
