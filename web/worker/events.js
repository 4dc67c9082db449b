// Server-sent events, read from lines. `EventSource` would do, but it does not exist in every browser's workers and reconnects by itself.

/** Turns lines into `{name, data}`; comments and keep-alives are passed over. */
export async function* events(lines) {
  let name = "";
  let data = "";
  for await (const raw of lines) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "") {
      if (name && data) yield { name, data: JSON.parse(data) };
      name = "";
      data = "";
    } else if (line.startsWith("event:")) {
      name = line.slice(6).trim();
    } else if (line.startsWith("data:")) {
      data += line.slice(5).trim();
    }
  }
}
