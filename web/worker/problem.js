// An error that a person can act on.

/** What happened, and what to do about it. */
export class Problem extends Error {
  /** `passing`: the network was in the way, not the server. */
  constructor({ title, detail = "", hint = "", type = "", passing = false }) {
    super(title);
    this.passing = passing;
    this.detail = detail;
    this.hint = hint;
    this.slug = type.split("#")[1] ?? "";
  }
}

/** A downloaded file of the model is another one than the manifest names; `cause` says which. */
export function foreignFile(cause) {
  return new Problem({
    title: "A file of the model is not what the server says it is",
    detail: cause.message,
    hint: "Reload the page. If it happens again, do not use this server.",
  });
}
