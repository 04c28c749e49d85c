/** Puts readings into files: byte for byte those that `mien detect` and `mien video` write of the same readings. */

/** @typedef {import('./record.js').Row} Row @typedef {import('./emotions.js').Face} Face */
/** @typedef {string|number|boolean|null|undefined} Value */

const MEASURES = ['leftEyeOpenness', 'rightEyeOpenness', 'mouthOpenness', 'mouthWidth', 'browRaise'];

/**
 * A number as Swift writes it: the shortest digits that tell it from others, with an exponent under 0.0001.
 * @param {number} value @returns {string}
 */
export function number(value) {
  if (value === 0 || Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
}

/** A number that is not always whole, in CSV. @param {number|null|undefined} value */
function decimal(value) {
  if (value === null || value === undefined) return '';
  return Number.isInteger(value) ? `${value}.0` : number(value);
}

/** JSON with its keys in order and no spaces. @param {any} value @returns {string} */
export function json(value) {
  if (typeof value === 'number') return number(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`;
  const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${json(value[key])}`).join(',')}}`;
}

/**
 * A field by RFC 4180. Text that a spreadsheet would take for a formula gets an apostrophe in front.
 * @param {Value} value
 */
function field(value) {
  let text = value === null || value === undefined ? '' : String(value);
  if (/^[=+\-@\t\r]/.test(text) && (text.trim() !== text || Number.isNaN(Number(text)))) text = `'${text}`;
  return /[",\n-\r\u0085\u2028\u2029]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {Value[][]} rows */
function csv(rows) {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/**
 * An array with one element per photo.
 * @param {Object[]} pictures As the server described them, each with its `file`.
 */
export function photosJSON(pictures) {
  return `[${pictures.map((picture, index) => `${index === 0 ? '\n' : ',\n'}${json(picture)}`).join('')}\n]\n`;
}

/**
 * One row per face; a photo without one and one that failed have a row with empty fields.
 * @param {any[]} pictures As for `photosJSON`.
 * @param {string[]} emotions What the model tells apart.
 */
export function photosCSV(pictures, emotions) {
  const sorted = [...emotions].sort();
  const header = [
    'file', 'face', 'x', 'y', 'width', 'height', 'emotion', 'probability', 'confident', ...sorted, 'score', 'yaw', 'pitch',
    'roll', 'reason', ...MEASURES, 'error',
  ];
  const rows = pictures.flatMap(({ file, faces, error }) => {
    if (faces.length === 0) return [[file, ...Array(header.length - 2).fill(''), error]];
    return faces.map((/** @type {any} */ face, /** @type {number} */ index) => {
      const { x, y, width, height } = face.box;
      return [
        file, index + 1, x, y, width, height, face.emotion, decimal(face.probability), face.confident ?? true,
        ...sorted.map((emotion) => decimal(face.scores[emotion] ?? 0)), ...found(face), face.reason,
        ...MEASURES.map((name) => decimal(face.measures?.[name])), '',
      ];
    });
  });
  return csv([header, ...rows]);
}

/** How a face was found. @param {{score?: ?number, pose?: ?{yaw: number, pitch: number, roll: number}}} face */
function found({ score, pose }) {
  return [score, pose?.yaw, pose?.pitch, pose?.roll].map(decimal);
}

/** One line per frame and face; a frame without a face has one line of nulls. @param {Row[]} rows */
export function videoJSON(rows) {
  return videoRows(rows).map((row) => `${json(row)}\n`).join('');
}

/**
 * One row per frame and face: the scores of the frame alone, then the smoothed ones.
 * @param {Row[]} rows @param {string[]} emotions What the model tells apart.
 */
export function videoCSV(rows, emotions) {
  const sorted = [...emotions].sort();
  const header = [
    'frame', 'seconds', 'track', 'x', 'y', 'width', 'height', 'emotion', 'probability', ...sorted,
    ...sorted.map((emotion) => `smoothed_${emotion}`), 'score', 'yaw', 'pitch', 'roll',
  ];
  const lines = videoRows(rows).map((row) => {
    const time = [row.frame, decimal(row.seconds)];
    if (row.track === null) return [...time, ...Array(header.length - 2).fill('')];
    const { x, y, width, height } = row.box;
    return [
      ...time, row.track, x, y, width, height, row.emotion, decimal(row.probability),
      ...sorted.map((name) => decimal(row.scores[name] ?? 0)), ...sorted.map((name) => decimal(row.smoothed[name] ?? 0)),
      ...found(row),
    ];
  });
  return csv([header, ...lines]);
}

/** @param {Row[]} rows @returns {any[]} */
function videoRows(rows) {
  return rows.flatMap(({ frame, seconds, scale = 1, faces }) => {
    const time = { frame, seconds: Math.round(seconds * 1e6) / 1e6 };
    const keys = ['box', 'emotion', 'pose', 'probability', 'score', 'scores', 'smoothed', 'track'];
    if (faces.length === 0) return [{ ...time, ...Object.fromEntries(keys.map((key) => [key, null])) }];
    return faces.map((face) => ({
      ...time, track: face.track, box: scaled(face.box, scale), emotion: face.emotion, probability: face.probability,
      scores: face.raw, smoothed: face.scores, score: face.score, pose: face.pose,
    }));
  });
}

/** A box in pixels of a larger picture. @param {Face['box']} box @param {number} scale @returns {Face['box']} */
export function scaled({ x, y, width, height }, scale) {
  const [x1, y1, w, h] = [x, y, width, height].map((value) => Math.round(value * scale));
  return { x: x1, y: y1, width: w, height: h };
}

/**
 * What was read of a smaller copy, in pixels of the picture itself.
 * @param {any} picture As the server described the copy.
 * @param {number} width Of the picture. @param {number} height
 */
export function enlarged(picture, width, height) {
  const scale = width / picture.width;
  const length = (/** @type {number} */ value) => Math.round(value * scale * 100) / 100;
  const point = (/** @type {any} */ at) => (at ? { x: length(at.x), y: length(at.y) } : at);
  const faces = picture.faces.map((/** @type {any} */ face) => ({
    ...face, box: scaled(face.box, scale),
    ...(face.landmarks && !Array.isArray(face.landmarks)
      ? { landmarks: Object.fromEntries(Object.entries(face.landmarks).map(([name, at]) => [name, point(at)])) } : {}),
  }));
  return { ...picture, width, height, faces };
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

/** A file's name without its folder and without what comes after the last dot. @param {string} name */
export function stem(name) {
  const file = name.slice(name.lastIndexOf('/') + 1);
  return file.replace(/\.[^.]*$/, '') || file;
}
