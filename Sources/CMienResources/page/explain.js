/** “Why?”: which regions of a face support what it is read as. */

import { scaled } from './export.js';
import { make, SectionMaker } from './faces.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./api.js').Server} Server */
/** @typedef {import('./faces.js').Seen} Seen */

/**
 * @typedef {Object} Explanation What the server says.
 * @property {string} emotion
 * @property {{x: number, y: number, side: number, degrees: number}} area What of the picture the map covers, in its pixels:
 *   turned clockwise about its centre, as the head is.
 * @property {{width: number, height: number, values: number[]}} map Row by row, 0 to 1.
 */

/** Pixels of the drawing's side. */
const SIDE = 288;
const OPACITY = 0.65;
/** From low to high: lightness rises throughout, so that it reads without colour as well. */
const COLOURS = [[60, 15, 110], [140, 30, 110], [205, 55, 75], [245, 125, 20], [250, 235, 90]];

export class Explanations extends SectionMaker {
  /** @param {Server} server @param {(text: string) => void} announce */
  constructor(server, announce) {
    super(server, '/v1/explain', announce);
    /**
     * Draws a map over the large picture, or takes it away; false if that has moved on or is out of sight.
     * @type {(explanation: ?Explanation) => boolean}
     */
    this.onStage = () => false;
  }

  /**
   * What stands below a face's bars.
   * @returns {?import('./faces.js').Section} Null where the server has no maps.
   */
  section() {
    const box = this.box('explanation', 'Why?');
    if (!box) return null;
    const { root, opener, problem } = box;
    const figure = make('figure');
    figure.hidden = true;
    const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', 'explanation-map'));
    canvas.width = canvas.height = SIDE;
    canvas.setAttribute('role', 'img');
    const scale = make('p', 'explanation-scale');
    scale.append(make('span', '', 'little'), make('span', 'explanation-colours'), make('span', '', 'much'));
    const caption = make('figcaption', 'faint');
    figure.append(canvas, scale, caption);
    problem.before(figure);
    /** @type {?Face} */
    let latest = null;
    /** What is drawn over the large picture. @type {?Explanation} */
    let large = null;
    let isOpen = false;
    const show = (/** @type {boolean} */ shown) => {
      isOpen = shown;
      opener.setAttribute('aria-expanded', String(shown));
      opener.textContent = shown ? 'Hide' : 'Why?';
      figure.hidden = !shown;
      problem.textContent = '';
      if (!shown && large) this.onStage(null);
      if (!shown) large = null;
    };
    const toggle = async () => {
      if (isOpen) return show(false);
      const face = latest;
      const seen = face && await this.picture(face, problem);
      if (!face || !seen) return;
      opener.disabled = true;
      try {
        const found = await this.explain(face, seen);
        const own = { ...found, area: area(found.area, 1 / seen.scale) };
        canvas.hidden = latest?.track === face.track && this.onStage(own);
        large = canvas.hidden ? own : null;
        if (!canvas.hidden) await draw(canvas, seen, found);
        show(true);
        caption.textContent = `The brighter, the more a region supports ${found.emotion}.`;
        const words = describe(found, seen.isMirrored);
        canvas.setAttribute('aria-label', `Face ${face.track}, ${words}`);
        figure.setAttribute('aria-label', `Face ${face.track}, ${words}`);
        this.announce(`Face ${face.track}: ${words}`);
      } catch (error) {
        problem.textContent = /** @type {Error} */ (error).message;
      } finally {
        opener.disabled = false;
      }
    };
    opener.addEventListener('click', () => void toggle());
    const update = (/** @type {Face} */ face) => {
      latest = face;
      // The large picture forgets its map when another face is looked at.
      if (large) this.onStage(large);
    };
    // A map over the large picture is put away by looking at another face.
    const isInUse = () => opener.disabled || (isOpen && !large);
    return { root, update, open: () => { if (!isOpen) void toggle(); }, isInUse };
  }

