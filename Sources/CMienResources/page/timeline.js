/** Draws a face's emotions over time. */

import { clock, emotionsOf, percent, theme, words } from './emotions.js';
import { trackColour } from './draw.js';

/** @typedef {import('./record.js').Record} Record @typedef {import('./emotions.js').Face} Face */

const MARGIN = { left: 42, right: 94, top: 8, bottom: 20 };
/** CSS pixels from one lane to the next. */
const LANE = 15;
const LANES = 5;
/** Of the plot with its times, in CSS pixels. */
const HEIGHT = 180;
/** Seconds of a camera's timeline. */
const WINDOW = 30;

/**
 * Round times between two ends.
 * @param {number} from @param {number} to
 * @param {number} count About how many.
 */
export function ticks(from, to, count) {
  const rough = (to - from) / count;
  const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => one >= rough) ?? 7200;
  const times = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(time);
  return times;
}

/**
 * Moves labels apart that would lie on one another.
 * @param {number[]} places Wanted, in ascending order.
 * @param {number} height Of a label.
 * @param {number} top @param {number} bottom
 * @returns {number[]}
 */
export function spread(places, height, top, bottom) {
  const result = [...places];
  for (let i = 0; i < result.length; i += 1) {
    result[i] = Math.max(result[i], i === 0 ? top : result[i - 1] + height);
  }
  for (let i = result.length - 1; i >= 0; i -= 1) {
    result[i] = Math.min(result[i], i === result.length - 1 ? bottom : result[i + 1] - height);
  }
  return result;
}

/**
 * The faces that have a lane: the selected one, those that are there now, then those that are there longest.
 * @param {Map<number, [number, number][]>} spans When each face is there.
 * @param {?number} selected @param {number[]} present
 * @param {number} count At most.
 * @returns {number[]} By number.
 */
export function laneTracks(spans, selected, present, count) {
  const length = (/** @type {number} */ track) => (spans.get(track) ?? []).reduce((sum, [a, b]) => sum + b - a, 0);
  const rank = (/** @type {number} */ track) => (track === selected ? 2 : Number(present.includes(track)));
  return [...spans.keys()].sort((a, b) => rank(b) - rank(a) || length(b) - length(a)).slice(0, count).sort((a, b) => a - b);
}

