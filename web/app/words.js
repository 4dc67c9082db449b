// Tokens as people can read them: most begin with their space, some are a line break or a part of a character.

const MARKS = [
  [/^ +/, (spaces) => "␣".repeat(spaces.length)],
  [/\n/g, () => "⏎"],
  [/\t/g, () => "⇥"],
];

/** `word` with its blanks made visible, for a table. */
export function visible(word) {
  if (word === "") return "nothing";
  if (/^\ufffd+$/.test(word)) return "part of a character";
  return MARKS.reduce((text, [pattern, mark]) => text.replace(pattern, mark), word);
}

/** `word` as it is spoken of in a sentence. */
export function quoted(word) {
  const shown = word.trim() === "" ? visible(word) : word.trim();
  return `“${shown}”`;
}
