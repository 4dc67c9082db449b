//! What is printed.

use std::io::Write;

use serde::Serialize;

use crate::CliError;

/// Prints one line of JSON.
pub fn print(report: &impl Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    let line =
        serde_json::to_string(report).map_err(|error| CliError::Protocol(error.to_string()))?;
    writeln!(out, "{line}")?;
    Ok(())
}

/// Prints a table: a line of titles, then the rows. The last column may be empty.
pub fn table<const N: usize>(
    titles: [&str; N],
    rows: &[[String; N]],
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let titles = titles.map(str::to_owned);
    let lines = || std::iter::once(&titles).chain(rows);
    for line in lines() {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let width = lines().map(|line| line[column].chars().count()).max();
            format!("{cell:<width$}", width = width.unwrap_or(0))
        });
        let text = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Whatever a server or a parser put into a text, it stays one line and moves no cursor.
pub fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes as a person reads them.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut out = Vec::new();
        let rows = [["a", "bcd"], ["efg", ""]].map(|row| row.map(str::to_owned));
        table(["X", "Y"], &rows, &mut out).unwrap();
        assert_eq!(out, b"X    Y\na    bcd\nefg\n");
    }

    #[test]
    fn text_from_outside_is_one_line() {
        assert_eq!(one_line(" a\u{1b}[2J\r\nb\u{9b}"), "a [2J b");
    }
}
