/** Talks to the server that this page came from. */

import { best } from './emotions.js';

/** @typedef {import('./emotions.js').Face} Face */

/**
 * @typedef {Object} Reading What the server says of a picture.
 * @property {number} width Of the upright picture, in pixels.
 * @property {number} height
 * @property {Face[]} faces
 * @property {Object} json The server's own words.
 */

/** An error response. */
export class ApiError extends Error {
  /**
   * @param {number} status The HTTP status; 0 where the server was not reached.
   * @param {string} message For people.
   * @param {number} [retryAfter] Seconds after which it may be tried again.
   * @param {string} [code] What happened, for programs.
   */
  constructor(status, message, retryAfter, code = '') {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
    this.code = code;
  }

  /** Whether the same may work a little later. */
  get isBusy() { return this.status === 429 || this.status === 503; }
  get isOffline() { return this.status === 0; }
}

/**
 * Seconds that a `Retry-After` field asks for, 0.2 to 60.
 * @param {?string} field Seconds or a date.
 * @param {number} now Milliseconds.
 */
export function retryAfter(field, now) {
  let seconds = field === null || field.trim() === '' ? NaN : Number(field);
  if (field !== null && Number.isNaN(seconds)) seconds = (Date.parse(field) - now) / 1000;
  return Number.isNaN(seconds) ? 1 : Math.min(60, Math.max(0.2, seconds));
}

/**
 * One form for the faces of photos and of frames.
 * @param {Object} json A picture as the server describes it.
 * @returns {Reading}
 */
export function reading(json) {
  const faces = json.faces.map((/** @type {any} */ face, /** @type {number} */ index) => {
    const scores = face.smoothed ?? face.scores;
    const top = best(scores);
    const named = face.emotion !== null && face.confident !== false;
    return {
      track: face.track ?? index + 1,
      box: face.box,
      emotion: named ? face.emotion : null,
      best: named ? face.emotion : top.emotion,
      probability: named ? scores[face.emotion] : top.probability,
      scores,
      raw: face.scores,
      score: face.score ?? null,
      pose: face.pose ?? null,
      measures: face.measures ?? null,
      reason: face.reason ?? (named ? null : 'unsure'),
    };
  });
  return { width: json.width, height: json.height, faces, json };
}

const TOKEN = 'mien-token';

/** The server, as its clients see it. */
export class Server {
  /** @param {(wasRefused: boolean) => Promise<?string>} askForToken Resolves to null if the person cancels. */
  constructor(askForToken) {
    this.askForToken = askForToken;
    /** Called when a token was given. */
    this.onToken = () => {};
    /** The server has no profile of this name any more. @type {(name: string) => void} */
    this.onNoProfile = () => {};
    this.paths = /** @type {Set<string>} */ (new Set());
    /** Whether a video's rows are told while it is being read. */
    this.offersPartialRows = false;
    /** The profile to read with; null for what the server uses by itself, empty for none. @type {?string} */
    this.profile = null;
    /** @type {?Promise<?string>} */
    this.asking = null;
  }

  get token() { return sessionStorage.getItem(TOKEN); }
  forgetToken() { sessionStorage.removeItem(TOKEN); }

  /** Learns what the server offers. */
  async discover() {
    const document = await this.json('GET', '/openapi.json');
    this.paths = new Set(Object.keys(document.paths ?? {}));
    const result = document.paths?.['/v1/video/{id}/result']?.get?.parameters ?? [];
    this.offersPartialRows = result.some((/** @type {any} */ { name }) => name === 'partial');
  }

  /** @param {string} path As in the OpenAPI document. */
  offers(path) { return this.paths.has(path); }

  /**
   * @param {Blob} picture
   * @param {AbortSignal} [signal]
   * @returns {Promise<Reading>}
   */
  async detect(picture, signal) {
    const query = new URLSearchParams({ ...this.options, landmarks: 'six' });
    return reading(await this.json('POST', `/v1/detect?${query}`, picture, signal));
  }

  /** How to read, whatever is read. */
  get options() {
    return this.profile === null ? {} : { profile: this.profile };
  }

  /**
   * The model in use, and the profile that it reads with where the server says so.
   * @returns {Promise<{name: string, emotions: string[], profile?: ?string}>}
   */
  async model() {
    const { models, profile } = await this.json('GET', '/v1/models');
    const used = models.find((/** @type {any} */ model) => model.default) ?? models[0];
    return { ...used, profile: used.profile ?? profile ?? null };
  }

