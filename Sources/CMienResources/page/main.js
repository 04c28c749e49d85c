/** Puts the page together: what is opened, dropped or pasted, and what is saved. */

import { ApiError, Server } from './api.js';
import { Camera, cameraStream, switchOff } from './camera.js';
import { Clip } from './clip.js';
import { Corrections } from './corrections.js';
import { Details } from './details.js';
import { EMOTIONS, icon } from './emotions.js';
import { Explanations } from './explain.js';
import { FacesPanel } from './faces.js';
import { filesIn, kindOf } from './files.js';
import { Notice } from './notice.js';
import { Photos } from './photos.js';
import { Profiles } from './profiles.js';
import { Stage } from './stage.js';
import { Timeline } from './timeline.js';

/** @typedef {Photos|Camera|Clip} Source */

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (element(id));
const button = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (element(id));
const dialog = (/** @type {string} */ id) => /** @type {HTMLDialogElement} */ (element(id));

/** What the sources of pictures work with. */
export class Page {
  constructor() {
    this.server = new Server((wasRefused) => this.askForToken(wasRefused));
    this.server.onNoProfile = (name) => this.profiles.lose(name);
    this.server.onToken = () => { element('forget-token').hidden = false; };
    this.stage = new Stage();
    this.faces = new FacesPanel(element('faces'), element('faces-count'), element('faces-empty'), element('faces-summary'));
    this.timeline = new Timeline(/** @type {HTMLCanvasElement} */ (element('timeline')), element('timeline-cursor'));
    this.notice = new Notice();
    /** What the model tells apart. */
    this.emotions = EMOTIONS;
    /** @type {?Source} */
    this.source = null;
    this.reopen = () => {};
    const pick = (/** @type {number} */ track) => this.source?.pick(track);
    this.stage.onPick = (track) => {
      // A second click on a face asks for more of it.
      if (track === this.source?.selected) this.faces.explain(track);
      else pick(track);
    };
    this.faces.onPick = pick;
    this.timeline.onPick = pick;
    this.faces.crop = (face, canvas) => this.stage.crop(face.box, canvas);
    const explanations = new Explanations(this.server, (text) => this.announce(text));
    explanations.onStage = (explanation) => {
      if (!(this.source instanceof Photos) || (explanation && !this.stage.isInSight)) return false;
      this.stage.explain(explanation);
      return true;
    };
    this.corrections = new Corrections(this.server, (text) => this.announce(text));
    const select = /** @type {HTMLSelectElement} */ (element('profile'));
    this.profiles = new Profiles(this.server, select, element('profile-choice'), () => this.readAgain());
    this.corrections.profiles = this.profiles;
    this.corrections.onAdapted = (text) => this.notice.show(text);
    this.profiles.onLost = (name) => {
      this.corrections.forget(name, this.profiles.standard);
      this.notice.show(`The profile ${name} was deleted. Faces are read without it.`);
    };
    for (const part of [explanations, this.corrections]) {
      part.pictureOf = async (face) => (await this.source?.pictureOf(face)) ?? null;
    }
    const details = new Details();
    details.isMirrored = () => this.stage.isMirrored;
    this.faces.sections = () => [details.section(), explanations.section(), this.corrections.section()]
      .filter((section) => section !== null);
    this.listen();
    element('cast').append(...EMOTIONS.map(icon));
  }

  /** @private */
  listen() {
    for (const opener of document.querySelectorAll('[data-open]')) {
      opener.addEventListener('click', () => this.choose(/** @type {HTMLElement} */ (opener).dataset.open ?? ''));
    }
    for (const id of ['photo-files', 'video-file', 'snapshot']) {
      input(id).addEventListener('change', () => this.take(input(id)));
    }
    element('add-photos').addEventListener('click', () => this.choose('photos'));
    element('clear-photos').addEventListener('click', () => void this.leave());
    button('save-json').addEventListener('click', () => this.source?.saveJSON());
    button('save-csv').addEventListener('click', () => this.source?.saveCSV());
    button('save-picture').addEventListener('click', () => {
      this.source?.savePicture().catch((error) => this.notice.show(error.message));
    });
    for (const radio of document.getElementsByName('timeline-style')) {
      radio.addEventListener('change', () => {
        this.timeline.isStacked = /** @type {HTMLInputElement} */ (radio).value === 'stacked';
        this.timeline.redraw();
      });
    }
    element('forget-token').addEventListener('click', async () => {
      if (!(await this.mayDiscard())) return;
      this.server.forgetToken();
      this.close();
      location.reload();
    });
    element('brand').addEventListener('click', (event) => {
      event.preventDefault();
      if (this.source) void this.leave();
    });
    // The browser asks, in its own words.
    addEventListener('beforeunload', (event) => { if (this.source?.unsaved) event.preventDefault(); });
    this.listenForDrops();
    addEventListener('paste', (event) => void this.receive(event.clipboardData));
  }

