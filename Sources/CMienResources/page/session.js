/** Sessions: the server follows faces from frame to frame. */

import { ApiError, reading } from './api.js';

/** @typedef {import('./api.js').Server} Server @typedef {import('./api.js').Reading} Reading */

/**
 * @typedef {Object} Opened A session of the server's.
 * @property {Promise<string>} id
 * @property {Map<number, number>} numbers The page's numbers of faces by the session's own.
 * @property {number} underWay How many frames it was sent that are not answered.
 * @property {boolean} isOver Whether it is to be given up once they are.
 */

/** One session of the server's after another, with numbers of faces that are not used again. */
export class Session {
  /** @param {Server} server */
  constructor(server) {
    this.server = server;
    this.abort = new AbortController();
    /** @type {?Opened} */
    this.current = null;
    /** How many faces have a number. */
    this.count = 0;
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
      session.underWay += 1;
      try {
        return await this.send(session, picture, seconds);
      } catch (error) {
        if (!(error instanceof ApiError) || !['no_session', 'no_profile'].includes(error.code)) throw error;
        // The profile was deleted and is no longer chosen, or the server has forgotten the session: it does so if one is not
        // used for a while, and with all when it is started anew. Of two frames that learn of it, one opens the next session.
        if (this.current === session) this.current = null;
        if (isSecond) throw new ApiError(503, 'The session is over.', 0.2);
      } finally {
        session.underWay -= 1;
        if (session.isOver && session.underWay === 0) this.delete(session);
      }
    }
  }

  /** @private @param {Opened} session */
  async send(session, picture, seconds) {
    const path = `/v1/sessions/${await session.id}/frames?seconds=${seconds.toFixed(3)}`;
    const found = reading(await this.server.json('POST', path, picture, this.abort.signal));
    for (const face of found.faces) {
      const number = session.numbers.get(face.track) ?? (this.count += 1);
      session.numbers.set(face.track, number);
      face.track = number;
    }
    return found;
  }

  /** @private @returns {Opened} */
  open() {
    if (this.current) return this.current;
    const id = this.server.json('POST', '/v1/sessions', this.server.options, this.abort.signal)
      .then((/** @type {any} */ json) => json.id);
    const session = { id, numbers: new Map(), underWay: 0, isOver: false };
    this.current = session;
    // A failed attempt is not kept.
    id.catch(() => { if (this.current === session) this.current = null; });
    return session;
  }

  /** The next frame does not follow the last one: it is read in a session of its own. */
  renew() {
    const session = this.current;
    this.current = null;
    if (!session) return;
    session.isOver = true;
    if (session.underWay === 0) this.delete(session);
  }

  /** Lets the server forget a session. @private @param {Opened} session */
  delete({ id }) {
    id.then((name) => this.server.json('DELETE', `/v1/sessions/${name}`, undefined, undefined, true)).catch(() => {});
  }

  /** Gives up what is under way. A frame that is read later opens the next session. */
  close() {
    this.abort.abort();
    this.abort = new AbortController();
    if (this.current) this.delete(this.current);
    this.current = null;
  }
}
