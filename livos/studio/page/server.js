/** Sends requests with the token to the server, and turns errors into sentences. */

/** What went wrong, as a sentence for the user. */
export class ServerError extends Error {
  /**
   * @param {string} sentence
   * @param {number} status HTTP status; 0 if no answer came
   */
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

export class Server {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
    /** @type {number | null} the number of this page, from the server's greeting */
    this.page = null;
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Response>} an answer without error
   * @throws {ServerError}
   */
  async request(path, options = {}) {
    const headers = new Headers(options.headers);
    headers.set("X-Studio-Token", this.token);
    if (this.page !== null) headers.set("X-Studio-Page", String(this.page));
    let answer;
    try {
      answer = await fetch(path, { ...options, headers });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ServerError("LiVOS Studio is not responding. Is the program still running?", 0);
    }
    if (!answer.ok) throw new ServerError(await sentenceOf(answer), answer.status);
    return answer;
  }

  /** @returns {Promise<boolean>} whether a server answers that does not know the token: it was started since */
  async refuses() {
    try {
      await this.get("/api/state");
    } catch (error) {
      return error instanceof ServerError && error.status === 403;
    }
    return false;
  }

  /**
   * @param {string} path
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} the JSON of the answer
   */
  async get(path, signal) {
    return (await this.request(path, { signal })).json();
  }

  /**
   * Sends JSON.
   * @param {"POST" | "PUT" | "PATCH"} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>} the JSON of the answer, null if it is empty
   */
  async send(method, path, body = {}) {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.request(path, { method, headers, body: JSON.stringify(body) });
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
  }

  /**
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  post(path, body) {
    return this.send("POST", path, body);
  }

  /**
   * An address with the token in it, for links, which cannot set headers.
   * @param {string} path
   * @returns {string}
   */
  address(path) {
    return `${path}${path.includes("?") ? "&" : "?"}token=${encodeURIComponent(this.token)}`;
  }
}

/**
 * @param {Response} answer
 * @returns {Promise<string>}
 */
async function sentenceOf(answer) {
  try {
    const { error } = await answer.json();
    if (typeof error === "string" && error) return error;
  } catch {
    // not JSON: the sentence below is used
  }
  return `LiVOS Studio answered with error ${answer.status}.`;
}
