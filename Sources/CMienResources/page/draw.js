/** Draws boxes and labels over pictures. */

import { words } from './emotions.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./emotions.js').Box} Box */

/** Colours of faces on pictures, bright on a dark outline; the numbers tell faces apart without them. */
const TRACK_COLOURS = ['#5cc8ff', '#ffd43b', '#ff9ccf', '#57e0a1', '#ffa25c', '#c9b2ff', '#ffffff', '#c3e84b'];
const INK = '#10141a';
/** CSS pixels: the height of text in labels, and in the numbers that stand for them. */
const TEXT = 14;
const NUMBER = 11;

/** @param {number} track From 1. */
export function trackColour(track) {
  return TRACK_COLOURS[(track - 1) % TRACK_COLOURS.length];
}

/**
 * A box on the drawing.
 * @param {Box} box
 * @param {number} scale Pixels of the drawing per pixel of the picture.
 * @param {?number} mirror The drawing's width if left and right are swapped.
 * @returns {Box}
 */
export function placed(box, scale, mirror) {
  const width = box.width * scale;
  const x = box.x * scale;
  return { x: mirror === null ? x : mirror - x - width, y: box.y * scale, width, height: box.height * scale };
}

/** @param {Box} a @param {Box} b @returns {number} The area that they share. */
function shared(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/**
 * Places beside a box, the best first, none of them over the edge of the area.
 * @param {Box} box
 * @param {{width: number, height: number}} size Of what is placed.
 * @param {{width: number, height: number}} area
 * @param {number} gap
 * @returns {Box[]}
 */
function places(box, size, area, gap) {
  const [left, right] = [box.x, box.x + box.width - size.width];
  const [above, below] = [box.y - size.height - gap, box.y + box.height + gap];
  const [before, after] = [box.x - size.width - gap, box.x + box.width + gap];
  const across = (/** @type {number} */ x) => Math.max(0, Math.min(x, area.width - size.width));
  return [[left, above], [right, above], [left, below], [right, below], [after, box.y], [before, box.y]]
    .map(([x, y]) => ({ x: y === above || y === below ? across(x) : x, y, ...size }))
    .filter(({ x, y }) => x >= 0 && x + size.width <= area.width && y >= 0 && y + size.height <= area.height);
}

/**
 * What is written at each face, and where. A face has its whole label if that is no wider than its box and covers no
 * other box or label; else its number, in a place that covers none; else nothing. The selected face always has its whole
 * label, where it covers least.
 * @param {Box[]} boxes On the drawing.
 * @param {{label: string, number: string}[]} texts By box.
 * @param {number} selected Which of them; -1 for none.
 * @param {(text: string, isNumber: boolean) => {width: number, height: number}} measure The size of what is written.
 * @param {{width: number, height: number}} area
 * @param {number} unit The size of a CSS pixel on the drawing.
 * @returns {{index: number, text: string, isNumber: boolean, place: Box}[]}
 */
export function labelPlan(boxes, texts, selected, measure, area, unit) {
  /** @type {ReturnType<typeof labelPlan>} */
  const plan = [];
  const isFree = (/** @type {Box} */ place) => !boxes.some((box) => shared(box, place) > 0)
    && !plan.some((other) => shared(other.place, place) > 0);
  if (boxes[selected]) {
    const [box, whole] = [boxes[selected], measure(texts[selected].label, false)];
    // What is wider than the picture is written closer.
    const size = { ...whole, width: Math.min(whole.width, area.width) };
    const cost = (/** @type {Box} */ place) => boxes.reduce((sum, other) => sum + shared(other, place), 0);
    const inside = {
      x: Math.max(0, Math.min(box.x, area.width - size.width)),
      y: Math.max(0, Math.min(box.y, area.height - size.height)), ...size,
    };
    // Above or below, as labels are wide; of equal ones the first.
    const outside = places(box, size, area, 3 * unit).filter(({ y }) => y < box.y || y >= box.y + box.height);
    const place = [...outside, inside].reduce((a, b) => (cost(b) < cost(a) ? b : a));
    plan.push({ index: selected, text: texts[selected].label, isNumber: false, place });
  }
  boxes.forEach((box, index) => {
    if (index === selected) return;
    const size = measure(texts[index].label, false);
    const label = size.width > box.width ? undefined
      : places(box, size, area, 3 * unit).find((place) => (place.y < box.y || place.y >= box.y + box.height) && isFree(place));
    if (label) {
      plan.push({ index, text: texts[index].label, isNumber: false, place: label });
      return;
    }
    const place = places(box, measure(texts[index].number, true), area, unit).find(isFree);
    if (place) plan.push({ index, text: texts[index].number, isNumber: true, place });
  });
  return plan;
}

/**
 * Draws faces with their labels; the selected one stands out.
 * @param {CanvasRenderingContext2D} context
 * @param {Face[]} faces
 * @param {{width: number, height: number, scale: number, mirror: boolean, selected: ?number, unit: number}} options
 *   `unit`: the size of a CSS pixel on the drawing.
 */
export function drawFaces(context, faces, { width, height, scale, mirror, selected, unit }) {
  const boxes = faces.map((face) => placed(face.box, scale, mirror ? width : null));
  const chosen = faces.findIndex(({ track }) => track === selected);
  context.lineJoin = 'round';
  faces.forEach((face, index) => {
    const box = boxes[index];
    // Thin lines around small faces, so that the faces stay to be seen.
    const thin = Math.min(1, Math.max(0.5, box.width / (40 * unit)));
    const line = (index === chosen && faces.length > 1 ? 4 : 2.5) * unit * thin;
    const radius = Math.min(10 * unit, box.width / 6);
    for (const [lineWidth, style] of [[line + 2.5 * unit * thin, 'rgba(16,20,26,.55)'], [line, trackColour(face.track)]]) {
      context.beginPath();
      context.roundRect(box.x, box.y, box.width, box.height, radius);
      context.lineWidth = /** @type {number} */ (lineWidth);
      context.strokeStyle = /** @type {string} */ (style);
      context.stroke();
    }
  });
  const fonts = [`600 ${TEXT * unit}px system-ui, sans-serif`, `700 ${NUMBER * unit}px system-ui, sans-serif`];
  const measure = (/** @type {string} */ text, /** @type {boolean} */ isNumber) => {
    context.font = fonts[Number(isNumber)];
    const padding = isNumber ? 7 : TEXT;
    return { width: context.measureText(text).width + padding * unit, height: (isNumber ? 15 : TEXT * 1.7) * unit };
  };
  const texts = faces.map((face) => ({
    label: faces.length > 1 ? `${face.track}  ${words(face)}` : words(face), number: String(face.track),
  }));
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  for (const { index, text, isNumber, place } of labelPlan(boxes, texts, chosen, measure, { width, height }, unit)) {
    context.font = fonts[Number(isNumber)];
    context.beginPath();
    context.roundRect(place.x, place.y, place.width, place.height, (isNumber ? 7.5 : 6) * unit);
    context.fillStyle = trackColour(faces[index].track);
    context.fill();
    context.fillStyle = INK;
    context.fillText(text, place.x + place.width / 2, place.y + place.height / 2 + unit * 0.5, place.width - 6 * unit);
  }
}

/**
 * The face at a point: the smallest box that holds it.
 * @param {Face[]} faces
 * @param {number} x In pixels of the picture.
 * @param {number} y
 * @param {number} [slack] How far outside a small box still counts.
 * @returns {?Face}
 */
export function faceAt(faces, x, y, slack = 0) {
  const hits = faces.filter(({ box }) => x >= box.x - slack && y >= box.y - slack && x <= box.x + box.width + slack
    && y <= box.y + box.height + slack);
  const distance = (/** @type {Face} */ { box }) => Math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y);
  const inside = hits.filter(({ box }) => x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height);
  return inside.sort((a, b) => a.box.width - b.box.width)[0] ?? hits.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
