/** Photos: a strip of them, each read once. */

import { ApiError, patiently } from './api.js';
import { counted, icon, words } from './emotions.js';
import { photosCSV, photosJSON, save, stem } from './export.js';
import { make } from './faces.js';

/** @typedef {import('./main.js').Page} Page @typedef {import('./api.js').Reading} Reading */

/**
 * @typedef {Object} Photo
 * @property {File|Blob} file
 * @property {string} name
 * @property {'waiting'|'reading'|'done'|'failed'} state
 * @property {?Blob} sent What was read: the file's content, or a copy.
 * @property {?Reading} reading
 * @property {string} error
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} badge
 */

const TOGETHER = 2;
/** What the server reads; other kinds that the browser can show become JPEG. */
const TYPES = ['image/jpeg', 'image/png', 'image/webp'];
/** Larger files are made smaller before they travel. */
const MOST_BYTES = 8 << 20;
const LONGEST_SIDE = 3000;

export class Photos {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.strip = /** @type {HTMLElement} */ (document.getElementById('strip'));
    /** @type {Photo[]} */
    this.photos = [];
    this.current = /** @type {?Photo} */ (null);
    this.selected = /** @type {?number} */ (null);
    this.url = '';
    this.abort = new AbortController();
    this.working = 0;
    /** Whether the browser can show the current photo. */
    this.canShow = true;
    this.strip.replaceChildren();
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.strip.addEventListener('keydown', this.onKey);
    page.stage.use(false, false);
  }

  /** Adds photos, and shows the first of them. @param {File[]} files */
  add(files) {
    const first = this.photos.length;
    for (const file of files) this.photos.push(this.entry(file));
    this.strip.hidden = this.photos.length < 2;
    void this.open(this.photos[first]);
    this.start();
  }

  /** @private */
  start() {
    for (let more = TOGETHER - this.working; more > 0; more -= 1) void this.work();
  }

  /** @private @param {File} file @returns {Photo} */
  entry(file) {
    const button = /** @type {HTMLButtonElement} */ (make('button', 'thumb'));
    button.type = 'button';
    const name = file.name || 'pasted picture';
    const badge = make('span', 'thumb-badge');
    button.append(badge);
    /** @type {Photo} */
    const photo = { file, name, state: 'waiting', sent: null, reading: null, error: '', button, badge };
    button.setAttribute('aria-label', `${name}, waiting`);
    button.addEventListener('click', () => void this.open(photo));
    const item = make('li');
    item.append(button);
    this.strip.append(item);
    void this.thumbnail(photo);
    return photo;
  }

  /** @private @param {Photo} photo */
  async thumbnail(photo) {
    const bitmap = await createImageBitmap(photo.file, { resizeHeight: 128, resizeQuality: 'medium' }).catch(() => null);
    if (!bitmap) return;
    const canvas = /** @type {HTMLCanvasElement} */ (make('canvas'));
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    bitmap.close();
    photo.button.prepend(canvas);
  }

  /** Reads photos until all are done; two of these run. @private */
  async work() {
    this.working += 1;
    while (!this.abort.signal.aborted) {
      // The one that is looked at goes first.
      const next = [this.current, ...this.photos].find((photo) => photo?.state === 'waiting');
      if (!next) break;
      await this.read(next);
    }
    this.working -= 1;
  }

  /** @private @param {Photo} photo */
  async read(photo) {
    const { server, notice } = this.page;
    const { signal } = this.abort;
    photo.state = 'reading';
    try {
      const picture = await sendable(photo.file);
      photo.sent = picture;
      photo.reading = await patiently(
        () => server.detect(picture, signal),
        (error, seconds) => notice.trouble(error, seconds), signal);
      notice.well();
      photo.state = 'done';
    } catch (error) {
      photo.state = 'waiting';
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) {
        this.abort.abort();
        notice.show(error.message, { label: 'Enter token', run: () => this.retry() });
        return;
      }
      photo.state = 'failed';
      photo.error = error instanceof Error ? error.message : String(error);
    }
    this.mark(photo);
    if (photo === this.current) this.present();
  }

  /** Goes on after the token was asked for in vain. @private */
  retry() {
    this.abort = new AbortController();
    this.start();
  }

  /** @private @param {Photo} photo */
  mark(photo) {
    const faces = photo.reading?.faces ?? [];
    const state = photo.state === 'failed' ? 'failed' : counted(faces.length, 'face');
    photo.button.setAttribute('aria-label', `${photo.name}, ${state}`);
    photo.badge.replaceChildren();
    if (photo.state === 'failed') photo.badge.append('!');
    if (photo.state !== 'done') return;
    if (faces[0]) photo.badge.append(icon(faces[0].emotion ?? 'unsure'));
    if (faces.length !== 1) photo.badge.append(String(faces.length));
  }

  /** Shows a photo. @private @param {Photo} photo */
  async open(photo) {
    this.current = photo;
    for (const { button } of this.photos) {
      if (button === photo.button) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
    photo.button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(photo.file);
    this.selected = photo.reading?.faces[0]?.track ?? null;
    this.page.stage.show({ width: 1, height: 1, faces: [] }, null);
    const isShown = await this.page.stage.showPhoto(this.url, photo.name).then(() => true, () => false);
    if (photo !== this.current) return;
    this.canShow = isShown;
    this.present();
  }

  /** Shows what is known of the current photo. @private */
  present() {
    const { page } = this;
    const { stage, faces } = page;
    const photo = this.current;
    if (!photo) return;
    const found = photo.reading?.faces ?? [];
    if (!found.some(({ track }) => track === this.selected)) this.selected = found[0]?.track ?? null;
    const place = this.photos.length > 1 ? `${this.photos.indexOf(photo) + 1} of ${this.photos.length}` : '';
    stage.caption(photo.name, place);
    stage.show(photo.reading ?? { width: 1, height: 1, faces: [] }, this.selected);
    if (photo.state === 'waiting' || photo.state === 'reading') {
      stage.message('Reading…');
      faces.clear('Reading…');
    } else if (photo.state === 'failed') {
      stage.message('');
      faces.clear(photo.error);
      page.announce(`${photo.name}: ${photo.error}`);
    } else {
      stage.message(found.length === 0 ? 'No face found' : this.canShow ? '' : 'This browser cannot show the picture');
      faces.clear('');
      faces.update(found, this.selected, this.canShow);
      const text = found.map((face) => `Face ${face.track}: ${words(face)}.`).join(' ');
      page.announce(`${photo.name}: ${found.length === 0 ? 'no face found.' : `${counted(found.length, 'face')}. ${text}`}`);
    }
    page.canSave(this.results.length > 0, photo.state === 'done' && this.canShow);
  }

  /** Shows the bars of a face. @param {number} track */
  pick(track) {
    this.selected = track;
    const { reading: current } = /** @type {Photo} */ (this.current);
    if (!current) return;
    this.page.stage.show(current, track);
    this.page.faces.update(current.faces, track, false);
  }

  /** The picture that the current faces were read in. */
  pictureOf() { return this.current?.sent ?? null; }

  /** Arrow keys go along the strip. @private @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || !this.current) return;
    const next = this.photos[this.photos.indexOf(this.current) + step];
    if (!next) return;
    event.preventDefault();
    next.button.focus();
    void this.open(next);
  }

  /** @private */
  get results() {
    return this.photos.filter(({ state }) => state === 'done' || state === 'failed').map(({ name, reading: one, error }) => (
      one ? { ...one.json, file: name } : { file: name, width: null, height: null, faces: [], error }));
  }

  /** @private */
  get fileStem() { return this.photos.length === 1 ? stem(this.photos[0].name) : 'mien'; }

  saveJSON() { save(`${this.fileStem}.json`, photosJSON(this.results), 'application/json'); }
  saveCSV() { save(`${this.fileStem}.csv`, photosCSV(this.results), 'text/csv'); }
  async savePicture() {
    save(`${stem(this.current?.name ?? 'mien')}-mien.png`, await this.page.stage.picture());
  }

  close() {
    this.abort.abort();
    this.strip.removeEventListener('keydown', this.onKey);
    this.strip.replaceChildren();
    this.strip.hidden = true;
    if (this.url) URL.revokeObjectURL(this.url);
    this.page.stage.photo.removeAttribute('src');
  }
}

/**
 * The file's content, or a JPEG of it where it is too large or of a kind that the server does not read.
 * @param {Blob} file @returns {Promise<Blob>}
 */
async function sendable(file) {
  const content = await file.arrayBuffer().catch(() => { throw new Error('The file cannot be read.'); });
  const isKnown = TYPES.includes(file.type);
  const plain = new Blob([content], { type: isKnown ? file.type : 'application/octet-stream' });
  if (isKnown && file.size <= MOST_BYTES) return plain;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return plain;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) return plain;
  // What is transparent is read as on white, as in every picture.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
}
