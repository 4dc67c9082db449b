//! Labelled images: one folder per class.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::CliError;

const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// An image and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Index of the class.
    pub class: usize,
    /// The file.
    pub path: PathBuf,
}

/// All images below `folder`: the first of every class in the order of the classes, then the second of every class, and so on.
pub fn list(folder: &Path, labels: &[String]) -> Result<Vec<Labelled>, CliError> {
    let mut classes: Vec<(usize, Vec<PathBuf>)> = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(class) = labels.iter().position(|label| *label == name) else {
            return Err(CliError::UnknownClass {
                folder: folder.display().to_string(),
                name,
            });
        };
        let images = entries(&path)?
            .into_iter()
            .filter(|path| is_image(path))
            .collect();
        classes.push((class, images));
    }
    classes.sort();
    let longest = classes
        .iter()
        .map(|(_, images)| images.len())
        .max()
        .unwrap_or(0);
    let mut listed = Vec::new();
    for round in 0..longest {
        for (class, images) in &classes {
            if let Some(path) = images.get(round) {
                listed.push(Labelled {
                    class: *class,
                    path: path.clone(),
                });
            }
        }
    }
    if listed.is_empty() {
        return Err(CliError::NoImage(folder.display().to_string()));
    }
    Ok(listed)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(CliError::read(folder))? {
        paths.push(entry.map_err(CliError::read(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    path.is_file() && EXTENSIONS.contains(&extension.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_class_by_class_in_turn() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "pear/2.png",
            "pear/1.PNG",
            "pear/notes.txt",
            "apple/9.png",
            "fig/a.webp",
            "fig/b.png",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let labels = ["fig", "unused", "pear", "apple"].map(str::to_owned);
        let listed = list(folder.path(), &labels).unwrap();
        let names: Vec<_> = listed
            .iter()
            .map(|image| {
                (
                    image.class,
                    image.path.file_name().unwrap().to_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                (0, "a.webp"),
                (2, "1.PNG"),
                (3, "9.png"),
                (0, "b.png"),
                (2, "2.png")
            ]
        );
    }
}
