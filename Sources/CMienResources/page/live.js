/** What a camera and a video have in common: their frames are read while they play. */

import { counted, words } from './emotions.js';
import { save, stem, videoCSV, videoJSON } from './export.js';
import { FramePump } from './pump.js';
import { Record } from './record.js';
import { Session } from './session.js';

/** @typedef {import('./main.js').Page} Page @typedef {import('./record.js').Row} Row @typedef {import('./emotions.js').Face} Face */
/** @typedef {import('./faces.js').Seen} Seen */
/** @typedef {{picture: Blob, seconds: number, number: number, scale: number}} Frame */

/** Frames are sent with this longer side at most: faces of 5 % of it are still found. */
const FRAME_SIDE = 640;
const JPEG_QUALITY = 0.8;
/** Milliseconds. */
const PANEL_EVERY = 120;
const ANNOUNCE_EVERY = 4000;
const EMPTY_AFTER = 1000;
const STALE_AFTER = 1000;

export const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Live {
  /** @param {Page} page @param {string} name */
  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.kind = '';
    this.video = page.stage.video;
    this.record = new Record();
    this.session = new Session(page.server);
    this.pump = this.newPump();
    /** The time of the frame that is on the screen. */
    this.shownAt = -1;
    this.selected = /** @type {?number} */ (null);
    /** Whether the person chose the face. */
    this.isChosen = false;
    this.lastSeen = 0;
    this.emptySince = /** @type {?number} */ (null);
    /** Since when frames have been offered without an answer. */
    this.waitingSince = /** @type {?number} */ (null);
    this.panelAt = 0;
    this.announcedAt = 0;
    this.announced = '';
    /** What the list is to show next, of the frame on the screen. @type {?{picture: ?Blob, row: Row}} */
    this.unlisted = null;
    /** The frame whose faces the list shows, as long as its picture is at hand. @type {?{picture: Blob, row: Row}} */
    this.listed = null;
    this.canvases = [new OffscreenCanvas(1, 1), new OffscreenCanvas(1, 1)];
    this.listeners = new AbortController();
    this.isClosed = false;
    this.isSaved = true;
    this.on(element('play'), 'click', () => this.toggle());
    for (const type of ['play', 'pause', 'ended', 'seeked']) this.on(this.video, type, () => this.showState());
    this.on(this.video, 'resize', () => this.fitStage());
    this.on(this.video, 'pause', () => this.presentAgain());
    this.on(window, 'pagehide', () => this.leave());
    this.readout = setInterval(() => this.look(), 250);
  }

  /** @protected @returns {FramePump} */
  newPump() {
    const { notice } = this.page;
    const pump = new FramePump({
      send: (/** @type {Frame} */ { picture, seconds }) => this.session.read(picture, seconds),
      onAnswer: (reading, frame, isNewest) => this.answer(reading, frame, isNewest),
      onTrouble: (error, seconds) => {
        if (error) notice.trouble(error, seconds, () => pump.tryNow());
        else notice.well();
      },
      onFailure: (error) => this.fail(error.message),
    });
    return pump;
  }

  /** Listens until it is closed. @protected @param {EventTarget} target @param {string} type @param {(event: any) => void} run */
  on(target, type, run) { target.addEventListener(type, run, { signal: this.listeners.signal }); }

  /** What is lost when it is closed, in words; empty for nothing. */
  get unsaved() {
    const frames = this.record.rows.length;
    return this.isSaved || frames === 0 ? '' : `What was read of ${counted(frames, 'frame')} is not saved.`;
  }

  /** @protected @param {?number} duration Of a video, in seconds. */
  async begin(duration) {
    const { timeline, stage, faces } = this.page;
    timeline.open(this.record, duration);
    element('timeline-section').hidden = false;
    element('timeline-track').textContent = '';
    element('live-controls').hidden = false;
    if (this.canShow) faces.clear('Waiting for a face…');
    stage.caption('');
    this.page.title(this.name);
    this.page.canSave(false, this.canShow);
    this.watch();
    await this.ready();
    await this.video.play().catch(() => {});
    this.fitStage();
    this.showState();
  }

  /** What has to be done before it plays. @protected */
  async ready() {}

  /** @protected */
  fitStage() {
    if (this.video.videoWidth > 0) this.page.stage.resize(this.video.videoWidth, this.video.videoHeight);
  }

  /** Looks at every frame that the browser shows. @private */
  watch() {
    if (this.isWatching) return;
    this.isWatching = true;
    const next = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ metadata) => {
      if (this.isClosed) return;
      this.video.requestVideoFrameCallback(next);
      this.see(metadata);
    };
    this.video.requestVideoFrameCallback(next);
  }

  /** Takes note of the frame that is on the screen. @protected @param {VideoFrameCallbackMetadata} metadata */
  see(metadata) { throw new Error(`${this.kind} takes no note of frames: ${metadata.mediaTime}`); }

  /** Offers the frame that is on the screen. @protected @param {number} seconds @param {number} number @returns {boolean} */
  offer(seconds, number) {
    this.waitingSince ??= performance.now();
    return this.pump.offer(() => this.grab(seconds, number));
  }

  /**
   * Takes the frame that is on the screen.
   * @protected @param {number} seconds @param {number} number @param {number} [side] At most, in pixels.
   * @returns {Promise<Frame>}
   */
  async grab(seconds, number, side = FRAME_SIDE) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
    const canvas = this.canvases.pop() ?? new OffscreenCanvas(1, 1);
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    canvas.getContext('2d', { alpha: false })?.drawImage(this.video, 0, 0, width, height);
    const picture = await canvas.convertToBlob({ type: 'image/jpeg', quality: JPEG_QUALITY });
    this.canvases.push(canvas);
    return { picture, seconds, number, scale: width > 0 ? videoWidth / width : 1 };
  }

  /** @private */
  answer(reading, /** @type {Frame} */ { picture, seconds, number, scale }, isNewest) {
    const row = { frame: number, seconds, width: reading.width, height: reading.height, scale, faces: reading.faces };
    this.waitingSince = null;
    this.isSaved = false;
    this.record.add(row);
    if (this.record.rows.length === 1) this.page.canSave(true, true);
    if (isNewest) this.presentNew(row, picture);
    this.page.timeline.redraw();
  }

  /** Shows a frame that was just read. @protected @param {Row} row @param {Blob} picture */
  presentNew(row, picture) { this.present(row, picture); }

  /**
   * Shows what was read of a frame.
   * @protected @param {Row} row @param {?Blob} [picture] The frame, if it is at hand.
   */
  present(row, picture = null) {
    const now = performance.now();
    const { stage, timeline } = this.page;
    this.choose(row, now);
    stage.show(row, this.selected);
    if (row.faces.length > 0) this.emptySince = null;
    else this.emptySince ??= now;
    // While it plays, one frame without a face does not empty the list.
    const isEmpty = this.emptySince !== null && (this.video.paused || now - this.emptySince > EMPTY_AFTER);
    stage.message(isEmpty ? 'No face found' : '');
    this.unlisted = row.faces.length > 0 || isEmpty ? { picture, row } : null;
    if (this.video.paused || now - this.panelAt >= PANEL_EVERY) this.catchUp();
    timeline.track = this.selected;
    this.speak(row, now);
  }

  /** Brings the list up to what is on the screen. @private */
  catchUp() {
    if (!this.unlisted) return;
    const { picture, row } = this.unlisted;
    this.unlisted = null;
    this.panelAt = performance.now();
    if (picture) this.listed = { picture, row };
    this.page.faces.update(row.faces, this.selected, this.canShow);
  }

  /** Whether the browser shows the frames. @protected */
  get canShow() { return true; }

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

  /** Shows what was read of the frame that is on the screen. @protected */
  presentAgain() {
    const row = this.record.nearest(this.shownAt, 0.25);
    if (row) this.present(row);
  }

  /** The picture that a face was read in; null if it is not at hand any more. @param {Face} face @returns {Promise<?Seen>} */
  async pictureOf(face) {
    if (!this.listed?.row.faces.includes(face)) return null;
    return { picture: this.listed.picture, scale: 1, isMirrored: this.page.stage.isMirrored };
  }

  /** @protected */
  toggle() {
    if (this.video.paused || this.video.ended) void this.video.play().catch(() => {});
    else this.video.pause();
  }

  /** @protected */
  showState() {
    if (this.video.paused) this.waitingSince = null;
    element('play').textContent = this.playLabel;
    this.look();
  }

  /** @protected @returns {string} */
  get playLabel() { return this.video.paused ? 'Play' : 'Pause'; }

  /** Shows how fast it goes, and whether it stands still. @protected */
  look() {
    // The list must not stay behind the picture where no further reading comes.
    if (this.unlisted?.row === this.page.stage.reading) this.catchUp();
    const { rate, latency } = this.pump.speed();
    const text = rate > 0 ? `${rate.toFixed(rate < 9.95 ? 1 : 0)} readings/s · ${Math.round(latency)} ms` : '';
    this.page.stage.caption(this.title, text);
    const waiting = this.waitingSince === null ? 0 : performance.now() - this.waitingSince;
    const isStale = waiting > STALE_AFTER;
    element('work').classList.toggle('stale', isStale);
    if (isStale) this.page.stage.message(`No reading for ${Math.floor(waiting / 1000)} s`);
  }

  /** What stands below the picture. @protected */
  get title() { return ''; }

  /** A frame could not be read: the video stops until the person plays it on. @protected @param {string} reason */
  fail(reason) {
    this.video.pause();
    // The pump that failed takes no more frames.
    this.pump = this.newPump();
    this.showState();
    this.page.notice.show(reason, { label: this.playLabel, run: () => this.toggle() });
  }

  /** The next frames are read in another way. */
  readAgain() { this.session.renew(); }

  /** What is written to files. @protected @returns {Row[]} */
  get rows() { return this.record.rows; }
  /** @private */
  get fileStem() { return stem(this.name); }

  saveJSON() {
    save(`${this.fileStem}.jsonl`, videoJSON(this.rows), 'application/jsonl');
    this.isSaved = true;
  }

  saveCSV() {
    save(`${this.fileStem}.csv`, videoCSV(this.rows, this.page.emotions), 'text/csv');
    this.isSaved = true;
  }

  async savePicture() { save(`${this.fileStem}-mien.png`, await this.page.stage.picture()); }

  /** The page is left. If the browser comes back to it, it is paused. @protected */
  leave() {
    this.pump.stop();
    this.pump = this.newPump();
    this.session.close();
    this.video.pause();
    this.showState();
  }

  close() {
    this.isClosed = true;
    this.pump.stop();
    this.session.close();
    this.listeners.abort();
    clearInterval(this.readout);
    this.video.pause();
    this.video.srcObject = null;
    this.video.removeAttribute('src');
    this.video.load();
    element('work').classList.remove('stale');
    element('timeline-section').hidden = true;
    element('live-controls').hidden = true;
  }
}
