//! Class names.

use std::path::Path;

use crate::{ModelError, files, vit::Config};

/// Longest name accepted; names are shown to people.
const LENGTH: usize = 64;

/// Reads `labels.json` from a model's folder.
pub fn load(folder: &Path, config: &Config) -> Result<Vec<String>, ModelError> {
    parse(
        &files::read_json(folder, "labels.json")?,
        config.architecture.classes,
    )
}

/// Reads a JSON array of exactly `classes` distinct names; index = class.
pub fn parse(bytes: &[u8], classes: usize) -> Result<Vec<String>, ModelError> {
    let names: Vec<String> = serde_json::from_slice(bytes).map_err(|source| ModelError::Json {
        file: "labels.json",
        source,
    })?;
    if names.len() != classes {
        return Err(ModelError::Labels(format!(
            "{} names for {classes} classes",
            names.len()
        )));
    }
    let mut seen = std::collections::HashSet::new();
    for name in &names {
        if name.is_empty() || name.len() > LENGTH || name.chars().any(char::is_control) {
            return Err(ModelError::Labels(format!(
                "name {name:?} is empty, too long or not printable"
            )));
        }
        if !seen.insert(name) {
            return Err(ModelError::Labels(format!("name {name:?} occurs twice")));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn accepts_exactly_the_right_number_of_distinct_names() {
        assert_eq!(parse(br#"["apple","bear"]"#, 2).unwrap(), ["apple", "bear"]);
        for bad in [
            r#"["apple"]"#,
            r#"["a","a"]"#,
            r#"["a",""]"#,
            r#"["a","\u0007"]"#,
            r#"["a",1]"#,
            "x",
        ] {
            assert!(parse(bad.as_bytes(), 2).is_err(), "{bad}");
        }
    }
}
