// The key panel: what keys there are, what they will cost, how they come about, and how they are forgotten.

import { age, bytes, duration, groups, rate } from "./format.js";
import { drawSeal } from "./seal.js";

/** What an upload is assumed to run at where nothing is known of the connection, in bytes a second. */
const UPLOAD = 100e6 / 8;
/** What two workers of an ordinary laptop make in a second, in bytes; one makes half. */
const MAKING = 60e6;
const AGE_SECONDS = 30;

export class KeyPanel {
  #root;
  #manifest;
  #state;
  #makers;
  #making;
  /** Whether it was here that the person asked to be forgotten. */
  #asked = false;

  /** `onForget()`: the person wants everything to be forgotten. */
  constructor(root, { makers, onForget }) {
    this.#root = root;
    this.#makers = makers;
    root.append(document.querySelector("#keys-template").content.cloneNode(true));
    const title = root.querySelector("h2");
    title.id = `${root.closest(".panel").id}-keys`;
    root.setAttribute("aria-labelledby", title.id);
    drawSeal(root.querySelector(".fingerprint-seal"));
    root.querySelector(".forget").addEventListener("click", () => {
      this.#asked = true;
      onForget();
    });
    setInterval(() => this.#render(), AGE_SECONDS * 1000);
  }

  manifest(manifest) {
    this.#manifest = manifest;
    this.#render();
  }

  /** Whether the keys that are to be sent may be: on a metered connection the person is asked. */
  mayUpload() {
    const { missingBytes = this.#manifest?.evaluation_key_bytes ?? 0 } = this.#state ?? {};
    if (missingBytes === 0 || !metered()) return true;
    return confirm(`This connection seems to be metered. The first press of the button sends ${bytes(missingBytes)} of evaluation keys. Send them now?`);
  }

  /** What the worker says of the keys. */
  keys(state) {
    this.#state = state;
    this.#making = undefined;
    if (state.exists) this.#say("");
    this.#render();
  }

  /** A step of the work, of which two are about keys. */
  step({ id, state, detail }) {
    if (!["keys", "upload"].includes(id) || detail.reused) return;
    this.#making ??= {};
    this.#making[id] = state === "done" ? { ...detail, made: undefined, done: undefined } : detail;
    const { keys, upload } = this.#making;
    const track = this.#root.querySelector(".track");
    track.hidden = upload?.total === undefined || state === "done";
    if (upload?.total !== undefined) track.firstElementChild.style.setProperty("--fraction", String((upload.done ?? upload.total) / upload.total));
    const line = [
      keys?.count === undefined ? "" : `${part(keys.made, keys.count, String)} keys made${rate(keys.rate)}`,
      upload?.total === undefined ? "" : `${part(upload.done, upload.total, bytes)} sent${rate(upload.rate)}`,
    ];
    const text = line.filter(Boolean).join(" · ");
    if (text) this.#root.querySelector(".keys-progress").textContent = text;
  }

  /** The work has ended; the line about its progress is left standing where it says how fast it was. */
  settle() {
    this.#root.querySelector(".track").hidden = true;
  }

  /** Everything is forgotten, or not quite. */
  forgotten({ deleted, left, browser, waits }) {
    this.#root.querySelector(".keys-progress").textContent = "";
    const server = left
      ? `The server did not confirm that your evaluation keys are gone (${left}). It drops them when they have not been used for a while; they open nothing.`
      : deleted > 0
        ? `The server confirmed: ${deleted === 1 ? "your key set is" : `your ${deleted} key sets are`} deleted.`
        : "The server had nothing of yours.";
    this.#say(`${wiped({ browser, waits })} ${server}`);
    // The button is gone, and with it the focus.
    if (this.#asked) this.#root.querySelector(".keys-note").focus();
    this.#asked = false;
  }

  #say(text) {
    this.#root.querySelector(".keys-note").textContent = text;
  }

  #render() {
    // Not before the server has said which keys it has: they might all be there.
    if (this.#manifest === undefined || this.#state === undefined) return;
    const { keys, evaluation_key_bytes: total } = this.#manifest;
    const { missing, missingBytes, exists, created, fingerprint, refusal } = this.#state;
    const find = (selector) => this.#root.querySelector(selector);
    this.#root.dataset.missing = String(missing);
    this.#root.dataset.fingerprint = fingerprint ?? "";
    find(".keys-state").textContent = this.#sentence({ count: keys.length, total, missing, missingBytes, exists, created });
    drawSeal(find(".fingerprint-seal"), fingerprint);
    const facts = [
      ["Fingerprint", fingerprint ? groups(fingerprint) : undefined],
      ["Secret made", created === undefined ? undefined : age(created)],
      ["Secret key", exists || created ? home(refusal) : undefined],
      ["On the server", missing < keys.length ? `${part(missing > 0 ? keys.length - missing : undefined, keys.length, String)} evaluation keys, ${bytes(total - missingBytes)}` : undefined],
    ];
    find(".keys-facts").replaceChildren(...facts.filter(([, text]) => text !== undefined).flatMap(([term, text]) => entry(term, text)));
    find(".forget").hidden = !exists && created === undefined;
  }

  #sentence({ count, total, missing, missingBytes, exists, created }) {
    if (exists && missing === 0) return `All ${count} evaluation keys are on the server. Nothing of them needs to be made or sent again.`;
    const cost = `${bytes(missingBytes)}, about ${duration((missingBytes / MAKING) * (2 / this.#makers))} to make and ${duration(missingBytes / UPLOAD)} to send at 100 Mbit/s${metered() ? ". This connection seems to be metered" : ""}`;
    if (exists && missing < count) return `${count - missing} of ${count} evaluation keys are on the server already. The next press makes and sends the other ${missing}: ${cost}.`;
    const why = created === undefined ? "None yet." : "The server has none of them any more.";
    return `${why} The first press of the button makes 1 secret key, which stays here, and ${count} evaluation keys for the server: ${cost}. They let it compute and open nothing.`;
  }
}

/** "4 of 10", or "10" when nothing is left. */
function part(done, all, say) {
  return done === undefined ? say(all) : `${say(done)} of ${say(all)}`;
}

function home(refusal) {
  return refusal === undefined
    ? "derived from 32 bytes in this browser, sealed by a key that it gives out to nobody"
    : `in this page's memory until you close it, because ${refusal}`;
}

function wiped({ browser, waits }) {
  if (browser) return `This browser did not delete your secret (${browser}): clear this site's data in its settings.`;
  if (waits) return "Your secret leaves this browser as soon as you close the other tabs of this page, which still hold on to it.";
  return "Your secret is wiped from this browser.";
}

function metered() {
  const { saveData, type } = navigator.connection ?? {};
  return Boolean(saveData) || type === "cellular";
}

function entry(term, text) {
  return [Object.assign(document.createElement("dt"), { textContent: term }), Object.assign(document.createElement("dd"), { textContent: text })];
}
