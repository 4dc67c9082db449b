// A table in IndexedDB: names and values. Every refusal of the browser is a rejected promise.

const DATABASE = "cipherformer";
const TABLE = "kept";
/** Milliseconds that other tabs have to let go of a database that is to be deleted. */
const BLOCKED_PATIENCE = 3000;

export class Store {
  #database;

  /** `onDeleted()` is called when another tab deletes everything. */
  static async open(onDeleted = () => {}) {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    const store = new Store();
    store.#database = await outcome(request);
    store.#database.onversionchange = () => {
      store.close();
      onDeleted();
    };
    return store;
  }

  /** Deletes everything, in all tabs: `false` when that has to wait for another tab to end. */
  static destroy() {
    const request = indexedDB.deleteDatabase(DATABASE);
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(true);
      request.onerror = () => reject(request.error);
      // Other tabs are asked to close it, and most do after this event.
      request.onblocked = () => setTimeout(() => resolve(false), BLOCKED_PATIENCE);
    });
  }

  close() {
    this.#database.close();
  }

  names() {
    return outcome(this.#table("readonly").getAllKeys());
  }

  get(name) {
    return outcome(this.#table("readonly").get(name));
  }

  async put(name, value) {
    const table = this.#table("readwrite");
    table.put(value, name);
    await written(table.transaction);
  }

  /** The value that is there; `value` where there is none, which then is. */
  async getOrPut(name, value) {
    const table = this.#table("readwrite");
    const present = await outcome(table.get(name));
    if (present !== undefined) return present;
    table.put(value, name);
    await written(table.transaction);
    return value;
  }

  async delete(name) {
    const table = this.#table("readwrite");
    table.delete(name);
    await written(table.transaction);
  }

  #table(mode) {
    return this.#database.transaction(TABLE, mode).objectStore(TABLE);
  }
}

function outcome(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function written(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}
