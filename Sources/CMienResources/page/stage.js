/** The picture or video with what was read drawn over it. */

import { drawFaces, faceAt, placed } from './draw.js';
import { heatmap, turn } from './explain.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./emotions.js').Box} Box */
/** @typedef {import('./explain.js').Explanation} Explanation */

const ZOOMS = [1, 1.5, 2, 3, 4, 6];
/** A drawing has at most so many pixels per side. */
const LARGEST_DRAWING = 4096;

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Stage {
  constructor() {
    this.viewport = element('viewport');
    this.scroller = element('scroller');
    this.photo = /** @type {HTMLImageElement} */ (element('photo'));
    this.video = /** @type {HTMLVideoElement} */ (element('video'));
    this.overlay = /** @type {HTMLCanvasElement} */ (element('overlay'));
    /** The faces drawn, and the size of the picture that their boxes are measured on. */
    this.reading = { width: 1, height: 1, faces: /** @type {Face[]} */ ([]) };
    this.selected = /** @type {?number} */ (null);
    /** Why a face is read as it is. @type {?{area: Explanation['area'], heat: CanvasImageSource}} */
    this.map = null;
    this.isMirrored = false;
    this.isVideo = false;
    this.zoom = 1;
    /** Called with the track of a face that is clicked on. */
    this.onPick = /** @type {(track: number) => void} */ (() => {});
    new ResizeObserver(() => this.draw()).observe(this.viewport);
    this.viewport.addEventListener('click', (event) => this.pick(event));
    element('zoom-in').addEventListener('click', () => this.zoomTo(ZOOMS[ZOOMS.indexOf(this.zoom) + 1]));
    element('zoom-out').addEventListener('click', () => this.zoomTo(ZOOMS[ZOOMS.indexOf(this.zoom) - 1]));
    this.listenForDrags();
  }

  /** A mouse moves the enlarged picture; fingers scroll it by themselves. @private */
  listenForDrags() {
    let from = /** @type {?{x: number, y: number}} */ (null);
    this.viewport.addEventListener('pointerdown', ({ pointerType, clientX: x, clientY: y }) => {
      this.wasDragged = false;
      if (pointerType === 'mouse' && this.zoom > 1) from = { x, y };
    });
    addEventListener('pointermove', ({ clientX: x, clientY: y }) => {
      if (!from) return;
      if (!this.wasDragged && Math.hypot(x - from.x, y - from.y) < 4) return;
      this.wasDragged = true;
      this.scroller.scrollBy(from.x - x, from.y - y);
      from = { x, y };
    });
    addEventListener('pointerup', () => { from = null; });
  }

  /** Shows a photo. @param {string} url @param {string} name */
  async showPhoto(url, name) {
    this.use(false, false);
    this.photo.alt = `Photo ${name}`;
    this.photo.src = url;
    await this.photo.decode();
    this.resize(this.photo.naturalWidth, this.photo.naturalHeight);
  }

  /** Makes room for the video element's picture. @param {boolean} isMirrored */
  showVideo(isMirrored) { this.use(true, isMirrored); }

  /** @private */
  use(isVideo, isMirrored) {
    this.isVideo = isVideo;
    this.isMirrored = isMirrored;
    this.photo.hidden = isVideo;
    this.video.hidden = !isVideo;
    this.video.classList.toggle('mirrored', isMirrored);
    element('zoom').hidden = isVideo;
    this.zoomTo(1);
    this.show({ width: 1, height: 1, faces: [] }, null);
  }

  /** Takes on a picture's shape. @param {number} width @param {number} height */
  resize(width, height) {
    this.viewport.style.setProperty('--ratio', String(width / height));
  }

  /** Enlarges the picture around the selected face, else around its middle. @private @param {number} [zoom] */
  zoomTo(zoom = this.zoom) {
    const { scroller } = this;
    const across = (scroller.scrollLeft + scroller.clientWidth / 2) / Math.max(1, scroller.scrollWidth);
    const down = (scroller.scrollTop + scroller.clientHeight / 2) / Math.max(1, scroller.scrollHeight);
    this.zoom = zoom;
    this.viewport.style.setProperty('--zoom', String(zoom));
    scroller.classList.toggle('zoomed', zoom > 1);
    // What scrolls must be in reach of the keyboard.
    if (zoom > 1) scroller.tabIndex = 0;
    else scroller.removeAttribute('tabindex');
    /** @type {HTMLButtonElement} */ (element('zoom-in')).disabled = zoom === ZOOMS[ZOOMS.length - 1];
    /** @type {HTMLButtonElement} */ (element('zoom-out')).disabled = zoom === 1;
    scroller.scrollTo(
      across * scroller.scrollWidth - scroller.clientWidth / 2, down * scroller.scrollHeight - scroller.clientHeight / 2);
    this.reveal();
  }

  /** Scrolls the enlarged picture to the selected face. */
  reveal() {
    const face = this.reading.faces.find(({ track }) => track === this.selected);
    if (!face || this.zoom === 1) return;
    const box = placed(face.box, this.viewport.clientWidth / this.reading.width, null);
    this.scroller.scrollTo(
      box.x + box.width / 2 - this.scroller.clientWidth / 2, box.y + box.height / 2 - this.scroller.clientHeight / 2);
  }

  /**
   * Draws faces.
   * @param {{width: number, height: number, faces: Face[]}} reading
   * @param {?number} selected
   */
  show(reading, selected) {
    if (reading !== this.reading || selected !== this.selected) this.map = null;
    this.reading = reading;
    this.selected = selected;
    this.draw();
  }

  /** Whether most of the picture is in the window. */
  get isInSight() {
    const { top, bottom, height } = this.scroller.getBoundingClientRect();
    return Math.min(bottom, innerHeight) - Math.max(top, 0) > height / 2;
  }

  /** Draws why a face is read as it is over the picture; null takes it away. @param {?Explanation} explanation */
  explain(explanation) {
    this.map = explanation && { area: explanation.area, heat: heatmap(explanation.map) };
    this.draw();
  }

  /** A few words over the picture; empty for none. @param {string} text */
  message(text) {
    const message = element('stage-message');
    if (message.textContent !== text) message.textContent = text;
    message.hidden = text === '';
  }

  /** @param {string} name @param {string} [readout] */
  caption(name, readout = '') {
    element('caption').textContent = name;
    element('caption').title = name;
    element('readout').textContent = readout;
  }

  /** @private */
  draw() {
    const { clientWidth: width, clientHeight: height } = this.viewport;
    const unit = Math.min(2, window.devicePixelRatio || 1, LARGEST_DRAWING / Math.max(1, width, height));
    const size = [Math.round(width * unit), Math.round(height * unit)];
    if (this.overlay.width !== size[0] || this.overlay.height !== size[1]) {
      [this.overlay.width, this.overlay.height] = size;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.overlay.getContext('2d'));
    context.clearRect(0, 0, ...size);
    const scale = size[0] / this.reading.width;
    if (this.map) {
      const { x, y, side } = this.map.area;
      context.save();
      context.imageSmoothingQuality = 'high';
      context.scale(scale, scale);
      turn(context, this.map.area);
      context.drawImage(this.map.heat, x, y, side, side);
      context.restore();
    }
    drawFaces(context, this.reading.faces, {
      width: size[0], height: size[1], scale, mirror: this.isMirrored, selected: this.selected, unit,
    });
  }

  /** @private @param {MouseEvent} event */
  pick(event) {
    if (this.wasDragged) return;
    const bounds = this.viewport.getBoundingClientRect();
    const scale = this.reading.width / bounds.width;
    const across = this.isMirrored ? bounds.right - event.clientX : event.clientX - bounds.left;
    // A fingertip is wider than a small face.
    const face = faceAt(this.reading.faces, across * scale, (event.clientY - bounds.top) * scale, 12 * scale);
    if (face) this.onPick(face.track);
  }

  /** @private */
  get source() {
    return this.isVideo
      ? { image: this.video, width: this.video.videoWidth, height: this.video.videoHeight }
      : { image: this.photo, width: this.photo.naturalWidth, height: this.photo.naturalHeight };
  }

  /**
   * Draws the surroundings of a face.
   * @param {Box} box
   * @param {HTMLCanvasElement} canvas Square.
   */
  crop(box, canvas) {
    const { image, width } = this.source;
    if (!width) return;
    const scale = width / this.reading.width;
    const side = box.width * 1.2 * scale;
    const [x, y] = [(box.x + box.width / 2) * scale - side / 2, (box.y + box.height / 2) * scale - side / 2];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, x, y, side, side, 0, 0, canvas.width, canvas.height);
  }

  /** The picture with its faces marked, at the picture's own size. @returns {Promise<Blob>} PNG. */
  async picture() {
    const { image, width, height } = this.source;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [width, height];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.drawImage(image, 0, 0, width, height);
    drawFaces(context, this.reading.faces, {
      width, height, scale: width / this.reading.width, mirror: false, selected: this.selected,
      unit: Math.max(1, Math.min(width, height) / 600),
    });
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large to save.'))));
    });
  }
}
