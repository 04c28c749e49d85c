/** Puts the page together: what is opened, dropped or pasted, and what is saved. */

import { ApiError, Server } from './api.js';
import { Corrections } from './corrections.js';
import { EMOTIONS, icon } from './emotions.js';
import { Explanations } from './explain.js';
import { FacesPanel } from './faces.js';
import { Live } from './live.js';
import { Notice } from './notice.js';
import { Photos } from './photos.js';
import { Stage } from './stage.js';
import { Timeline } from './timeline.js';

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (element(id));
const button = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (element(id));

/** What the sources of pictures work with. */
export class Page {
  constructor() {
    this.server = new Server((wasRefused) => this.askForToken(wasRefused));
    this.stage = new Stage();
    this.faces = new FacesPanel(element('faces'), element('faces-count'), element('faces-empty'));
    this.timeline = new Timeline(/** @type {HTMLCanvasElement} */ (element('timeline')), element('timeline-cursor'));
    this.notice = new Notice();
    /** @type {?(Photos|Live)} */
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
    const corrections = new Corrections(this.server, (text) => this.announce(text));
    for (const part of [explanations, corrections]) part.pictureOf = (face) => this.source?.pictureOf(face) ?? null;
    this.faces.sections = () => [explanations.section(), corrections.section()].filter((section) => section !== null);
    this.listen();
    element('cast').append(...EMOTIONS.map(icon));
  }

  /** @private */
  listen() {
    for (const opener of document.querySelectorAll('[data-open]')) {
      opener.addEventListener('click', () => this.choose(/** @type {HTMLElement} */ (opener).dataset.open ?? ''));
    }
    input('photo-files').addEventListener('change', () => this.take(input('photo-files')));
    input('video-file').addEventListener('change', () => this.take(input('video-file')));
    element('close-source').addEventListener('click', () => this.close());
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
    element('forget-token').addEventListener('click', () => {
      this.server.forgetToken();
      location.reload();
    });
    this.listenForDrops();
    addEventListener('paste', (event) => this.open([...(event.clipboardData?.files ?? [])]));
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
      this.open([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** @private @param {string} kind */
  choose(kind) {
    if (kind === 'photos') input('photo-files').click();
    if (kind === 'video') input('video-file').click();
    if (kind === 'camera') void this.openLive('camera', (live) => live.openCamera());
  }

  /** @private @param {HTMLInputElement} field */
  take(field) {
    const files = [...(field.files ?? [])];
    // The same file may be chosen again.
    field.value = '';
    this.open(files);
  }

  /** Opens files that were chosen, dropped or pasted. @private @param {File[]} files */
  open(files) {
    if (files.length === 0) return;
    const video = files.find(({ type }) => type.startsWith('video/'));
    const photos = files.filter(({ type }) => type.startsWith('image/'));
    this.notice.hide();
    if (photos.length > 0) {
      if (!(this.source instanceof Photos)) this.use('photos', new Photos(this));
      /** @type {Photos} */ (this.source).add(photos);
    } else if (video) {
      void this.openLive('video', (live) => live.openClip(video));
    } else {
      this.notice.show(`${files[0].name} is neither a picture nor a video.`);
    }
  }

  /** @private @param {string} kind @param {(live: Live) => Promise<boolean>} start */
  async openLive(kind, start) {
    this.notice.hide();
    const live = new Live(this);
    this.use(kind, live);
    this.reopen = () => void this.openLive(kind, start);
    await start(live);
  }

  /** @private @param {string} kind @param {Photos|Live} source */
  use(kind, source) {
    const hadFocus = element('welcome').contains(document.activeElement);
    this.source?.close();
    this.source = source;
    element('welcome').hidden = true;
    element('work').hidden = false;
    element('work').classList.toggle('live', source instanceof Live);
    element('sources').hidden = false;
    this.faces.clear('');
    this.stage.message('');
    this.canSave(false, false);
    for (const opener of document.querySelectorAll('#sources [data-open]')) {
      if (/** @type {HTMLElement} */ (opener).dataset.open === kind) {
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
    /** @type {HTMLElement} */ (document.querySelector('#welcome [data-open]')).focus({ preventScroll: true });
  }

  /** A camera or video that cannot be shown. @param {string} reason */
  failToOpen(reason) {
    this.close();
    this.notice.show(reason);
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
  askForToken(wasRefused) {
    const dialog = /** @type {HTMLDialogElement} */ (element('token-dialog'));
    element('token-error').textContent = wasRefused ? 'The server did not accept that token.' : '';
    input('token').value = '';
    return new Promise((resolve) => {
      dialog.returnValue = '';
      element('token-cancel').onclick = () => dialog.close('');
      dialog.onclose = () => {
        const token = input('token').value.trim();
        input('token').value = '';
        resolve(dialog.returnValue === 'given' && token ? token : null);
      };
      dialog.showModal();
    });
  }

  /** Learns what the server can do. */
  async start() {
    try {
      await this.server.discover();
      const model = await this.server.model();
      if (this.server.offers('/v1/corrections')) {
        element('privacy').append(' With a correction it keeps what the correction’s form says.');
      }
      element('model').textContent = `Model ${model.name}`;
      element('forget-token').hidden = this.server.token === null;
    } catch (error) {
      const again = { label: 'Try again', run: () => void this.start() };
      this.notice.show(error instanceof ApiError ? error.message : 'The server does not answer.', again);
    }
  }
}

void new Page().start();
