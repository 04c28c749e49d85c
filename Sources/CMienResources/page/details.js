/** What else is known of a face: how it was found, where the head looks, and measures of its features. */

import { percent } from './emotions.js';
import { make } from './faces.js';

/** @typedef {import('./emotions.js').Face} Face */

/** Why a reading should not be relied on, in short and at length. */
const DOUBTS = {
  unsure: ['', 'No expression is clearly more probable than the others.'],
  small: ['small face', 'The face has too few pixels to be read reliably.'],
  turned: ['turned away', 'The face is turned too far away to be read reliably.'],
  dark: ['too dark', 'The face is too dark to be read reliably.'],
};

/** Why a reading should not be relied on, in two words; empty if nothing is to be said. @param {Face} face */
export function shortDoubt(face) {
  return face.reason ? (DOUBTS[face.reason]?.[0] ?? face.reason) : '';
}

/** The same at length. @param {Face} face */
export function doubt(face) {
  return face.reason ? (DOUBTS[face.reason]?.[1] ?? `Reason: ${face.reason}.`) : '';
}

/**
 * What the server says of a picture that it has read, as a sentence; what it advises those who write programs is left out.
 * @param {string} warning Parts between semicolons, most of which begin with a verb; empty for none.
 */
export function warningText(warning) {
  const parts = warning.split('; ').filter((part) => !/^all of them: | reads all$/.test(part));
  return warning ? `This picture ${parts.join('; ').replace(/; (?=(is|has|ends) )/g, '; it ')}.` : '';
}

/** Whether a picture has frames that were not read. @param {string} warning */
export function isAnimation(warning) { return /(^|; )is an animated /.test(warning); }

/**
 * The direction of a head, as `12° to the picture’s left, 8° up, tilted 5° clockwise`.
 * @param {{yaw: number, pitch: number, roll: number}} pose
 */
export function direction({ yaw, pitch, roll }) {
  const part = (/** @type {number} */ degrees, /** @type {string} */ more, /** @type {string} */ less) => {
    const whole = Math.round(Math.abs(degrees));
    return whole === 0 ? '' : `${whole}° ${degrees > 0 ? more : less}`;
  };
  const looks = [part(yaw, 'to the picture’s right', 'to the picture’s left'), part(pitch, 'up', 'down')].filter(Boolean);
  const tilt = part(roll, 'clockwise', 'anticlockwise');
  return [looks.join(', ') || 'straight ahead', tilt && `tilted ${tilt}`].filter(Boolean).join(', ');
}

/**
 * @param {Face} face @param {boolean} [isMirrored] Whether left and right are swapped on the page.
 * @returns {[string, string][]} Names and values; those that are not known are left out.
 */
export function facts({ score, pose, measures, box }, isMirrored = false) {
  const two = (/** @type {number} */ value) => value.toFixed(2);
  /** @type {[string, string][]} */
  const facts = [];
  if (score !== null) facts.push(['Is a face', percent(score)]);
  if (pose) facts.push(['Looks', direction(isMirrored ? { ...pose, yaw: -pose.yaw, roll: -pose.roll } : pose)]);
  facts.push(['Size', `${box.width} × ${box.height} pixels`]);
  if (!measures) return facts;
  const eyes = [measures.leftEyeOpenness, measures.rightEyeOpenness];
  const [left, right] = isMirrored ? eyes.reverse() : eyes;
  facts.push(
    ['Eyes open', `left ${two(left)}, right ${two(right)}`],
    ['Mouth', `open ${two(measures.mouthOpenness)}, wide ${two(measures.mouthWidth)}`],
    ['Brows raised', two(measures.browRaise)]);
  return facts;
}

/** Makes the part of a face's card that says more; it stays open from face to face. */
export class Details {
  constructor() {
    this.isOpen = false;
    /** Whether the page shows left and right swapped. @type {() => boolean} */
    this.isMirrored = () => false;
  }

  /** @returns {import('./faces.js').Section} */
  section() {
    const root = make('details', 'details');
    const list = make('dl');
    const note = make('p', 'faint', 'Of eyes, mouth and brows: in distances between the eyes, left and right as in the picture.');
    root.append(make('summary', '', 'More about this face'), list, note);
    let latest = /** @type {?Face} */ (null);
    const fill = () => {
      if (!latest || !this.isOpen) return;
      list.replaceChildren(...facts(latest, this.isMirrored()).flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]));
      note.hidden = !latest.measures;
    };
    root.addEventListener('toggle', () => {
      this.isOpen = /** @type {HTMLDetailsElement} */ (root).open;
      fill();
    });
    const update = (/** @type {Face} */ face) => {
      latest = face;
      /** @type {HTMLDetailsElement} */ (root).open = this.isOpen;
      fill();
    };
    return { root, update };
  }
}
