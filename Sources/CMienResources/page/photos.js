/** Photos: a strip of them, each read once. */

import { ApiError, patiently, reading } from './api.js';
import { isAnimation, warningText } from './details.js';
import { counted, icon, words } from './emotions.js';
import { enlarged, photosCSV, photosJSON, save, stem } from './export.js';
import { make } from './faces.js';
import { copy, MOST_BYTES, original, pictureFormat } from './files.js';
import { upright } from './upright.js';

/** @typedef {import('./main.js').Page} Page @typedef {import('./api.js').Reading} Reading */

/**
 * @typedef {Object} Photo
 * @property {File|Blob} file
 * @property {string} name
 * @property {'waiting'|'reading'|'done'|'failed'} state
 * @property {?Promise<Blob>} view What is shown of it.
 * @property {?Blob} sent What was read: the file's content, or a copy.
 * @property {?Blob} seen What was read, as every browser shows it.
 * @property {number} scale Pixels of what was sent per pixel of the photo.
 * @property {?Reading} reading In pixels of the photo.
 * @property {string} format As `HEIC`, if the browser cannot show it; empty if it is not known.
 * @property {string} error
 * @property {HTMLElement} item
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} badge
 */

const TOGETHER = 2;
/** What the server says of a picture that it may take as a smaller JPEG: too large, or of a kind that it does not read. */
const WORTH_A_COPY = [413, 415];

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** What is shown of a photo. @param {Photo} photo @returns {Promise<Blob>} */
function viewOf(photo) {
  photo.view ??= upright(photo.file);
  return photo.view;
}

