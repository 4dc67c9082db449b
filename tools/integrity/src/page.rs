//! The page's files, and what is written beside them.

use std::{fmt::Write as _, fs, io, path::Path};

use crate::{digest::Digest, files, imports, index};

const INDEX: &str = "index.html";
const MAIN: &str = "app/main.js";
/// Read by `worker/integrity.js`.
const DIGESTS: &str = "pkg/integrity.js";
const LIST: &str = "sha256sums.txt";

/// Writes the digests of all scripts and WebAssembly in `folders` of `root` where the page's modules find them.
pub fn write_digests(root: &Path, folders: &[&str]) -> io::Result<()> {
    let mut text = "// Written by tools/integrity.\nexport const DIGESTS = {\n".to_owned();
    for folder in folders {
        let checked = files::below(root, folder)?
            .into_iter()
            .filter(|path| path != DIGESTS && (path.ends_with(".js") || path.ends_with(".wasm")));
        for path in checked {
            let _ = writeln!(text, "  \"{path}\": \"{}\",", integrity(root, &path)?);
        }
    }
    text.push_str("};\n");
    fs::write(root.join(DIGESTS), text)
}

/// Copies the page from `web` to `output`, with digests at everything that a browser can check and a list of all files. An earlier
/// page at `output` is replaced; any other folder is left alone.
pub fn build(web: &Path, output: &Path) -> io::Result<()> {
    make_room(output)?;
    for path in files::below(web, "")? {
        // For people who read the source.
        if path.ends_with(".md") || path.ends_with(".d.ts") {
            continue;
        }
        let target = output.join(&path);
        fs::create_dir_all(target.parent().unwrap_or(output))?;
        fs::write(target, files::read(&web.join(&path))?)?;
    }
    write_digests(output, &["pkg", "worker"])?;
    let modules: Vec<String> = imports::reachable(output, MAIN)?.into_iter().collect();
    let html = files::read_text(&output.join(INDEX))?;
    let html = index::sealed(&html, &modules, |path| integrity(output, path))?;
    fs::write(output.join(INDEX), html)?;
    let mut list = String::new();
    for path in files::below(output, "")? {
        let digest = Digest::of(&files::read(&output.join(&path))?);
        let _ = writeln!(list, "{}  {path}", digest.hexadecimal());
    }
    fs::write(output.join(LIST), list)
}

fn integrity(root: &Path, path: &str) -> io::Result<String> {
    Ok(Digest::of(&files::read(&root.join(path))?).integrity())
}

fn make_room(output: &Path) -> io::Result<()> {
    if output.join(LIST).is_file() {
        return fs::remove_dir_all(output);
    }
    let holds_something = fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_some());
    if holds_something {
        return Err(io::Error::other(format!(
            "{} holds something else than a page",
            output.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{DIGESTS, LIST, build};
    use crate::digest::Digest;

    fn page(root: &Path) {
        for (path, text) in [
            (
                "index.html",
                "<script type=\"module\" src=\"app/main.js\"></script>\n",
            ),
            (
                "app/main.js",
                "import { DIGESTS } from \"../pkg/integrity.js\";",
            ),
            ("worker/main.js", "work();"),
            ("pkg/simd/client.wasm", "\0asm"),
            ("pkg/simd/client.d.ts", "types"),
            ("README.md", "about"),
            (".hidden", "no"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn the_chain_of_digests_begins_in_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let (web, output) = (folder.path().join("web"), folder.path().join("page"));
        page(&web);
        // What a worker may load is named, and the list of it is named in the index.
        build(&web, &output).unwrap();
        let read = |path: &str| fs::read_to_string(output.join(path)).unwrap();
        let digests = read(DIGESTS);
        let wasm = Digest::of(b"\0asm").integrity();
        assert!(digests.contains(&format!("\"pkg/simd/client.wasm\": \"{wasm}\"")));
        assert!(digests.contains("\"worker/main.js\": \"sha256-"));
        let named = Digest::of(digests.as_bytes()).integrity();
        assert!(read("index.html").contains(&format!("href=\"{DIGESTS}\" integrity=\"{named}\"")));

        let list = read(LIST);
        let listed: Vec<_> = list.lines().map(|line| &line[66..]).collect();
        assert_eq!(
            listed,
            [
                "app/main.js",
                "index.html",
                DIGESTS,
                "pkg/simd/client.wasm",
                "worker/main.js"
            ]
        );
        let index = Digest::of(read("index.html").as_bytes()).hexadecimal();
        assert!(list.contains(&format!("{index}  index.html\n")));
    }

    #[test]
    fn a_page_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (web, output) = (folder.path().join("web"), folder.path().join("page"));
        page(&web);
        build(&web, &output).unwrap();
        let first = fs::read(output.join(LIST)).unwrap();
        fs::write(output.join("stale.js"), "old").unwrap();
        build(&web, &output).unwrap();
        assert_eq!(fs::read(output.join(LIST)).unwrap(), first);
        assert!(!output.join("stale.js").exists());

        fs::write(web.join("worker/main.js"), "work() ;").unwrap();
        build(&web, &output).unwrap();
        assert_ne!(fs::read(output.join(LIST)).unwrap(), first);
        assert!(
            build(&output, &web).is_err(),
            "a folder of sources is no page"
        );
    }
}
