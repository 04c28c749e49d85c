/** Puts readings into files: the same JSON and CSV that the `mien` commands write. */

import { EMOTIONS } from './emotions.js';

/** @typedef {import('./record.js').Row} Row @typedef {import('./emotions.js').Face} Face */

/** A field by RFC 4180. @param {string|number|boolean|null|undefined} value */
function field(value) {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {(string|number|boolean|null|undefined)[][]} rows */
function csv(rows) {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

const SORTED = [...EMOTIONS].sort();

/**
 * An array with an element a photo.
 * @param {Object[]} pictures As the server described them, each with its `file`.
 */
export function photosJSON(pictures) {
  return `${JSON.stringify(pictures, null, 2)}\n`;
}

/**
 * A row a face; a photo without one and one that failed have a row with empty fields.
 * @param {any[]} pictures As for `photosJSON`.
 */
export function photosCSV(pictures) {
  const rows = [['file', 'face', 'x', 'y', 'width', 'height', 'emotion', 'probability', 'confident', ...SORTED, 'error']];
  for (const { file, faces, error } of pictures) {
    if (faces.length === 0) rows.push([file, ...Array(8 + SORTED.length).fill(''), error]);
    faces.forEach((/** @type {any} */ face, /** @type {number} */ index) => {
      const { x, y, width, height } = face.box;
      rows.push([
        file, index + 1, x, y, width, height, face.emotion, face.probability, face.confident ?? true,
        ...SORTED.map((emotion) => face.scores[emotion]), error,
      ]);
    });
  }
  return csv(rows);
}

/** A line a frame and face; a frame without a face has one line of nulls. @param {Row[]} rows */
export function videoJSON(rows) {
  return videoRows(rows).map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** A row a frame and face, with smoothed scores. @param {Row[]} rows */
export function videoCSV(rows) {
  const lines = [['frame', 'seconds', 'track', 'x', 'y', 'width', 'height', 'emotion', 'probability', ...SORTED]];
  for (const { frame, seconds, track, box, emotion, probability, smoothed } of videoRows(rows)) {
    lines.push([
      frame, seconds, track, box?.x, box?.y, box?.width, box?.height, emotion, probability,
      ...SORTED.map((name) => smoothed?.[name]),
    ]);
  }
  return csv(lines);
}

/** @param {Row[]} rows @returns {any[]} */
function videoRows(rows) {
  return rows.flatMap(({ frame, seconds, scale = 1, faces }) => {
    /** In pixels of the video. @param {Face['box']} box */
    const whole = ({ x, y, width, height }) => ({
      x: Math.round(x * scale), y: Math.round(y * scale), width: Math.round(width * scale), height: Math.round(height * scale),
    });
    const time = { frame, seconds: Math.round(seconds * 1000) / 1000 };
    const nothing = { ...time, track: null, box: null, emotion: null, probability: null, scores: null, smoothed: null };
    if (faces.length === 0) return [nothing];
    return faces.map((face) => ({
      ...time, track: face.track, box: whole(face.box), emotion: face.emotion, probability: face.probability,
      scores: face.raw, smoothed: face.scores,
    }));
  });
}

/**
 * Hands a file to the browser to keep.
 * @param {string} name
 * @param {string|Blob} content
 * @param {string} [type]
 */
export function save(name, content, type = 'application/octet-stream') {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A file's name without what comes after the last dot. @param {string} name */
export function stem(name) {
  return name.replace(/\.[^.]*$/, '') || name;
}