  /** @private @param {Face} face @param {Seen} seen @returns {Promise<Explanation>} */
  explain(face, seen) {
    const { x, y, width, height } = scaled(face.box, seen.scale);
    const query = new URLSearchParams({
      emotion: face.best, x: String(x), y: String(y), width: String(width), height: String(height),
      ...(this.server.profile === null ? {} : { profile: this.server.profile }),
    });
    return this.server.json('POST', `${this.path}?${query}`, seen.picture);
  }
}

/** @param {Explanation['area']} place @param {number} scale @returns {Explanation['area']} */
function area({ x, y, side, degrees }, scale) {
  return { x: x * scale, y: y * scale, side: side * scale, degrees };
}

/**
 * Turns what is drawn next about the centre of a map's area.
 * @param {CanvasRenderingContext2D} context @param {Explanation['area']} area @param {number} [degrees] Clockwise.
 */
export function turn(context, { x, y, side, degrees: own }, degrees = own) {
  context.translate(x + side / 2, y + side / 2);
  context.rotate((degrees * Math.PI) / 180);
  context.translate(-x - side / 2, -y - side / 2);
}

/**
 * Where on a face the map is strongest, in words.
 * @param {Explanation} explanation @param {boolean} [isMirrored] Whether left and right are swapped on the page.
 */
export function describe({ emotion, map }, isMirrored = false) {
  const peak = map.values.indexOf(Math.max(...map.values));
  if (!(map.values[peak] > 0)) return `no region supports ${emotion}`;
  const third = (/** @type {number} */ place, /** @type {number} */ size) => Math.min(2, Math.floor((3 * place) / size));
  const row = ['upper', 'middle', 'lower'][third(Math.floor(peak / map.width), map.height)];
  const columns = isMirrored ? ['right', 'middle', 'left'] : ['left', 'middle', 'right'];
  const column = columns[third(peak % map.width, map.width)];
  const place = row === column ? 'middle' : row === 'middle' ? column : column === 'middle' ? `${row} part` : `${row} ${column}`;
  return `the ${place} of the face’s picture supports ${emotion} most`;
}

/** The colours of a map, to be stretched over its area. @param {Explanation['map']} map @returns {OffscreenCanvas} */
export function heatmap(map) {
  const heat = new OffscreenCanvas(map.width, map.height);
  const pixels = new ImageData(map.width, map.height);
  map.values.forEach((value, index) => pixels.data.set(colour(value), 4 * index));
  heat.getContext('2d')?.putImageData(pixels, 0, 0);
  return heat;
}

/**
 * Draws the face in grey, and the map over it.
 * @param {HTMLCanvasElement} canvas Square.
 * @param {Seen} seen The picture.
 * @param {Explanation} explanation
 */
async function draw(canvas, { picture, view, isMirrored }, { area: place, map }) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.fillRect(0, 0, canvas.width, canvas.height);
  // A picture that the browser cannot read is left out.
  const bitmap = await createImageBitmap(view ?? picture).catch(() => null);
  context.save();
  if (isMirrored) context.transform(-1, 0, 0, 1, canvas.width, 0);
  if (bitmap) {
    context.save();
    context.filter = 'grayscale(1)';
    context.scale(canvas.width / place.side, canvas.height / place.side);
    context.translate(-place.x, -place.y);
    // As the model sees it, with the head upright.
    turn(context, place, -place.degrees);
    context.drawImage(bitmap, 0, 0);
    context.restore();
    bitmap.close();
  }
  context.imageSmoothingQuality = 'high';
  context.drawImage(heatmap(map), 0, 0, canvas.width, canvas.height);
  context.restore();
}

/** @param {number} value 0 to 1. @returns {number[]} Red, green, blue and opacity, 0 to 255. */
export function colour(value) {
  const place = value * (COLOURS.length - 1);
  const first = Math.min(Math.floor(place), COLOURS.length - 2);
  const mixed = COLOURS[first].map((low, index) => low + (place - first) * (COLOURS[first + 1][index] - low));
  return [...mixed, 255 * OPACITY * Math.min(1, 2 * value)];
}
