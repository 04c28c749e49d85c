/** A video that the server reads as a whole. */

import { ApiError, patiently, reading } from './api.js';

/** @typedef {import('./api.js').Server} Server @typedef {import('./record.js').Row} Row */

/** Milliseconds. */
const ASK_EVERY = 700;
/** Rows are looked at while the video is being read, as long as they are at most so many characters. */
const MOST_PARTIAL = 4 << 20;

/** A video that the server cannot read, however often it is sent. */
export class Unreadable extends Error {}

export class VideoJob {
  /**
   * @param {Server} server
   * @param {(text: string) => void} onState Says how far it is.
   * @param {(rows: string) => void} onRows The rows so far, JSON Lines.
   */
  constructor(server, onState, onRows) {
    Object.assign(this, { server, onState, onRows });
    this.abort = new AbortController();
    this.id = /** @type {?string} */ (null);
  }

  /**
   * Sends a video and waits until it is read.
   * @param {File} file
   * @returns {Promise<string>} The rows, as `mien video --json` writes them.
   */
  async read(file) {
    const { signal } = this.abort;
    // Asks for a token, where one is needed, before much is sent.
    await this.server.json('GET', '/v1/models', undefined, signal);
    this.onState('Sending…');
    const sending = (/** @type {number} */ share) => this.onState(share < 1 ? `Sending ${Math.floor(100 * share)} %` : 'Waiting…');
    const job = await this.server.upload(`/v1/video?${new URLSearchParams(this.server.options)}`, file, sending, signal);
    this.id = job.id;
    if (signal.aborted) this.close();
    signal.throwIfAborted();
    const asked = (/** @type {() => Promise<any>} */ action) => patiently(action, () => {}, signal);
    let isSmall = this.server.offersPartialRows;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
      signal.throwIfAborted();
      const { state, progress, error, errorCode, profile } = await asked(() => this.server.json('GET', `/v1/video/${job.id}`, undefined, signal));
      if (state === 'done') return asked(() => this.server.text(`/v1/video/${job.id}/result`, signal));
      if (state === 'failed') throw this.failure(error ?? 'The server could not read this video.', errorCode, profile);
      this.onState(state === 'queued' ? 'Waiting…' : progress === null ? 'Reading…' : `Reading ${Math.floor(100 * progress)} %`);
      if (state !== 'running' || !isSmall) continue;
      const text = await this.server.text(`/v1/video/${job.id}/result?partial=true`, signal).catch(() => '');
      isSmall = text.length < MOST_PARTIAL;
      if (text) this.onRows(text);
    }
  }

  /**
   * Why a video was not read. A profile that was deleted in the meantime is told, as in answers to other requests.
   * @private @param {string} message @param {?string} code @param {?string} profile
   */
  failure(message, code, profile) {
    if (code === 'unreadable_video') return new Unreadable(message);
    if (code !== 'no_profile') return new Error(message);
    if (profile === this.server.profile) this.server.onNoProfile(profile);
    return new ApiError(404, message, undefined, code);
  }

  /** Gives it up, or has the server forget what it has read. */
  close() {
    this.abort.abort();
    const { id } = this;
    this.id = null;
    if (id) this.server.json('DELETE', `/v1/video/${id}`, undefined, undefined, true).catch(() => {});
  }
}

/**
 * The frames of rows.
 * @param {string} text JSON Lines; what follows the last line's end is passed over.
 * @param {number} width Of the video, in pixels. @param {number} height
 * @returns {Row[]}
 */
export function framesOf(text, width, height) {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  /** @type {Map<number, {seconds: number, faces: any[]}>} */
  const frames = new Map();
  for (const { frame, seconds, ...face } of lines) {
    const entry = frames.get(frame) ?? { seconds, faces: [] };
    if (face.track !== null) entry.faces.push(face);
    frames.set(frame, entry);
  }
  return [...frames].map(([frame, { seconds, faces }]) => ({ frame, seconds, width, height, faces: reading({ faces }).faces }));
}
