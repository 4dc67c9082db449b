//! Breaches of WCAG 2.2, levels A and AA, that axe-core finds in the page as it stands.

use std::fs;

use crate::chromium::Chromium;
use crate::visit::Outcome;
use crate::workspace;

const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// One line for each element that breaks a rule.
pub fn breaches(page: &mut Chromium) -> Outcome<Vec<String>> {
    let script = workspace::root().join("target/axe/axe.min.js");
    let missing = |_| format!("{} is missing: run tools/axe.sh", script.display());
    page.evaluate(&fs::read_to_string(&script).map_err(missing)?)?;
    let found = page.evaluate(&format!(
        "axe.run(document, {{ runOnly: {{ type: 'tag', values: {RULES} }} }}).then(({{ violations, passes }}) => \
         passes.length < 20 ? ['axe looked at nothing'] : violations.flatMap(({{ id, help, nodes }}) => \
         nodes.map(({{ target, failureSummary }}) => `${{id}} (${{help}}): ${{target}}: ${{failureSummary}}`)))"
    ))?;
    let found = found.as_array().ok_or("axe gave no list")?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// Fails when there are any, in the light or in the dark scheme, on a wide or on a narrow screen.
pub fn assert_accessible(page: &mut Chromium, state: &str) -> Outcome<()> {
    for (scheme, width) in [("light", 1280), ("dark", 360)] {
        page.look(scheme, width)?;
        let breaches = breaches(page)?;
        assert!(
            breaches.is_empty(),
            "{state}, {scheme}, {width}: {breaches:#?}"
        );
        let overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")?;
        assert!(
            overflow.as_i64().unwrap_or(1) <= 0,
            "{state}: {overflow} pixels too wide for {width}"
        );
    }
    page.look("light", 1280)?;
    Ok(())
}