  /** @private */
  listenForDrops() {
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files');
    let depth = 0;
    const veil = (/** @type {number} */ change) => {
      depth = change === 0 ? 0 : depth + change;
      element('drop-veil').hidden = depth <= 0;
    };
    addEventListener('dragenter', (event) => { if (hasFiles(event)) veil(1); });
    addEventListener('dragleave', (event) => { if (hasFiles(event)) veil(-1); });
    addEventListener('dragover', (event) => { if (hasFiles(event)) event.preventDefault(); });
    addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      veil(0);
      void this.receive(event.dataTransfer);
    });
  }

  /** @private @param {string} kind */
  choose(kind) {
    if (kind === 'photos') input('photo-files').click();
    if (kind === 'video') input('video-file').click();
    if (kind === 'snapshot') input('snapshot').click();
    if (kind === 'camera') void this.openCamera();
  }

  /** @private @param {HTMLInputElement} field */
  take(field) {
    const files = [...(field.files ?? [])];
    // The same file may be chosen again.
    field.value = '';
    void this.open(files);
  }

  /** Opens what was dropped or pasted. @private @param {?DataTransfer} transfer */
  async receive(transfer) {
    const { files, notes } = await filesIn(transfer);
    await this.open(files, notes);
  }

  /**
   * Opens files that were chosen, dropped or pasted: all photos, else a video.
   * @private @param {File[]} files @param {string[]} [notes] What else is to be said of them.
   */
  async open(files, notes = []) {
    if (files.length === 0 && notes.length === 0) return;
    const kinds = await Promise.all(files.map(kindOf));
    const of = (/** @type {string} */ kind) => files.filter((_, index) => kinds[index] === kind);
    const [photos, videos, others] = [of('picture'), of('video'), of('other')];
    this.notice.hide();
    if (photos.length > 0) {
      if (!(this.source instanceof Photos)) {
        if (!(await this.mayDiscard())) return;
        this.use(new Photos(this));
      }
      /** @type {Photos} */ (this.source).add(photos);
    } else if (videos.length > 0) {
      await this.openClip(videos[0]);
    }
    this.tellLeftOut(notes, others, photos.length > 0 ? videos : videos.slice(1), photos.length > 0);
  }

  /** @private @param {string[]} notes @param {File[]} others @param {File[]} videos @param {boolean} forPhotos */
  tellLeftOut(notes, others, videos, forPhotos) {
    const list = (/** @type {File[]} */ files) => {
      const names = files.slice(0, 3).map(({ name }) => name).join(', ');
      return files.length > 3 ? `${names} and ${files.length - 3} more` : names;
    };
    const reasons = [...notes];
    if (others.length === 1) reasons.push(`${list(others)} is neither a picture nor a video.`);
    if (others.length > 1) reasons.push(`${list(others)} are neither pictures nor videos.`);
    if (videos.length > 0) {
      reasons.push(forPhotos ? `Left out: ${list(videos)}. Photos and videos are read separately.`
        : `Left out: ${list(videos)}. One video is read at a time.`);
    }
    if (reasons.length === 0) return;
    const action = videos.length > 0 ? { label: 'Open the video', run: () => void this.openClip(videos[0]) } : undefined;
    this.notice.show(reasons.join(' '), action);
  }

  /** @param {File} file */
  async openClip(file) {
    if (!(await this.mayDiscard())) return;
    this.notice.hide();
    this.reopen = () => void this.openClip(file);
    const clip = new Clip(this, file);
    this.use(clip);
    await clip.start();
  }

  /** What is open stays until there is a camera. @private */
  async openCamera() {
    if (this.source instanceof Camera && !this.source.isOver) return;
    this.notice.hide();
    let stream;
    try {
      stream = await cameraStream();
    } catch (error) {
      this.notice.show(/** @type {Error} */ (error).message);
      return;
    }
    if (!(await this.mayDiscard())) {
      switchOff(stream);
      return;
    }
    this.reopen = () => void this.openCamera();
    const camera = new Camera(this);
    this.use(camera);
    await camera.start(stream);
  }

  /** Whether what is open may be closed: asks if something is lost by it. @private @returns {Promise<boolean>} */
  async mayDiscard() {
    const lost = this.source?.unsaved ?? '';
    if (!lost) return true;
    element('discard-text').textContent = lost;
    return (await ask(dialog('discard-dialog'))) === 'discard';
  }

  /** Back to the first screen, unless something would be lost. */
  async leave() {
    if (await this.mayDiscard()) this.close();
  }

  /** @private @param {Source} source */
  use(source) {
    const hadFocus = element('welcome').contains(document.activeElement);
    const before = this.source;
    // A new source has set the page up for itself already.
    this.source = source;
    before?.close();
    element('welcome').hidden = true;
    element('work').hidden = false;
    this.faces.isStill = source instanceof Photos;
    element('work').classList.toggle('live', !this.faces.isStill);
    element('sources').hidden = false;
    this.faces.clear('');
    this.stage.message('');
    this.canSave(false, false);
    for (const opener of document.querySelectorAll('#sources [data-open]')) {
      if (/** @type {HTMLElement} */ (opener).dataset.open === source.kind) {
        opener.setAttribute('aria-current', 'true');
        // The button that had the focus is gone with the first screen.
        if (hadFocus) /** @type {HTMLElement} */ (opener).focus({ preventScroll: true });
      } else {
        opener.removeAttribute('aria-current');
      }
    }
  }

  /** Back to the first screen. */
  close() {
    this.source?.close();
    this.source = null;
    element('welcome').hidden = false;
    element('work').hidden = true;
    element('sources').hidden = true;
    document.title = 'Mien';
    /** @type {HTMLElement} */ (document.querySelector('#welcome [data-open]')).focus({ preventScroll: true });
  }

  /** A camera or video that cannot be shown. @param {string} reason */
  failToOpen(reason) {
    this.close();
    if (reason) this.notice.show(reason);
  }

  /** Another profile reads from now on. @private */
  readAgain() {
    this.corrections.profileInUse = this.server.profile || null;
    this.source?.readAgain();
  }

  /** What is open. @param {string} name */
  title(name) {
    element('work-title').textContent = `Readings of ${name}`;
    document.title = `${name} – Mien`;
  }

  /** What there is to save. @param {boolean} hasReadings @param {boolean} hasPicture */
  canSave(hasReadings, hasPicture) {
    button('save-json').disabled = !hasReadings;
    button('save-csv').disabled = !hasReadings;
    button('save-picture').disabled = !hasPicture;
  }

  /** Has a screen reader say something when it has time. @param {string} text */
  announce(text) { element('announcer').textContent = text; }

  /** @private @param {boolean} wasRefused @returns {Promise<?string>} */
  async askForToken(wasRefused) {
    element('token-error').textContent = wasRefused ? 'The server did not accept that token.' : '';
    input('token').value = '';
    const isGiven = (await ask(dialog('token-dialog'))) === 'given';
    // Chat programs paste invisible characters with it.
    const token = input('token').value.replace(/[\s\u200b-\u200f\u2060\ufeff]/g, '');
    input('token').value = '';
    if (!isGiven || !token) return null;
    // No token has others, and browsers send no header with them.
    return /^[!-~]+$/.test(token) ? token : this.askForToken(true);
  }

  /** Learns what the server can do. */
  async start() {
    try {
      await this.server.discover();
      const { name, emotions, profile } = await this.server.model();
      if (this.server.offers('/v1/corrections')) {
        element('privacy').append(' With a correction, it keeps what the correction’s form says.');
      }
      this.emotions = emotions ?? EMOTIONS;
      this.corrections.profileInUse = profile ?? null;
      element('model').textContent = `Model ${name}${profile ? `, adapted by the profile ${profile}` : ''}`;
      element('forget-token').hidden = this.server.token === null;
      await this.profiles.load(profile ?? null);
    } catch (error) {
      const again = { label: 'Try again', run: () => void this.start() };
      this.notice.show(error instanceof ApiError ? error.message : 'The server does not answer.', again);
    }
  }
}

/**
 * Shows a dialog.
 * @param {HTMLDialogElement} shown
 * @returns {Promise<string>} The value of the button that closed it; empty if it was cancelled.
 */
function ask(shown) {
  return new Promise((resolve) => {
    shown.returnValue = '';
    /** @type {HTMLElement} */ (shown.querySelector('[data-cancel]')).onclick = () => shown.close('');
    shown.onclose = () => resolve(shown.returnValue);
    shown.showModal();
  });
}

void new Page().start();