export class Photos {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.kind = 'photos';
    this.strip = element('strip');
    /** @type {Photo[]} */
    this.photos = [];
    this.current = /** @type {?Photo} */ (null);
    this.selected = /** @type {?number} */ (null);
    this.url = '';
    this.abort = new AbortController();
    this.working = 0;
    /** How often all photos have been read once more. */
    this.round = 0;
    /** Whether the browser can show the current photo. */
    this.canShow = true;
    /** Whether the current photo is not on the stage yet. */
    this.isOpening = false;
    this.isSaved = true;
    /** Pictures for the strip are made one at a time: a large photo takes much memory. */
    this.thumbnails = Promise.resolve();
    this.strip.replaceChildren();
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    this.strip.addEventListener('keydown', (event) => this.key(event), { signal });
    element('remove-photo').addEventListener('click', () => this.remove(), { signal });
    element('open-animation').addEventListener('click', () => {
      const file = this.current?.file;
      if (file) void this.page.openClip(/** @type {File} */ (file));
    }, { signal });
    page.stage.use(false, false);
  }

  /** What is lost when it is closed, in words; empty for one face of one photo, which is soon read again. */
  get unsaved() {
    const read = this.photos.filter(({ state }) => state === 'done');
    const faces = read.reduce((sum, { reading: one }) => sum + (one?.faces.length ?? 0), 0);
    if (this.isSaved || (read.length < 2 && faces < 2)) return '';
    return `What was read of ${counted(read.length, 'photo')} is not saved.`;
  }

  /** Adds photos, and shows the first of them. @param {File[]} files */
  add(files) {
    const first = this.photos.length;
    for (const file of files) this.photos.push(this.entry(file));
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
    button.tabIndex = -1;
    const name = file.name || 'pasted picture';
    const badge = make('span', 'thumb-badge');
    button.append(badge);
    const item = make('li');
    /** @type {Photo} */
    const photo = {
      file, name, state: 'waiting', view: null, sent: null, seen: null, scale: 1, reading: null, format: '', error: '',
      item, button, badge,
    };
    button.setAttribute('aria-label', `${name}, waiting`);
    button.title = name;
    button.addEventListener('click', () => void this.open(photo));
    item.append(button);
    this.strip.append(item);
    this.thumbnails = this.thumbnails.then(() => this.thumbnail(photo));
    return photo;
  }

  /** @private @param {Photo} photo */
  async thumbnail(photo) {
    if (this.listeners.signal.aborted || !photo.item.isConnected) return;
    const bitmap = await createImageBitmap(await viewOf(photo), { resizeHeight: 128, resizeQuality: 'medium' }).catch(() => null);
    if (!bitmap) {
      photo.button.prepend(make('span', 'thumb-kind', (await pictureFormat(photo.file)) || '?'));
      return;
    }
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
    const { notice } = this.page;
    const { signal } = this.abort;
    photo.state = 'reading';
    const { round } = this;
    const { profile } = this.page.server;
    try {
      await this.send(photo, signal);
      notice.well();
      photo.state = 'done';
      this.isSaved = false;
    } catch (error) {
      photo.state = 'waiting';
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) {
        this.abort.abort();
        notice.show(error.message, { label: 'Enter token', run: () => this.retry() });
        return;
      }
      // The profile that it was to be read with was deleted, and is no longer in use.
      const isGone = error instanceof ApiError && error.code === 'no_profile' && this.page.server.profile !== profile;
      photo.state = isGone ? 'waiting' : 'failed';
      photo.error = isGone ? '' : error instanceof Error ? error.message : String(error);
    }
    // Another profile was chosen in the meantime.
    if (round !== this.round) photo.state = 'waiting';
    this.mark(photo);
    if (photo === this.current) this.present();
    this.showState();
  }

  /** Sends the photo as it is; if that is too large or of a kind that the server does not read, a copy. @private */
  async send(photo, signal) {
    const { server, notice } = this.page;
    const detect = (/** @type {Blob} */ picture) => patiently(
      () => server.detect(picture, signal), (error, seconds, tryNow) => notice.trouble(error, seconds, tryNow), signal);
    let refusal = /** @type {?ApiError} */ (null);
    if (photo.file.size <= MOST_BYTES) {
      const picture = await original(photo.file);
      try {
        photo.reading = await detect(picture);
        photo.sent = picture;
        photo.seen = await viewOf(photo);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || !WORTH_A_COPY.includes(error.status)) throw error;
        refusal = error;
      }
    }
    const smaller = await copy(await viewOf(photo));
    if (!smaller && refusal) throw refusal;
    const { picture, width, height } = smaller ?? { picture: await original(photo.file), width: 0, height: 0 };
    const found = await detect(picture);
    photo.sent = picture;
    photo.seen = smaller ? picture : await viewOf(photo);
    photo.scale = width > 0 ? found.width / width : 1;
    photo.reading = width > 0 ? reading(enlarged(found.json, width, height)) : found;
  }

  /** Goes on after the token was asked for in vain. @private */
  retry() {
    this.abort = new AbortController();
    this.start();
  }

  /** Reads all photos once more. */
  readAgain() {
    this.round += 1;
    for (const photo of this.photos) {
      if (photo.state === 'done') Object.assign(photo, { state: 'waiting', reading: null });
    }
    if (this.current?.state === 'waiting') this.present();
    this.start();
  }

  /** @private @param {Photo} photo */
  mark(photo) {
    const faces = photo.reading?.faces ?? [];
    const state = photo.state === 'done' ? counted(faces.length, 'face') : photo.state;
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
    this.isOpening = true;
    for (const { button } of this.photos) {
      const isCurrent = button === photo.button;
      button.tabIndex = isCurrent ? 0 : -1;
      if (isCurrent) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
    this.showState();
    photo.button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.selected = photo.reading?.faces[0]?.track ?? null;
    this.page.title(photo.name);
    this.page.stage.show({ width: 1, height: 1, faces: [] }, null);
    this.page.faces.clear('');
    const view = await viewOf(photo);
    if (photo !== this.current || this.listeners.signal.aborted) return;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(view);
    const isShown = await this.page.stage.showPhoto(this.url, photo.name).then(() => true, () => false);
    if (!isShown) photo.format = await pictureFormat(photo.file);
    if (photo !== this.current) return;
    this.canShow = isShown;
    this.isOpening = false;
    this.page.stage.photo.hidden = !isShown;
    this.present();
  }

  /** How many are read, and which one is shown. @private */
  showState() {
    const many = this.photos.length > 1;
    this.strip.hidden = !many;
    element('photo-bar').hidden = false;
    element('clear-photos').hidden = !many;
    const over = this.photos.filter(({ state }) => state === 'done' || state === 'failed').length;
    const failed = this.photos.filter(({ state }) => state === 'failed').length;
    const read = over < this.photos.length ? `${over} of ${this.photos.length} read` : `${counted(over - failed, 'photo')} read`;
    element('photo-count').textContent = many ? `${read}${failed > 0 ? `, ${failed} failed` : ''}` : '';
    this.page.canSave(this.photos.some(({ state }) => state === 'done'), this.current?.state === 'done' && this.canShow && !this.isOpening);
  }

  /** Shows what is known of the current photo. @private */
  present() {
    const { page } = this;
    const { stage, faces } = page;
    const photo = this.current;
    if (!photo || this.isOpening) return;
    const found = photo.reading?.faces ?? [];
    if (!found.some(({ track }) => track === this.selected)) this.selected = found[0]?.track ?? null;
    const place = this.photos.length > 1 ? `${this.photos.indexOf(photo) + 1} of ${this.photos.length}` : '';
    stage.caption(photo.name, place);
    // Where the faces are can be told of a picture that cannot be shown.
    if (!this.canShow && photo.reading) stage.resize(photo.reading.width, photo.reading.height);
    stage.show(photo.reading ?? { width: 1, height: 1, faces: [] }, this.selected);
    this.warn(photo.reading?.json.warning ?? '');
    if (photo.state === 'waiting' || photo.state === 'reading') {
      stage.message('Reading…');
      faces.clear('Reading…');
    } else if (photo.state === 'failed') {
      stage.message(this.canShow ? '' : 'This photo could not be read');
      faces.clear(photo.error);
      page.announce(`${photo.name}: ${photo.error}`);
    } else {
      const unshown = `This browser cannot show ${photo.format ? `${photo.format} pictures` : 'this picture'}`;
      stage.message(found.length === 0 ? 'No face found' : this.canShow ? '' : unshown);
      faces.clear('');
      faces.update(found, this.selected, this.canShow);
      const text = found.map((face) => `Face ${face.track}: ${words(face)}.`).join(' ');
      page.announce(`${photo.name}: ${found.length === 0 ? 'no face found.' : `${counted(found.length, 'face')}. ${text}`}`);
    }
    this.showState();
  }

  /** Says what the server says of a picture, and offers to read the whole of an animation. @private @param {string} warning */
  warn(warning) {
    element('photo-warning').hidden = warning === '';
    element('photo-warning-text').textContent = warningText(warning);
    element('open-animation').hidden = !isAnimation(warning) || !this.page.server.offers('/v1/video');
  }

  /** Shows the bars of a face. @param {number} track */
  pick(track) {
    this.selected = track;
    const { reading: current } = /** @type {Photo} */ (this.current);
    if (!current) return;
    this.page.stage.show(current, track);
    this.page.stage.reveal();
    this.page.faces.update(current.faces, track, false);
    this.page.faces.reveal(track);
  }

  /** The picture that the current faces were read in. */
  async pictureOf() {
    const sent = this.current?.sent;
    return sent ? { picture: sent, scale: this.current?.scale ?? 1, view: this.current?.seen ?? sent } : null;
  }

  /** Arrow keys, Home and End go along the strip; Delete removes a photo. @private @param {KeyboardEvent} event */
  key(event) {
    const last = this.photos.length - 1;
    const place = this.current ? this.photos.indexOf(this.current) : 0;
    if (event.key === 'Delete') {
      event.preventDefault();
      this.remove();
      // A single photo has no strip.
      (this.strip.hidden ? element('remove-photo') : this.current?.button)?.focus();
      return;
    }
    const target = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: last }[event.key];
    const next = target === undefined ? undefined : this.photos[target];
    if (!next) return;
    event.preventDefault();
    next.button.focus();
    void this.open(next);
  }

  /** Takes the current photo out. @private */
  remove() {
    const place = this.current ? this.photos.indexOf(this.current) : -1;
    if (place < 0) return;
    const [photo] = this.photos.splice(place, 1);
    photo.item.remove();
    photo.state = 'done';
    const next = this.photos[place] ?? this.photos[place - 1];
    if (next) void this.open(next);
    else this.page.close();
  }

  /** @private */
  get results() {
    return this.photos.filter(({ state }) => state === 'done' || state === 'failed').map(({ name, reading: one, error }) => (
      one ? { ...one.json, file: name } : { file: name, width: null, height: null, faces: [], error }));
  }

  /** @private */
  get fileStem() { return this.photos.length === 1 ? stem(this.photos[0].name) : 'mien'; }

  saveJSON() {
    save(`${this.fileStem}.json`, photosJSON(this.results), 'application/json');
    this.isSaved = true;
  }

  saveCSV() {
    save(`${this.fileStem}.csv`, photosCSV(this.results, this.page.emotions), 'text/csv');
    this.isSaved = true;
  }

  async savePicture() {
    save(`${stem(this.current?.name ?? 'mien')}-mien.png`, await this.page.stage.picture());
  }

  close() {
    this.abort.abort();
    this.listeners.abort();
    this.strip.replaceChildren();
    this.strip.hidden = true;
    element('photo-bar').hidden = true;
    this.warn('');
    if (this.url) URL.revokeObjectURL(this.url);
    this.page.stage.photo.removeAttribute('src');
  }
}
