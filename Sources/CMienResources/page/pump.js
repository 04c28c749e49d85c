/** Sends the frames of a video while there is room, and drops the others. */

import { ApiError, pause } from './api.js';

/**
 * At most two frames are under way: one that the server reads and one that travels. A frame that comes while there is no
 * room is dropped, never kept for later, so that what is shown stays close to now.
 * @template Frame, Answer
 */
export class FramePump {
  /**
   * @param {Object} options
   * @param {(frame: Frame) => Promise<Answer>} options.send
   * @param {(answer: Answer, frame: Frame, isNewest: boolean) => void} options.onAnswer
   *   `isNewest`: whether no later frame was answered before.
   * @param {(error: ?ApiError, seconds: number) => void} options.onTrouble The server has no time or does not answer, and
   *   is left alone for so many seconds; null once it is well again.
   * @param {(error: Error) => void} options.onFailure It makes no sense to go on.
   * @param {() => number} [options.now] Milliseconds.
   * @param {number} [options.limit]
   */
  constructor({ send, onAnswer, onTrouble, onFailure, now = () => performance.now(), limit = 2 }) {
    Object.assign(this, { send, onAnswer, onTrouble, onFailure, now, limit });
    this.underWay = 0;
    this.dropped = 0;
    this.sent = 0;
    this.newest = 0;
    this.failures = 0;
    this.resumeAt = 0;
    this.isStopped = false;
    /** When the first frame was taken. */
    this.begunAt = Infinity;
    /** @type {{at: number, latency: number}[]} */
    this.answered = [];
  }

  /**
   * Offers a frame.
   * @param {() => Frame | Promise<Frame>} grab Makes it; not called where there is no room.
   * @returns {boolean} Whether it was taken.
   */
  offer(grab) {
    if (this.isStopped) return false;
    if (this.underWay >= this.limit || this.now() < this.resumeAt) {
      this.dropped += 1;
      return false;
    }
    void this.take(grab);
    return true;
  }

  /** @private */
  async take(grab) {
    this.underWay += 1;
    this.sent += 1;
    const number = this.sent;
    const start = this.now();
    this.begunAt = Math.min(this.begunAt, start);
    try {
      const frame = await grab();
      if (this.isStopped) return;
      const answer = await this.send(frame);
      if (this.isStopped) return;
      if (this.failures > 0) this.onTrouble(null, 0);
      this.failures = 0;
      this.answered.push({ at: this.now(), latency: this.now() - start });
      const isNewest = number > this.newest;
      if (isNewest) this.newest = number;
      this.onAnswer(answer, frame, isNewest);
    } catch (error) {
      if (!this.isStopped) this.fail(error);
    } finally {
      this.underWay -= 1;
    }
  }

  /** @private */
  fail(error) {
    if (error instanceof ApiError && (error.isBusy || error.isOffline)) {
      // The second frame of a pair fails for the same reason as the first.
      if (this.now() < this.resumeAt) return;
      const seconds = pause(error, this.failures);
      this.failures += 1;
      this.resumeAt = this.now() + seconds * 1000;
      this.onTrouble(error, seconds);
      return;
    }
    this.stop();
    this.onFailure(error);
  }

  /** Ends a pause after a failure. */
  tryNow() { this.resumeAt = 0; }

  /** Takes no more frames and passes no more answers on. */
  stop() { this.isStopped = true; }

  /**
   * Of the last two seconds.
   * @returns {{rate: number, latency: number}} Readings per second; the median time from a frame's capture to its answer,
   *   in milliseconds.
   */
  speed() {
    const now = this.now();
    while (this.answered.length > 0 && this.answered[0].at < now - 2000) this.answered.shift();
    const span = Math.min(2000, now - this.begunAt);
    if (this.answered.length === 0 || span < 500) return { rate: 0, latency: 0 };
    const sorted = this.answered.map(({ latency }) => latency).sort((a, b) => a - b);
    return { rate: (this.answered.length * 1000) / span, latency: sorted[sorted.length >> 1] };
  }
}