export class Timeline {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} cursorText Says what was read at the cursor.
   */
  constructor(canvas, cursorText) {
    this.canvas = canvas;
    this.cursorText = cursorText;
    this.record = /** @type {?Record} */ (null);
    /** What was read of a video; null for a camera, of which all was. @type {?import('./record.js').Coverage} */
    this.coverage = null;
    this.track = /** @type {?number} */ (null);
    this.isStacked = false;
    /** A clip's length in seconds; null for a camera, whose timeline scrolls. */
    this.duration = /** @type {?number} */ (null);
    /** Where a clip plays, in seconds. */
    this.position = 0;
    /** The time that is looked at; null for the present one. */
    this.cursor = /** @type {?number} */ (null);
    this.onSeek = /** @type {(seconds: number) => void} */ (() => {});
    this.onPick = /** @type {(track: number) => void} */ (() => {});
    /** Tracks of the lanes under the plot, from the top. @type {number[]} */
    this.lanes = [];
    /** How many faces have none. */
    this.more = 0;
    this.isDue = false;
    this.drawnAt = 0;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
    canvas.addEventListener('pointermove', (event) => this.look(this.timeAt(event)));
    canvas.addEventListener('pointerleave', () => this.look(null));
    canvas.addEventListener('click', (event) => this.click(event));
    canvas.addEventListener('keydown', (event) => this.key(event));
    canvas.addEventListener('blur', () => this.look(null));
  }

  /** @param {Record} record @param {?number} duration */
  open(record, duration) {
    Object.assign(this, { record, duration, track: null, cursor: null, position: 0 });
    this.redraw();
  }

  /** Goes on with another record of the same video. @param {Record} record @param {Timeline['coverage']} coverage @param {?number} duration */
  show(record, coverage, duration) {
    Object.assign(this, { record, coverage, duration });
    this.redraw();
  }

  /** @param {?number} duration */
  setDuration(duration) {
    this.duration = duration;
    this.redraw();
  }

  /** Draws soon; at most ten times a second. */
  redraw() {
    if (this.isDue) return;
    this.isDue = true;
    setTimeout(() => requestAnimationFrame(() => {
      this.isDue = false;
      this.drawnAt = performance.now();
      this.draw();
    }), Math.max(0, this.drawnAt + 100 - performance.now()));
  }

  /** @private */
  get span() {
    if (this.duration !== null) return { from: 0, to: Math.max(this.duration, 0.1) };
    const end = Math.max(this.record?.end ?? 0, WINDOW);
    return { from: end - WINDOW, to: end };
  }

  /** In CSS pixels. @private */
  get lanesHeight() {
    return this.lanes.length > 1 ? (this.lanes.length + Number(this.more > 0)) * LANE + 4 : 0;
  }

  /** @private */
  get area() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return {
      left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom - this.lanesHeight,
      width, height,
    };
  }

  /** @private @param {MouseEvent} event */
  timeAt(event) {
    const { left, right } = this.area;
    const { from, to } = this.span;
    const share = (event.clientX - this.canvas.getBoundingClientRect().left - left) / (right - left);
    return from + Math.max(0, Math.min(1, share)) * (to - from);
  }

  /** @private @param {MouseEvent} event */
  click(event) {
    const y = event.clientY - this.canvas.getBoundingClientRect().top;
    const lane = Math.floor((y - this.area.bottom - MARGIN.bottom) / LANE);
    if (this.lanes.length > 1 && lane >= 0 && lane < this.lanes.length) this.onPick(this.lanes[lane]);
    if (this.duration !== null) this.onSeek(this.timeAt(event));
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const { from, to } = this.span;
    const now = this.duration !== null ? this.position : (this.cursor ?? to);
    const step = event.shiftKey ? 5 : 0.5;
    const target = {
      ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step, PageDown: now - 5,
      PageUp: now + 5, Home: from, End: to,
    }[event.key];
    if (event.key === 'Escape') this.look(null);
    if (target === undefined) return;
    event.preventDefault();
    const time = Math.max(from, Math.min(to, target));
    if (this.duration !== null) this.onSeek(time);
    else this.look(time >= to ? null : time);
  }

  /** Looks at a time. @param {?number} seconds */
  look(seconds) {
    if (this.cursor === seconds) return;
    this.cursor = seconds;
    this.drawnAt = 0;
    this.redraw();
  }

  /** What was read at a time, in words. @private @param {number} seconds */
  textAt(seconds) {
    const row = this.record?.nearest(seconds, 0.5);
    const face = row?.faces.find(({ track }) => track === this.track);
    if (!face) {
      const isRead = row && (!this.coverage || this.coverage.has(seconds));
      if (!isRead) return `${clock(seconds)}  not read`;
      return `${clock(seconds)}  ${row.faces.length === 0 || this.track === null ? 'no face found' : `face ${this.track} is not there`}`;
    }
    const others = emotionsOf(face.scores).filter((emotion) => emotion !== face.best)
      .sort((a, b) => face.scores[b] - face.scores[a]).slice(0, 2)
      .map((emotion) => `${emotion} ${percent(face.scores[emotion])}`);
    return `${clock(seconds)}  ${[words(face), ...others].join(', ')}`;
  }

  /** @private */
  draw() {
    const { canvas, record } = this;
    if (!record || canvas.clientWidth === 0) return;
    const { from, to } = this.span;
    const spans = record.spans(from, to);
    const time = this.cursor ?? (this.duration !== null ? this.position : null);
    const shown = time ?? record.end;
    const present = record.nearest(shown, 0.5)?.faces.map(({ track }) => track) ?? [];
    this.lanes = laneTracks(spans, this.track, present, LANES);
    this.more = spans.size - this.lanes.length;
    const unit = Math.min(2, devicePixelRatio || 1);
    // Lanes take nothing from the plot.
    const wanted = `${HEIGHT + this.lanesHeight}px`;
    if (canvas.style.height !== wanted) canvas.style.height = wanted;
    const area = this.area;
    [canvas.width, canvas.height] = [Math.round(area.width * unit), Math.round(area.height * unit)];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.scale(unit, unit);
    const colours = theme();
    const x = (/** @type {number} */ seconds) => area.left + ((seconds - from) / (to - from)) * (area.right - area.left);
    const y = (/** @type {number} */ share) => area.bottom - share * (area.bottom - area.top);
    this.drawGrid(context, area, colours, x, y, from, to);
    for (const gap of this.coverage?.gaps(from, to) ?? []) drawUnread(context, x(gap[0]), x(gap[1]), area, colours);
    const pieces = this.track === null ? [] : record.pieces(this.track, from, to, (to - from) / 400);
    context.save();
    context.beginPath();
    context.rect(area.left, 0, area.right - area.left, area.height);
    context.clip();
    for (const piece of pieces) {
      if (this.isStacked) drawStack(context, piece, x, y, colours);
      else drawLines(context, piece, x, y, colours);
    }
    context.restore();
    this.drawLanes(context, area, spans, colours, x);
    if (time !== null) {
      // Not over the times between the plot and the lanes.
      context.fillStyle = colours.text;
      context.fillRect(x(time) - 0.75, area.top, 1.5, area.bottom - area.top);
      if (this.lanes.length > 1) context.fillRect(x(time) - 0.75, area.bottom + MARGIN.bottom, 1.5, this.lanes.length * LANE);
    }
    const face = record.nearest(shown, 0.5)?.faces.find(({ track }) => track === this.track);
    if (face) this.drawNames(context, area, face, colours, y);
    const text = record.end < 0 ? 'No readings yet' : this.textAt(shown);
    this.cursorText.textContent = this.cursor === null ? '' : text;
    canvas.setAttribute('aria-valuemin', from.toFixed(1));
    canvas.setAttribute('aria-valuemax', to.toFixed(1));
    canvas.setAttribute('aria-valuenow', Math.max(from, Math.min(to, shown)).toFixed(1));
    // A slider that has the focus reads its text out on every change: only the person's own moves may change it.
    const isOwnMove = document.activeElement !== canvas || this.cursor !== null || this.duration !== null;
    if (isOwnMove) canvas.setAttribute('aria-valuetext', text);
  }

  /** @private */
  drawGrid(context, area, colours, x, y, from, to) {
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.fillStyle = colours.faint;
    for (const share of [0, 0.5, 1]) {
      context.fillStyle = colours.line;
      context.fillRect(area.left, Math.round(y(share)), area.right - area.left, 1);
      context.fillStyle = colours.faint;
      context.textAlign = 'right';
      context.fillText(percent(share), area.left - 5, y(share) + (share === 1 ? 4 : 0));
    }
    context.textAlign = 'center';
    for (const time of ticks(from, to, (area.right - area.left) / 90)) {
      context.fillText(clock(time).replace(/\.0$/, ''), x(time), area.bottom + 11);
    }
  }

  /** The names of the highest scores, on the right. @private */
  drawNames(context, area, face, colours, y) {
    const names = emotionsOf(face.scores).filter((emotion) => face.scores[emotion] >= 0.08);
    let below = 0;
    const middles = new Map(emotionsOf(face.scores).map((emotion) => {
      const middle = this.isStacked ? below + face.scores[emotion] / 2 : face.scores[emotion];
      below += face.scores[emotion];
      return [emotion, y(middle)];
    }));
    names.sort((a, b) => middles.get(a) - middles.get(b));
    const places = spread(names.map((name) => middles.get(name)), 15, area.top + 4, area.bottom - 4);
    context.textAlign = 'left';
    context.font = '600 12px system-ui, sans-serif';
    names.forEach((name, index) => {
      context.fillStyle = colours.emotion(name);
      context.beginPath();
      context.roundRect(area.right + 6, places[index] - 5, 4, 10, 2);
      context.fill();
      context.fillStyle = colours.text;
      context.fillText(name, area.right + 14, places[index]);
    });
  }

  /** When each face was there. @private */
  drawLanes(context, area, spans, colours, x) {
    if (this.lanes.length < 2) return;
    context.font = '600 11px system-ui, sans-serif';
    context.textAlign = 'right';
    this.lanes.forEach((track, index) => {
      const top = area.bottom + MARGIN.bottom + index * LANE;
      const isSelected = track === this.track;
      context.fillStyle = isSelected ? colours.text : colours.faint;
      context.fillText(String(track), area.left - 5, top + LANE / 2);
      for (const [start, end] of spans.get(track) ?? []) {
        const [left, width] = [x(start), Math.max(4, x(end) - x(start))];
        context.beginPath();
        context.roundRect(left, top + 2, width, LANE - 4, 3);
        context.fillStyle = trackColour(track);
        context.fill();
        context.lineWidth = isSelected ? 1.5 : 1;
        context.strokeStyle = isSelected ? colours.text : colours.faint;
        context.stroke();
      }
    });
    if (this.more === 0) return;
    context.textAlign = 'left';
    context.fillStyle = colours.faint;
    context.fillText(`+${this.more} more`, area.left, area.bottom + MARGIN.bottom + (this.lanes.length + 0.5) * LANE);
  }
}

