/** The picture or video with what was read drawn over it. */

import { drawFaces, faceAt } from './draw.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./emotions.js').Box} Box */

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Stage {
  constructor() {
    this.viewport = element('viewport');
    this.photo = /** @type {HTMLImageElement} */ (element('photo'));
    this.video = /** @type {HTMLVideoElement} */ (element('video'));
    this.overlay = /** @type {HTMLCanvasElement} */ (element('overlay'));
    /** The faces drawn, and the size of the picture that their boxes are measured on. */
    this.reading = { width: 1, height: 1, faces: /** @type {Face[]} */ ([]) };
    this.selected = /** @type {?number} */ (null);
    this.isMirrored = false;
    this.isVideo = false;
    /** Called with the track of a face that is clicked on. */
    this.onPick = /** @type {(track: number) => void} */ (() => {});
    new ResizeObserver(() => this.draw()).observe(this.viewport);
    this.viewport.addEventListener('click', (event) => this.pick(event));
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
    this.show({ width: 1, height: 1, faces: [] }, null);
  }

  /** Takes on a picture's shape. @param {number} width @param {number} height */
  resize(width, height) {
    this.viewport.style.setProperty('--ratio', String(width / height));
  }

  /**
   * Draws faces.
   * @param {{width: number, height: number, faces: Face[]}} reading
   * @param {?number} selected
   */
  show(reading, selected) {
    this.reading = reading;
    this.selected = selected;
    this.draw();
  }

  /** A few words over the picture; empty for none. @param {string} text */
  message(text) {
    const message = element('stage-message');
    message.textContent = text;
    message.hidden = text === '';
  }

  /** @param {string} name @param {string} [readout] */
  caption(name, readout = '') {
    element('caption').textContent = name;
    element('readout').textContent = readout;
  }

  /** @private */
  draw() {
    const { clientWidth: width, clientHeight: height } = this.viewport;
    const unit = Math.min(2, window.devicePixelRatio || 1);
    const size = [Math.round(width * unit), Math.round(height * unit)];
    if (this.overlay.width !== size[0] || this.overlay.height !== size[1]) {
      [this.overlay.width, this.overlay.height] = size;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.overlay.getContext('2d'));
    context.clearRect(0, 0, ...size);
    drawFaces(context, this.reading.faces, {
      width: size[0], height: size[1], scale: size[0] / this.reading.width, mirror: this.isMirrored,
      selected: this.selected, unit,
    });
  }

  /** @private @param {MouseEvent} event */
  pick(event) {
    const bounds = this.viewport.getBoundingClientRect();
    const scale = this.reading.width / bounds.width;
    const across = this.isMirrored ? bounds.right - event.clientX : event.clientX - bounds.left;
    const face = faceAt(this.reading.faces, across * scale, (event.clientY - bounds.top) * scale);
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
      width, height, scale: width / this.reading.width, mirror: false, selected: null,
      unit: Math.max(1, Math.min(width, height) / 600),
    });
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large to save.'))));
    });
  }
}
