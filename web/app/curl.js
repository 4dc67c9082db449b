// A request as a command for a terminal, for whoever wants to ask the server themselves.

/** `media` is the type of the body, which is not part of the command but read from a file. */
export function curl({ method, path, media }) {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  if (media) parts.push("-H", quote(`content-type: ${media}`), "--data-binary", "@body");
  parts.push(quote(new URL(path, location.origin).href));
  return parts.join(" ");
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