/** A part of a video that was not read. */
function drawUnread(context, from, to, area, colours) {
  const [width, height] = [to - from, area.bottom - area.top];
  context.save();
  context.beginPath();
  context.rect(from, area.top, width, height);
  context.clip();
  context.beginPath();
  for (let at = from - height; at < to; at += 9) {
    context.moveTo(at, area.bottom);
    context.lineTo(at + height, area.top);
  }
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.stroke();
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'center';
  if (width > 70) {
    const middle = (area.top + area.bottom) / 2;
    context.fillStyle = colours.ground;
    context.fillRect(from + width / 2 - 28, middle - 10, 56, 20);
    context.fillStyle = colours.faint;
    context.fillText('not read', from + width / 2, middle);
  }
  context.restore();
}

/** @param {{seconds: number, face: Face}[]} piece */
function drawLines(context, piece, x, y, colours) {
  context.lineJoin = 'round';
  for (const emotion of emotionsOf(piece[0].face.scores)) {
    context.beginPath();
    for (const { seconds, face } of piece) context.lineTo(x(seconds), y(face.scores[emotion]));
    if (piece.length === 1) context.lineTo(x(piece[0].seconds) + 2, y(piece[0].face.scores[emotion]));
    context.lineWidth = 2;
    context.strokeStyle = colours.emotion(emotion);
    context.stroke();
  }
}

/** @param {{seconds: number, face: Face}[]} piece */
function drawStack(context, piece, x, y, colours) {
  const below = piece.map(() => 0);
  for (const emotion of emotionsOf(piece[0].face.scores)) {
    context.beginPath();
    piece.forEach(({ seconds }, index) => context.lineTo(x(seconds), y(below[index])));
    for (let index = piece.length - 1; index >= 0; index -= 1) {
      context.lineTo(x(piece[index].seconds), y(below[index] + piece[index].face.scores[emotion]));
    }
    context.closePath();
    context.fillStyle = colours.emotion(emotion);
    context.fill();
    // A line of the ground between neighbours tells them apart without their colours.
    context.lineWidth = 1;
    context.strokeStyle = colours.ground;
    context.stroke();
    piece.forEach(({ face }, index) => { below[index] += face.scores[emotion]; });
  }
}
