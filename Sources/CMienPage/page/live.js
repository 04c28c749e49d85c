/** A camera or a video: its frames are read while it plays. */

import { counted, words } from './emotions.js';
import { save, stem, videoCSV, videoJSON } from './export.js';
import { FramePump } from './pump.js';
import { Record } from './record.js';
import { Session } from './session.js';

/** @typedef {import('./main.js').Page} Page @typedef {import('./record.js').Row} Row @typedef {import('./emotions.js').Face} Face */

/** Frames are sent with this longer side at most: faces of 5 % of it are still found. */
const FRAME_SIDE = 640;
const JPEG_QUALITY = 0.8;
/** Milliseconds. */
const PANEL_EVERY = 120;
const ANNOUNCE_EVERY = 4000;
const EMPTY_AFTER = 1000;

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** What to tell people whose camera cannot be used. */
const CAMERA_TROUBLE = {
  NotAllowedError: 'The camera was refused. Allow it for this page in the browser’s address bar, then try again.',
  NotFoundError: 'No camera was found.',
  NotReadableError: 'The camera is in use by another program.',
  OverconstrainedError: 'This camera is not there any more.',
};

export class Live {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.video = page.stage.video;
    this.record = new Record();
    this.session = new Session(page.server);
    this.pump = new FramePump({
      send: ({ picture, seconds }) => this.session.read(picture, seconds),
      onAnswer: (reading, frame, isNewest) => this.answer(reading, frame, isNewest),
      onTrouble: (error, seconds) => (error ? page.notice.trouble(error, seconds) : page.notice.well()),
      onFailure: (error) => this.fail(error.message),
    });
    this.name = 'camera';
    this.isCamera = true;
    this.startedAt = performance.now();
    this.frame = 0;
    /** The latest time of a frame that was sent. */
    this.frontier = -1;
    /** The time of the frame that is on the screen. */
    this.shownAt = -1;
    this.selected = /** @type {?number} */ (null);
    /** Whether the person chose the face. */
    this.isChosen = false;
    this.lastSeen = 0;
    this.emptySince = /** @type {?number} */ (null);
    this.panelAt = 0;
    this.announcedAt = 0;
    this.announced = '';
    /** The frame that was answered last. @type {?{picture: Blob, row: Row}} */
    this.latest = null;
    this.canvases = [new OffscreenCanvas(1, 1), new OffscreenCanvas(1, 1)];
    this.listeners = new AbortController();
    this.isClosed = false;
    this.listen();
  }

  /** @private */
  listen() {
    const { signal } = this.listeners;
    const on = (/** @type {EventTarget} */ target, /** @type {string} */ type, /** @type {(event: any) => void} */ run) =>
      target.addEventListener(type, run, { signal });
    on(element('play'), 'click', () => this.toggle());
    on(element('camera'), 'change', (event) => void this.openCamera(event.target.value));
    for (const type of ['play', 'pause', 'ended']) on(this.video, type, () => this.showState());
    on(this.video, 'pause', () => this.presentAgain());
    on(this.video, 'resize', () => this.fitStage());
    // Some videos do not tell their length at the start.
    on(this.video, 'durationchange', () => this.page.timeline.setDuration(this.duration));
    on(this.video, 'error', () => {
      if (this.video.src) this.stop('This browser cannot play that video.');
    });
    on(window, 'pagehide', () => this.session.close());
    this.readout = setInterval(() => this.showSpeed(), 500);
  }

  /**
   * Starts a camera.
   * @param {string} [device] One of the machine's cameras.
   * @returns {Promise<boolean>} Whether it runs.
   */
  async openCamera(device) {
    if (!navigator.mediaDevices) {
      this.page.failToOpen('Browsers give the camera only to pages that come over HTTPS or from this machine.');
      return false;
    }
    this.stopCamera();
    try {
      const wanted = device ? { deviceId: { exact: device } } : { facingMode: 'user' };
      this.stream = await navigator.mediaDevices.getUserMedia({
        // `none`: the camera's own picture, not one that the browser cuts to shape.
        audio: false, video: { ...wanted, width: 1280, height: 720, frameRate: 30, resizeMode: 'none' },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : '';
      this.stop(CAMERA_TROUBLE[name] ?? 'The camera could not be started.');
      return false;
    }
    if (this.isClosed) {
      this.stopCamera();
      return false;
    }
    const [track] = this.stream.getVideoTracks();
    track.addEventListener('ended', () => this.stop('The camera was switched off.'));
    const settings = track.getSettings();
    this.page.stage.showVideo(settings.facingMode !== 'environment');
    this.video.srcObject = this.stream;
    await this.begin();
    await this.listCameras(settings.deviceId);
    return true;
  }

  /** @private @param {string} [current] */
  async listCameras(current) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === 'videoinput');
    const select = /** @type {HTMLSelectElement} */ (element('camera'));
    select.replaceChildren(...cameras.map(({ deviceId, label }, index) => (
      new Option(label || `Camera ${index + 1}`, deviceId, false, deviceId === current))));
    element('camera-choice').hidden = cameras.length < 2;
  }

  /** Starts a video. @param {File} file @returns {Promise<boolean>} Whether it runs. */
  async openClip(file) {
    this.isCamera = false;
    this.name = file.name;
    this.url = URL.createObjectURL(file);
    this.page.stage.showVideo(false);
    this.video.src = this.url;
    const isReady = await new Promise((resolve) => {
      const { signal } = this.listeners;
      this.video.addEventListener('loadedmetadata', () => resolve(true), { once: true, signal });
      this.video.addEventListener('error', () => resolve(false), { once: true, signal });
      signal.addEventListener('abort', () => resolve(false));
    });
    if (!isReady) return false;
    await this.begin();
    return true;
  }

  /** A video's length in seconds; null for a camera, and where it is not known. @private */
  get duration() {
    return !this.isCamera && Number.isFinite(this.video.duration) ? this.video.duration : null;
  }

  /** @private */
  async begin() {
    const { timeline, stage, faces } = this.page;
    timeline.open(this.record, this.duration);
    timeline.onSeek = (seconds) => {
      this.video.currentTime = seconds;
      timeline.position = seconds;
      timeline.redraw();
    };
    element('timeline-section').hidden = false;
    element('live-controls').hidden = false;
    element('close-source').textContent = this.isCamera ? 'Stop' : 'Close';
    faces.clear('Waiting for a face…');
    stage.caption('');
    this.page.canSave(false, true);
    this.watch();
    await this.video.play().catch(() => {});
    this.fitStage();
    this.showState();
  }

  /** @private */
  fitStage() {
    if (this.video.videoWidth > 0) this.page.stage.resize(this.video.videoWidth, this.video.videoHeight);
  }

  /** Looks at every frame that the browser shows. @private */
  watch() {
    if (this.isWatching) return;
    this.isWatching = true;
    const next = (/** @type {number} */ _, /** @type {{mediaTime: number}} */ metadata) => {
      if (this.isClosed) return;
      this.video.requestVideoFrameCallback(next);
      this.see(this.isCamera ? (performance.now() - this.startedAt) / 1000 : metadata.mediaTime);
    };
    this.video.requestVideoFrameCallback(next);
  }

  /** @private @param {number} seconds The time of the frame that is on the screen. */
  see(seconds) {
    const { timeline } = this.page;
    this.shownAt = seconds;
    if (!this.isCamera) {
      timeline.position = seconds;
      timeline.redraw();
    }
    if (seconds <= this.frontier) {
      const row = this.record.nearest(seconds, 0.25);
      this.present(row ?? { frame: 0, seconds, width: 1, height: 1, faces: [] });
      return;
    }
    if (this.pump.offer(() => this.grab(seconds))) this.frontier = seconds;
  }

  /** Takes the frame that is on the screen. @private @param {number} seconds */
  async grab(seconds) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, FRAME_SIDE / Math.max(videoWidth, videoHeight));
    const canvas = this.canvases.pop() ?? new OffscreenCanvas(1, 1);
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    canvas.getContext('2d', { alpha: false })?.drawImage(this.video, 0, 0, width, height);
    this.frame += 1;
    const number = this.frame;
    const picture = await canvas.convertToBlob({ type: 'image/jpeg', quality: JPEG_QUALITY });
    this.canvases.push(canvas);
    return { picture, seconds, number, scale: width > 0 ? videoWidth / width : 1 };
  }

  /** @private */
  answer(reading, { picture, seconds, number, scale }, isNewest) {
    const row = { frame: number, seconds, width: reading.width, height: reading.height, scale, faces: reading.faces };
    this.record.add(row);
    if (this.record.rows.length === 1) this.page.canSave(true, true);
    if (isNewest) {
      this.latest = { picture, row };
      this.present(row);
    }
    this.page.timeline.redraw();
  }

  /** Shows what was read of a frame. @private @param {Row} row */
  present(row) {
    const now = performance.now();
    const { stage, faces, timeline } = this.page;
    this.choose(row, now);
    stage.show(row, this.selected);
    if (row.faces.length > 0) this.emptySince = null;
    else this.emptySince ??= now;
    const isEmpty = this.emptySince !== null && now - this.emptySince > EMPTY_AFTER;
    stage.message(isEmpty ? 'No face found' : '');
    // One frame without a face does not empty the list.
    if ((this.video.paused || now - this.panelAt >= PANEL_EVERY) && (row.faces.length > 0 || isEmpty)) {
      this.panelAt = now;
      faces.update(row.faces, this.selected);
    }
    timeline.track = this.selected;
    this.speak(row, now);
  }

  /** Keeps to a face while it is there; else takes the largest. @private @param {Row} row @param {number} now */
  choose(row, now) {
    if (row.faces.some(({ track }) => track === this.selected)) {
      this.lastSeen = now;
      return;
    }
    if (row.faces.length === 0 || (this.isChosen && now - this.lastSeen < 2000)) return;
    const largest = row.faces.reduce((a, b) => (b.box.width > a.box.width ? b : a));
    this.isChosen = false;
    this.select(largest.track);
  }

  /** @private @param {number} track */
  select(track) {
    this.selected = track;
    this.lastSeen = performance.now();
    this.page.timeline.track = track;
    element('timeline-track').textContent = `Face ${track}`;
  }

  /** Says what the selected face shows when that has changed, but not all the time. @private */
  speak(row, now) {
    if (now - this.announcedAt < ANNOUNCE_EVERY) return;
    const face = row.faces.find(({ track }) => track === this.selected);
    const text = face ? `Face ${face.track}: ${face.emotion ?? 'unsure'}` : 'No face found';
    if (text === this.announced || (!face && this.emptySince === null)) return;
    this.announced = text;
    this.announcedAt = now;
    const others = row.faces.length > 1 ? `, ${counted(row.faces.length, 'face')} in all` : '';
    this.page.announce(face?.emotion ? `Face ${face.track}: ${words(face)}${others}` : text);
  }

  /** Shows a face's bars and timeline. @param {number} track */
  pick(track) {
    this.isChosen = true;
    this.select(track);
    this.panelAt = 0;
    this.presentAgain();
    this.page.timeline.redraw();
  }

  /** Shows what was read of the frame that is on the screen. @private */
  presentAgain() {
    const row = this.record.nearest(this.isCamera ? this.record.end : this.shownAt, 0.25);
    if (row) this.present(row);
  }

  /** The picture that a face was read in; null where it is not at hand any more. @param {Face} face @returns {?Blob} */
  pictureOf(face) {
    return this.latest?.row.faces.includes(face) ? this.latest.picture : null;
  }

  /** @private */
  toggle() {
    if (this.video.paused || this.video.ended) void this.video.play().catch(() => {});
    else this.video.pause();
  }

  /** @private */
  showState() {
    const label = this.video.ended ? 'Play again' : this.video.paused ? (this.isCamera ? 'Resume' : 'Play') : 'Pause';
    element('play').textContent = label;
    this.showSpeed();
  }

  /** @private */
  showSpeed() {
    const { rate, latency } = this.pump.speed();
    const text = rate > 0 ? `${rate.toFixed(rate < 9.95 ? 1 : 0)} readings/s · ${Math.round(latency)} ms` : '';
    this.page.stage.caption(this.isCamera ? '' : this.name, text);
  }

  /** @private @param {string} reason */
  fail(reason) {
    this.video.pause();
    this.page.notice.show(reason, { label: 'Start again', run: () => this.page.reopen() });
  }

  /** There is no more to see; what was read stays to be looked at and saved. @private @param {string} reason */
  stop(reason) {
    if (this.record.rows.length > 0) this.fail(reason);
    else this.page.failToOpen(reason);
  }

  /** @private */
  get fileStem() { return stem(this.name); }
  saveJSON() { save(`${this.fileStem}.jsonl`, videoJSON(this.record.rows), 'application/jsonl'); }
  saveCSV() { save(`${this.fileStem}.csv`, videoCSV(this.record.rows), 'text/csv'); }
  async savePicture() { save(`${this.fileStem}-mien.png`, await this.page.stage.picture()); }

  /** @private */
  stopCamera() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = undefined;
  }

  close() {
    this.isClosed = true;
    this.pump.stop();
    this.session.close();
    this.listeners.abort();
    clearInterval(this.readout);
    this.stopCamera();
    this.video.pause();
    this.video.srcObject = null;
    this.video.removeAttribute('src');
    this.video.load();
    if (this.url) URL.revokeObjectURL(this.url);
    element('timeline-section').hidden = true;
    element('live-controls').hidden = true;
    element('camera-choice').hidden = true;
  }
}
