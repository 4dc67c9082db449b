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
