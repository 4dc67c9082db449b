//! The known answers, natively. `UPDATE_KNOWN_ANSWERS=1` writes the file anew: every client in the field then makes other keys.

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/known-answers.txt");

#[test]
fn native_answers_are_the_known_ones() {
    let answers: String = vectors::SETS.map(vectors::known_answers).concat();
    if std::env::var_os("UPDATE_KNOWN_ANSWERS").is_some() {
        std::fs::write(FILE, &answers).unwrap();
    }
    let known = std::fs::read_to_string(FILE).unwrap();
    for (found, known) in answers.lines().zip(known.lines()) {
        assert_eq!(found, known);
    }
    assert_eq!(answers.lines().count(), known.lines().count());
    assert!(!answers.contains("failed"));
}
