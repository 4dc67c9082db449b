//! Which modules a browser loads for one: its static imports and theirs.

use std::{collections::BTreeSet, io, path::Path};

use crate::files;

/// `module` and all that it imports, by paths from `root`.
pub fn reachable(root: &Path, module: &str) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut left = vec![module.to_owned()];
    while let Some(path) = left.pop() {
        if found.contains(&path) {
            continue;
        }
        let source = files::read_text(&root.join(&path))?;
        left.extend(named(&source).map(|name| resolve(&path, name)));
        found.insert(path);
    }
    Ok(found)
}

/// What a module's source names in `from "…"` and `import "…"`.
fn named(source: &str) -> impl Iterator<Item = &str> {
    let after = |keyword| source.split(keyword).skip(1);
    after(" from \"")
        .chain(after("import \""))
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| name.starts_with('.') && name.ends_with(".js"))
}

/// The path that `name` means in the module at `path`.
fn resolve(path: &str, name: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{reachable, resolve};

    #[test]
    fn imports_are_followed_once_each() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "app/main.js",
            "import { a } from \"./a.js\";\nimport \"./b.js\";\nimport(\"./later.js\");\nconst text = \"from\";",
        );
        write(
            "app/a.js",
            "export {\n  c,\n} from \"../worker/c.js\";\nimport { b } from \"./b.js\";",
        );
        write("app/b.js", "import { a } from \"./a.js\";");
        write("worker/c.js", "export const c = 1;");
        let found = reachable(root.path(), "app/main.js").unwrap();
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        assert_eq!(
            found,
            ["app/a.js", "app/b.js", "app/main.js", "worker/c.js"]
        );

        write("app/b.js", "import \"./missing.js\";");
        let error = reachable(root.path(), "app/main.js").unwrap_err();
        assert!(error.to_string().contains("missing.js"), "{error}");
    }

    #[test]
    fn names_are_relative_to_their_module() {
        assert_eq!(resolve("app/main.js", "./keys.js"), "app/keys.js");
        assert_eq!(
            resolve("app/main.js", "../worker/store.js"),
            "worker/store.js"
        );
    }
}
