/** The emotions: their order on the page, colours and little faces, and how a reading is put into words. */

/** Pleasant ones first; a model may lack some. */
export const EMOTIONS = ['happiness', 'surprise', 'neutral', 'sadness', 'fear', 'anger', 'disgust', 'contempt'];

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box Pixels of the upright picture.
 * @typedef {Object<string, number>} Scores Probabilities 0…1 by emotion.
 * @typedef {Object} Face
 * @property {number} track The face's number: its place in a photo, or its track in a video.
 * @property {Box} box
 * @property {?string} emotion Null where the server is unsure.
 * @property {string} best The most probable emotion.
 * @property {number} probability Of `best`.
 * @property {Scores} scores Smoothed over time in a video.
 * @property {Scores} raw Of the picture alone.
 * @property {?number} score How sure the detector is that this is a face, 0…1.
 * @property {?{yaw: number, pitch: number, roll: number}} pose Degrees.
 * @property {?Object<string, number>} measures Of the eyes, mouth and brows, in distances between the eyes.
 * @property {?string} reason What speaks against the reading: `unsure`, `small`, `turned` or `dark`.
 */

/** Lines of the faces, in a square of 24. */
const LINES = {
  happiness: 'M8.8 9.6v.6M15.2 9.6v.6M7.4 14c1.5 3.6 7.7 3.6 9.2 0',
  surprise: 'M8.8 10.2v.6M15.2 10.2v.6M7.2 7.4q1.5-1.3 3-.5M13.8 6.9q1.5-.8 3 .5M12 14.2a1.9 2.1 0 1 1 0 4.2a1.9 2.1 0 1 1 0-4.2',
  neutral: 'M8.8 9.8v.6M15.2 9.8v.6M8.4 15.6h7.2',
  sadness: 'M8.8 10.8v.5M15.2 10.8v.5M7 8.8l3-1.5M17 8.8l-3-1.5M8.2 17c1.4-2.4 6.2-2.4 7.6 0',
  fear: 'M8.8 10.4v.8M15.2 10.4v.8M7 8.2l3-1.5M17 8.2l-3-1.5M7.8 16.8l1.7-1.5 1.7 1.5 1.7-1.5 1.7 1.5 1.6-1.4',
  anger: 'M8.9 10.9v.4M15.1 10.9v.4M6.9 7.4l3.4 1.9M17.1 7.4l-3.4 1.9M8.6 16.8c1.3-1.2 5.5-1.2 6.8 0',
  disgust: 'M7.4 9.4l2.6 1-2.6 1M16.6 9.4l-2.6 1 2.6 1M7.8 16.6c1.2-2 2.7-1.4 4 -.6s2.9.9 4.3-1',
  contempt: 'M8.8 10.2v.5M15.2 9.8v.5M7.2 8.6h3M13.8 7.4q1.6-1 3.1.1M8.6 16c2.5.5 5-.2 6.8-2.2',
  unsure: 'M9.4 9.3c.2-3.4 5.4-3.3 5.3-.1c-.1 2-2.7 2.3-2.7 4.6M12 16.9v.3',
};

const SVG = 'http://www.w3.org/2000/svg';

/**
 * The face of an emotion in its colour; it is decoration beside the name.
 * @param {string} emotion One of `EMOTIONS`, or `unsure`.
 * @returns {SVGElement}
 */
export function icon(emotion) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon ink-${emotion}`);
  svg.setAttribute('aria-hidden', 'true');
  const circle = document.createElementNS(SVG, 'circle');
  for (const [name, value] of [['cx', '12'], ['cy', '12'], ['r', '10.4']]) circle.setAttribute(name, value);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', LINES[emotion] ?? LINES.unsure);
  svg.append(circle, path);
  return svg;
}

/**
 * No reading is certain: a probability that would round to 0 or 100 % but is neither is less than 1 or more than 99 %.
 * @param {number} probability @returns {string} as `98 %`
 */
export function percent(probability) {
  const whole = Math.round(Math.min(1, Math.max(0, probability)) * 100);
  if (whole === 0 && probability > 0) return '<1\u00a0%';
  return whole === 100 && probability < 1 ? '>99\u00a0%' : `${whole}\u00a0%`;
}

/**
 * The emotions that a reading has scores of, in the page's order.
 * @param {Scores} scores
 */
export function emotionsOf(scores) {
  return EMOTIONS.filter((emotion) => emotion in scores);
}

/**
 * The same, the most probable first.
 * @param {Scores} scores
 */
export function ranked(scores) {
  return emotionsOf(scores).sort((a, b) => scores[b] - scores[a]);
}

/**
 * The highest score.
 * @param {Scores} scores
 * @returns {{emotion: string, probability: number}}
 */
export function best(scores) {
  let top = { emotion: 'neutral', probability: 0 };
  for (const emotion of emotionsOf(scores)) {
    if (scores[emotion] > top.probability) top = { emotion, probability: scores[emotion] };
  }
  return top;
}

/** @param {Face} face @returns {string} as `happiness 98%`, or `unsure (sadness 34%)` */
export function words(face) {
  const score = `${face.best} ${percent(face.probability)}`;
  return face.emotion ? score : `unsure (${score})`;
}

/** @param {number} count @param {string} noun @returns {string} as `1 face`, `2 faces` */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** @param {number} seconds @returns {string} as `1:07.5` */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds * 10));
  const minutes = Math.floor(whole / 600);
  const rest = (whole % 600) / 10;
  return `${minutes}:${rest < 10 ? '0' : ''}${rest.toFixed(1)}`;
}

/**
 * The colours of the page's theme, from its style sheet.
 * @returns {{emotion: (name: string) => string, text: string, faint: string, line: string, ground: string}}
 */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    emotion: (name) => read(`--${name}`) || read('--faint'),
    text: read('--text'), faint: read('--faint'), line: read('--line'), ground: read('--card'),
  };
}
