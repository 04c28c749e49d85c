/** A session: the server follows faces from frame to frame. */

import { ApiError, MIN_CONFIDENCE, reading } from './api.js';

/** @typedef {import('./api.js').Server} Server @typedef {import('./api.js').Reading} Reading */

export class Session {
  /** @param {Server} server */
  constructor(server) {
    this.server = server;
    this.abort = new AbortController();
    /** @type {?Promise<string>} */
    this.id = null;
    /** The highest number of a face, and that which numbers of this session come after: none is used again. */
    this.highest = 0;
    this.offset = 0;
  }

  /**
   * Reads a frame.
   * @param {Blob} picture
   * @param {number} seconds Its time.
   * @returns {Promise<Reading>}
   */
  async read(picture, seconds) {
    for (let isSecond = false; ; isSecond = true) {
      const session = this.open();
      try {
        return await this.send(await session, picture, seconds);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
        // The server forgets sessions that are not used for a while, and all of them when it is started anew. Of two
        // frames that learn of it, one opens the next session.
        if (this.id === session) {
          this.id = null;
          this.offset = this.highest;
        }
        if (isSecond) throw new ApiError(503, 'The session is over.', 0.2);
      }
    }
  }

  /** @private */
  async send(id, picture, seconds) {
    const path = `/v1/sessions/${id}/frames?seconds=${seconds.toFixed(3)}`;
    const offset = this.offset;
    const found = reading(await this.server.json('POST', path, picture, this.abort.signal));
    for (const face of found.faces) {
      face.track += offset;
      this.highest = Math.max(this.highest, face.track);
    }
    return found;
  }

  /** @private */
  open() {
    this.id ??= this.server.json('POST', '/v1/sessions', { minConfidence: MIN_CONFIDENCE }, this.abort.signal).then(({ id }) => id);
    // A failed attempt is not kept.
    this.id.catch(() => { this.id = null; });
    return this.id;
  }

  /** Lets the server forget it. */
  close() {
    this.abort.abort();
    this.id?.then((id) => this.server.json('DELETE', `/v1/sessions/${id}`, undefined, undefined, true)).catch(() => {});
    this.id = null;
  }
}
