/** What was read over time. */

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./emotions.js').Scores} Scores */

/**
 * @typedef {Object} Row A frame.
 * @property {number} frame Its number.
 * @property {number} seconds Its time.
 * @property {number} width
 * @property {number} height
 * @property {number} [scale] How many of the video's pixels are one of the frame's; 1 where it is not there.
 * @property {Face[]} faces
 */

/** A face that was away for so long was away. */
const AWAY_SECONDS = 0.5;
/** Nothing is known of a time without frames of this length. */
const BLIND_SECONDS = 3;

export class Record {
  /** @param {number} [limit] How many frames are kept; the oldest are forgotten. */
  constructor(limit = 100_000) {
    this.limit = limit;
    /** @type {Row[]} In order of time. */
    this.rows = [];
  }

  /** Adds a frame; answers may come out of order. @param {Row} row */
  add(row) {
    let place = this.rows.length;
    while (place > 0 && this.rows[place - 1].seconds > row.seconds) place -= 1;
    this.rows.splice(place, 0, row);
    if (this.rows.length > this.limit) this.rows.splice(0, this.rows.length - this.limit);
  }

  /** The time of the last frame; -1 where there is none. */
  get end() { return this.rows.length > 0 ? this.rows[this.rows.length - 1].seconds : -1; }

  /** The first row at or after a time. @param {number} seconds @returns {number} Its index. */
  indexAt(seconds) {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].seconds < seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The frame nearest to a time.
   * @param {number} seconds
   * @param {number} within At most so far away, in seconds.
   * @returns {?Row}
   */
  nearest(seconds, within) {
    const after = this.indexAt(seconds);
    const candidates = [this.rows[after - 1], this.rows[after]].filter((row) => row !== undefined);
    candidates.sort((a, b) => Math.abs(a.seconds - seconds) - Math.abs(b.seconds - seconds));
    const row = candidates[0];
    return row && Math.abs(row.seconds - seconds) <= within ? row : null;
  }

  /**
   * A face over time, in pieces without a gap.
   * @param {number} track
   * @param {number} from Seconds.
   * @param {number} to
   * @param {number} [step] Readings closer than this are passed over, in seconds.
   * @returns {{seconds: number, face: Face}[][]}
   */
  pieces(track, from, to, step = 0) {
    /** @type {{seconds: number, face: Face}[][]} */
    const pieces = [];
    let [last, seen, seenIndex] = [-Infinity, -Infinity, -1];
    // One reading on either side, so that lines reach the edges.
    for (let index = Math.max(0, this.indexAt(from) - 1); index < this.rows.length; index += 1) {
      const { seconds, faces } = this.rows[index];
      const face = faces.find((one) => one.track === track);
      if (face) {
        const isNew = !joined(seconds - seen, index - seenIndex);
        if (isNew) pieces.push([]);
        if (isNew || seconds - last >= step) {
          pieces[pieces.length - 1].push({ seconds, face });
          last = seconds;
        }
        [seen, seenIndex] = [seconds, index];
      }
      if (seconds > to) break;
    }
    return pieces;
  }

  /**
   * When each face was there.
   * @param {number} from Seconds.
   * @param {number} to
   * @returns {Map<number, [number, number][]>} Spans by track.
   */
  spans(from, to) {
    /** @type {Map<number, [number, number][]>} */
    const spans = new Map();
    /** @type {Map<number, number>} */
    const indices = new Map();
    for (let index = this.indexAt(from); index < this.rows.length && this.rows[index].seconds <= to; index += 1) {
      const { seconds, faces } = this.rows[index];
      for (const { track } of faces) {
        const list = spans.get(track) ?? [];
        const last = list[list.length - 1];
        if (last && joined(seconds - last[1], index - (indices.get(track) ?? -1))) last[1] = seconds;
        else list.push([seconds, seconds]);
        spans.set(track, list);
        indices.set(track, index);
      }
    }
    return spans;
  }
}

/**
 * Whether a face was there between two readings of it.
 * @param {number} seconds Between them.
 * @param {number} frames 1 where they follow one another.
 */
function joined(seconds, frames) {
  return seconds <= AWAY_SECONDS || (frames === 1 && seconds <= BLIND_SECONDS);
}

/** Which parts of a video were read. */
export class Coverage {
  constructor() {
    /** Seconds, in order and apart. @type {[number, number][]} */
    this.spans = [];
  }

  /** @param {number} seconds */
  has(seconds) { return this.spans.some(([from, to]) => seconds >= from - EDGE && seconds <= to + EDGE); }

  /** Adds what lies between two times. @param {number} from @param {number} to */
  add(from, to) {
    const touches = (/** @type {[number, number]} */ [a, b]) => a <= to + EDGE && b >= from - EDGE;
    const joined = this.spans.filter(touches);
    const span = /** @type {[number, number]} */ ([
      Math.min(from, ...joined.map(([a]) => a)), Math.max(to, ...joined.map(([, b]) => b)),
    ]);
    this.spans = [...this.spans.filter((one) => !touches(one)), span].sort(([a], [b]) => a - b);
  }

  /** What was not read between two times. @param {number} from @param {number} to @returns {[number, number][]} */
  gaps(from, to) {
    /** @type {[number, number][]} */
    const gaps = [];
    let start = from;
    for (const [a, b] of [...this.spans, [to, to]]) {
      if (a > start + EDGE) gaps.push([start, Math.min(a, to)]);
      start = Math.max(start, b);
      if (start >= to) break;
    }
    return gaps;
  }
}

/** Frames of a video are not closer than this, in seconds. */
const EDGE = 0.004;

/** Numbers the frames of a video with a steady rate by their times, from 0. */
export class FrameClock {
  constructor() {
    this.last = /** @type {?number} */ (null);
    /** Seconds from a frame to the next; the shortest that was seen, made exact by later frames. */
    this.interval = Infinity;
    this.highest = 0;
  }

  /** Takes note of a frame that was shown. @param {number} seconds */
  see(seconds) {
    const step = this.last === null ? 0 : seconds - this.last;
    this.last = seconds;
    if (step > EDGE && step < 0.9 * this.interval) [this.interval, this.highest] = [step, 0];
    const number = this.numberOf(seconds);
    if (number <= this.highest || Math.abs(seconds / this.interval - number) > 0.1) return;
    [this.interval, this.highest] = [seconds / number, number];
  }

  /** @param {number} seconds @returns {number} */
  numberOf(seconds) { return Number.isFinite(this.interval) ? Math.round(seconds / this.interval) : 0; }
}