  /**
   * Sends a request, with the token where there is one, and asks for one where it is needed.
   * @param {string} method
   * @param {string} path
   * @param {Blob|Object} [body] A picture, or what to send as JSON.
   * @param {AbortSignal} [signal]
   * @param {boolean} [keepalive] Whether it outlives the page.
   * @returns {Promise<any>}
   */
  async json(method, path, body, signal, keepalive = false) {
    const response = await this.request(method, path, body, signal, keepalive);
    if (response.status === 204) return null;
    const json = await response.json().catch(() => null);
    signal?.throwIfAborted();
    if (json === null) throw new ApiError(502, 'The server’s answer was cut short.');
    return json;
  }

  /**
   * As `json`, for an answer that is text.
   * @param {string} path @param {AbortSignal} [signal] @returns {Promise<string>}
   */
  async text(path, signal) { return (await this.request('GET', path, undefined, signal, false)).text(); }

  /** @private */
  async request(method, path, body, signal, keepalive) {
    for (;;) {
      const token = this.token;
      const response = await this.send(method, path, body, token, signal, keepalive);
      if (response.status === 401 && !keepalive) {
        if (!(await this.newToken(token))) throw new ApiError(401, 'This server needs an access token.');
        continue;
      }
      if (response.ok) return response;
      throw this.failure(response.status, await response.json().catch(() => null), response.headers.get('Retry-After'));
    }
  }

  /**
   * What an error response says.
   * @private @param {number} status @param {any} json Its body. @param {?string} retry Its `Retry-After`.
   */
  failure(status, json, retry) {
    const { message, code } = json?.error ?? {};
    const error = new ApiError(status, message ?? `The server answered ${status}.`, retryAfter(retry, Date.now()), code);
    if (error.code === 'no_profile' && this.profile) this.onNoProfile(this.profile);
    return error;
  }

  /**
   * Sends a large file.
   * @param {string} path @param {Blob} file
   * @param {(share: number) => void} onProgress How much of it is sent, 0…1.
   * @param {AbortSignal} signal
   * @returns {Promise<any>} The answer's JSON.
   */
  upload(path, file, onProgress, signal) {
    // fetch does not tell how much was sent.
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let isSent = false;
      request.upload.onload = () => { isSent = true; };
      // What the server has it may have accepted: the answer says under which name.
      signal.addEventListener('abort', () => { if (!isSent) request.abort(); });
      request.open('POST', path);
      if (this.token) request.setRequestHeader('Authorization', `Bearer ${this.token}`);
      request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
      request.responseType = 'json';
      request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
      request.onerror = () => reject(new ApiError(0, 'The server does not answer, or refused the file.'));
      request.onabort = () => reject(signal.reason);
      request.onload = () => {
        const { status, response } = request;
        if (status >= 200 && status < 300 && response) resolve(response);
        else reject(this.failure(status, response, request.getResponseHeader('Retry-After')));
      };
      request.send(file);
    });
  }

  /**
   * Requests that are refused at the same time ask once.
   * @param {?string} refused The token that did not do.
   */
  async newToken(refused) {
    if (this.token !== refused) return this.token;
    if (!this.asking) {
      this.asking = this.askForToken(refused !== null).finally(() => { this.asking = null; });
      const token = await this.asking;
      if (token) {
        sessionStorage.setItem(TOKEN, token);
        this.onToken();
      }
      return token;
    }
    return this.asking;
  }

  /** @private */
  async send(method, path, body, token, signal, keepalive) {
    /** @type {Object<string, string>} */
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    let content = body;
    if (body instanceof Blob) {
      headers['Content-Type'] = body.type || 'application/octet-stream';
    } else if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      content = JSON.stringify(body);
    }
    try {
      return await fetch(path, { method, headers, body: content, signal, keepalive, cache: 'no-store' });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, 'The server does not answer.');
    }
  }
}

/**
 * Tries again if the server is busy or does not answer, as often as it takes.
 * @template T
 * @param {() => Promise<T>} action
 * @param {(error: ApiError, seconds: number, tryNow: () => void) => void} onWait `tryNow` ends the pause.
 * @param {AbortSignal} signal Ends it.
 * @returns {Promise<T>}
 */
export async function patiently(action, onWait, signal) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await action();
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError) || !(error.isBusy || error.isOffline)) throw error;
      const seconds = pause(error, failures);
      await new Promise((resolve) => {
        setTimeout(resolve, seconds * 1000);
        onWait(error, seconds, () => resolve(undefined));
      });
      signal.throwIfAborted();
    }
  }
}

/**
 * How long to leave the server alone: what a busy one asks for, longer from failure to failure. One that does not answer
 * may be back at any moment, and is asked every four seconds at least.
 * @param {ApiError} error
 * @param {number} failures How many there were before.
 * @returns {number} Seconds.
 */
export function pause(error, failures) {
  const asked = error.isBusy ? error.retryAfter ?? 1 : 0.5;
  return Math.min(error.isBusy ? 15 : 4, asked * 2 ** Math.min(failures, 5));
}
