/** Draws boxes and labels over pictures. */

import { words } from './emotions.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./emotions.js').Box} Box */

/** Colours of faces on pictures, bright on a dark outline; the numbers tell faces apart without them. */
const TRACK_COLOURS = ['#5cc8ff', '#ffd43b', '#ff9ccf', '#57e0a1', '#ffa25c', '#c9b2ff', '#ffffff', '#c3e84b'];
const INK = '#10141a';

/** @param {number} track From 1. */
export function trackColour(track) {
  return TRACK_COLOURS[(track - 1) % TRACK_COLOURS.length];
}

/**
 * A box on the drawing.
 * @param {Box} box
 * @param {number} scale Pixels of the drawing a pixel of the picture.
 * @param {?number} mirror The drawing's width where left and right are swapped.
 * @returns {Box}
 */
export function placed(box, scale, mirror) {
  const width = box.width * scale;
  const x = box.x * scale;
  return { x: mirror === null ? x : mirror - x - width, y: box.y * scale, width, height: box.height * scale };
}

/**
 * Where a label goes: above its box, else below, else inside at the top; never over the edge, and not on `taken` where
 * that is possible.
 * @param {Box} box
 * @param {{width: number, height: number}} size Of the label.
 * @param {{width: number, height: number}} area
 * @param {Box[]} taken
 * @returns {Box}
 */
export function labelPlace(box, size, area, taken) {
  const x = Math.max(0, Math.min(box.x, area.width - size.width));
  const tops = [box.y - size.height - 3, box.y + box.height + 3, box.y + 3, box.y + box.height - size.height - 3];
  const fitting = tops.filter((y) => y >= 0 && y + size.height <= area.height).map((y) => ({ x, y, ...size }));
  const free = fitting.find((place) => !taken.some((other) => overlaps(place, other)));
  const inside = { x, y: Math.max(0, Math.min(box.y, area.height - size.height)), ...size };
  return free ?? fitting[0] ?? inside;
}

/** @param {Box} a @param {Box} b */
function overlaps(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/**
 * Draws faces with their labels; the selected one stands out.
 * @param {CanvasRenderingContext2D} context
 * @param {Face[]} faces
 * @param {{width: number, height: number, scale: number, mirror: boolean, selected: ?number, unit: number}} options
 *   `unit`: the size of a CSS pixel on the drawing.
 */
export function drawFaces(context, faces, { width, height, scale, mirror, selected, unit }) {
  const places = faces.map((face) => placed(face.box, scale, mirror ? width : null));
  context.lineJoin = 'round';
  faces.forEach((face, index) => {
    const box = places[index];
    const line = (face.track === selected && faces.length > 1 ? 4 : 2.5) * unit;
    const radius = Math.min(10 * unit, box.width / 6);
    for (const [lineWidth, style] of [[line + 2.5 * unit, 'rgba(16,20,26,.55)'], [line, trackColour(face.track)]]) {
      context.beginPath();
      context.roundRect(box.x, box.y, box.width, box.height, radius);
      context.lineWidth = /** @type {number} */ (lineWidth);
      context.strokeStyle = /** @type {string} */ (style);
      context.stroke();
    }
  });
  const size = 14 * unit;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  /** @type {Box[]} */
  const taken = [];
  faces.forEach((face, index) => {
    const text = faces.length > 1 ? `${face.track}  ${words(face)}` : words(face);
    const label = { width: context.measureText(text).width + size, height: size * 1.7 };
    const place = labelPlace(places[index], label, { width, height }, taken);
    taken.push(place);
    context.beginPath();
    context.roundRect(place.x, place.y, place.width, place.height, 6 * unit);
    context.fillStyle = trackColour(face.track);
    context.fill();
    context.fillStyle = INK;
    context.fillText(text, place.x + size / 2, place.y + place.height / 2 + unit * 0.5);
  });
}

/**
 * The face at a point: the smallest box that holds it.
 * @param {Face[]} faces
 * @param {number} x In pixels of the picture.
 * @param {number} y
 * @returns {?Face}
 */
export function faceAt(faces, x, y) {
  const hits = faces.filter(({ box }) => x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height);
  return hits.sort((a, b) => a.box.width - b.box.width)[0] ?? null;
}
