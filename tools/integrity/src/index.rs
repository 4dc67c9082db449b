//! `index.html` with a digest at everything that a browser can check.

use std::io;

/// Adds `integrity` to scripts and style sheets, and before the script a `modulepreload` with `integrity` for each of `modules`: a
/// module's imports can carry none themselves. One tag stands on one line.
pub fn sealed(
    html: &str,
    modules: &[String],
    integrity: impl Fn(&str) -> io::Result<String>,
) -> io::Result<String> {
    let mut lines = Vec::new();
    let mut scripts = 0;
    for line in html.lines() {
        let tag = line.trim_start();
        let script = tag.starts_with("<script");
        let name = if script {
            attribute(tag, "src")
        } else if tag.contains("rel=\"stylesheet\"") {
            attribute(tag, "href")
        } else {
            None
        };
        let Some(name) = name else {
            if script {
                return Err(io::Error::other(format!("a script without a file: {tag}")));
            }
            lines.push(line.to_owned());
            continue;
        };
        if script {
            scripts += 1;
            let indent = &line[..line.len() - tag.len()];
            for module in modules.iter().filter(|module| *module != name) {
                lines.push(format!(
                    "{indent}<link rel=\"modulepreload\" href=\"{module}\" integrity=\"{}\">",
                    integrity(module)?
                ));
            }
        }
        let (head, rest) = line.split_once('>').unwrap_or((line, ""));
        lines.push(format!("{head} integrity=\"{}\">{rest}", integrity(name)?));
    }
    if scripts != 1 {
        return Err(io::Error::other(format!(
            "index.html has {scripts} scripts and should have one"
        )));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::sealed;

    const PAGE: &str = "<head>\n  <link rel=\"icon\" href=\"icon.svg\">\n  <link rel=\"stylesheet\" href=\"a.css\" media=\"print\">\n  <script type=\"module\" src=\"main.js\"></script>\n</head>\n";

    fn integrity(path: &str) -> io::Result<String> {
        Ok(format!("of {path}"))
    }

    #[test]
    fn scripts_styles_and_modules_get_digests() {
        let modules = ["main.js".to_owned(), "x.js".to_owned()];
        assert_eq!(
            sealed(PAGE, &modules, integrity).unwrap(),
            "<head>\n  <link rel=\"icon\" href=\"icon.svg\">\n  \
             <link rel=\"stylesheet\" href=\"a.css\" media=\"print\" integrity=\"of a.css\">\n  \
             <link rel=\"modulepreload\" href=\"x.js\" integrity=\"of x.js\">\n  \
             <script type=\"module\" src=\"main.js\" integrity=\"of main.js\"></script>\n</head>\n"
        );
    }

    #[test]
    fn a_page_with_other_scripts_is_refused() {
        for page in ["<p>none</p>", "<script>inline()</script>"] {
            assert!(sealed(page, &[], integrity).is_err(), "{page}");
        }
        assert!(sealed(&[PAGE, PAGE].concat(), &[], integrity).is_err());
    }
}
