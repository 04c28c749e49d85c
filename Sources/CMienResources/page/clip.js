/** A video file: read while it plays, or by the server as a whole. */

import { ApiError } from './api.js';
import { framesOf, Unreadable, VideoJob } from './job.js';
import { element, Live } from './live.js';
import { save, stem } from './export.js';
import { Coverage, FrameClock, Record } from './record.js';

/** @typedef {import('./main.js').Page} Page @typedef {import('./record.js').Row} Row @typedef {import('./emotions.js').Face} Face */

/** Between two frames that were read lies nothing that was not, up to so many seconds. */
const LONGEST_STEP = 1;
/** A video of which no frame has come after so many milliseconds cannot be shown. */
const PATIENCE = 5000;
/** A first frame that is later than this is not the video's first, in seconds. */
const LATEST_START = 5;
/** The first frame is waited for so many milliseconds before a video plays. */
const FIRST_WITHIN = 1000;
/** Pixels of the longer side of a frame that is looked at once more. */
const DETAIL_SIDE = 1280;
/** What the server answers to files that it cannot read: too large, of another kind, damaged. */
const REFUSALS = [413, 415, 422];

export class Clip extends Live {
  /** @param {Page} page @param {File} file */
  constructor(page, file) {
    super(page, file.name);
    this.kind = 'video';
    this.file = file;
    this.url = URL.createObjectURL(file);
    this.coverage = new Coverage();
    this.clock = new FrameClock();
    /** The time of the first frame: some videos begin with sound alone. Rows count from it, as those of `mien video`. */
    this.startAt = 0;
    /** The last frame that was sent; null after a jump. @type {?number} */
    this.sentAt = null;
    /** Times of the frames that were sent since the last jump and are not answered. @type {Set<number>} */
    this.underWay = new Set();
    /** Whether nothing has been shown since the last jump. */
    this.hasJumped = false;
    this.isShown = true;
    /** @type {?VideoJob} */
    this.job = null;
    /** What the server wrote of the whole video. @type {?string} */
    this.text = null;
    this.isWhole = false;
    /** Whether the server cannot read it either. */
    this.isRefused = false;
    this.on(this.video, 'seeking', () => this.jump());
    // Some videos do not tell their length at the start.
    this.on(this.video, 'durationchange', () => page.timeline.setDuration(this.duration));
    this.on(this.video, 'error', () => { if (this.video.src) this.cannotShow(); });
    this.on(element('close-source'), 'click', () => void page.leave());
    // Nobody is left to fetch what the server reads.
    this.on(window, 'pagehide', () => this.job?.close());
    this.on(element('read-all'), 'click', () => (this.job ? this.giveUp() : void this.readAll()));
  }

  async start() {
    const { stage, timeline } = this.page;
    timeline.onSeek = (seconds) => this.seek(seconds);
    stage.showVideo(false);
    this.video.src = this.url;
    const isReady = await new Promise((resolve) => {
      const { signal } = this.listeners;
      this.video.addEventListener('loadedmetadata', () => resolve(true), { once: true, signal });
      this.video.addEventListener('error', () => resolve(false), { once: true, signal });
      signal.addEventListener('abort', () => resolve(false));
    });
    if (this.isClosed) return;
    element('close-source').textContent = 'Close';
    element('read-all').hidden = !this.page.server.offers('/v1/video');
    this.showJob('');
    timeline.coverage = this.coverage;
    await this.begin(this.duration);
    // Sound alone, or a picture of a kind that the browser does not know.
    if (!isReady || this.video.videoWidth === 0) this.cannotShow();
    else this.patience = setTimeout(() => { if (this.shownAt < 0 && !this.video.paused) this.cannotShow(); }, PATIENCE);
  }

  /** Waits for the first frame, which is read before it plays. @protected */
  async ready() {
    await new Promise((resolve) => {
      this.onFirst = resolve;
      setTimeout(resolve, FIRST_WITHIN);
    });
  }

  /** In seconds; null if it is not known. @private */
  get duration() {
    if (Number.isFinite(this.video.duration)) return this.video.duration;
    return this.isShown ? null : Math.max(0.1, this.record.end);
  }

  /** @protected */
  get canShow() { return this.isShown; }
  /** @protected */
  get title() { return this.name; }
  /** @protected */
  get playLabel() { return this.video.ended ? 'Play again' : super.playLabel; }

  /** What is said of a video that the browser cannot play, at all or on. @private */
  get trouble() {
    if (this.isRefused) return 'This video cannot be read';
    return this.shownAt < 0 || this.text !== null ? 'This browser cannot show this video' : 'This browser cannot play this video further';
  }

  /** The browser has no picture of it, or none from here on. @private */
  cannotShow() {
    if (!this.isShown || this.isClosed) return;
    const text = `${this.trouble}.`;
    this.isShown = false;
    this.waitingSince = null;
    this.video.pause();
    element('play').hidden = true;
    const { page } = this;
    page.canSave(this.record.rows.length > 0, false);
    page.timeline.setDuration(this.duration);
    const canSend = page.server.offers('/v1/video');
    if (this.record.rows.length === 0) {
      page.stage.message(this.trouble);
      page.faces.clear(canSend ? 'The server may be able to read it.' : '');
    }
    if (canSend) page.notice.show(text, { label: 'Send it to the server', run: () => void this.readAll() });
    else page.notice.show(text);
  }

  /** @protected */
  see({ mediaTime }) {
    const { timeline } = this.page;
    const isFirst = this.shownAt < 0;
    this.shownAt = mediaTime;
    this.onFirst?.();
    if (isFirst && mediaTime < LATEST_START) {
      this.startAt = mediaTime;
      this.coverage.add(0, mediaTime);
    }
    this.clock.see(mediaTime - this.startAt);
    timeline.position = mediaTime;
    timeline.redraw();
    if (!isFirst && this.coverage.has(mediaTime)) {
      this.sentAt = null;
      this.waitingSince = null;
      this.presentAgain();
    } else if ((this.video.paused && !isFirst) || this.text !== null || this.job) {
      if (!this.isToBeRead) this.showUnread();
    } else {
      if (this.hasJumped && this.record.rows.length > 0) this.showPending();
      this.send();
    }
    this.hasJumped = false;
  }

  /** Whether the frame on the screen is at most a second after the last one that was sent. @private */
  get follows() { return this.sentAt !== null && this.shownAt > this.sentAt && this.shownAt - this.sentAt <= LONGEST_STEP; }

  /** Whether a pause has left a frame on the screen that had no room to be sent. @private */
  get isToBeRead() {
    return this.video.paused && this.follows && this.text === null && !this.job && !this.coverage.has(this.shownAt);
  }

  /** Sends the frame on the screen if there is room. @private */
  send() {
    const { shownAt, follows } = this;
    // What does not follow the last frame is no motion of its faces.
    if (!follows && this.record.rows.length > 0 && this.sentAt === null) this.session.renew();
    if (!this.offer(shownAt, 0)) return;
    this.coverage.add(follows ? /** @type {number} */ (this.sentAt) : shownAt, shownAt);
    this.sentAt = shownAt;
    this.underWay.add(shownAt);
  }

  /** What comes next does not follow what was shown: faces that are not there are not waited for. @private */
  jump() {
    this.sentAt = this.clock.last = null;
    this.underWay.clear();
    this.hasJumped = true;
    this.emptySince = -Infinity;
    this.panelAt = 0;
  }

  /** @protected */
  look() {
    super.look();
    if (this.isToBeRead) this.send();
  }

  /** @protected @param {Row} row @param {Blob} picture */
  presentNew(row, picture) {
    const isOfNow = this.underWay.delete(row.seconds);
    // The frame on a paused screen need not be the last that was sent; what was sent before a jump is of another time.
    if (this.video.paused) this.presentAgain(row, picture);
    else if (isOfNow) super.presentNew(row, picture);
  }

  /** Nothing is known of the frame on the screen. @private */
  showUnread() {
    this.page.stage.show({ width: 1, height: 1, faces: [] }, this.selected);
    // What the server has read in part is not read on by playing.
    const hint = this.text === null ? 'play to read it' : '“Read faster” reads it';
    this.page.stage.message(this.job ? 'Not read yet' : `Not read yet: ${hint}`);
    this.page.faces.clear('Not read yet.');
  }

  /** The frame on the screen is being read. @private */
  showPending() {
    this.page.stage.show({ width: 1, height: 1, faces: [] }, this.selected);
    this.page.stage.message('Reading…');
    this.page.faces.update([], null, false, 'Reading…');
  }

  /**
   * Shows what was read of the frame that is on the screen.
   * @protected @param {?Row} [read] A frame that was just read. @param {?Blob} [picture]
   */
  presentAgain(read = null, picture = null) {
    if (this.shownAt < 0) return;
    if (this.coverage.has(this.shownAt)) {
      const row = this.record.nearest(this.shownAt, LONGEST_STEP);
      if (row) this.present(row, row === read ? picture : null);
      else if (this.pump.underWay > 0) this.showPending();
      else this.showUnread();
    } else if (this.video.paused && !this.isToBeRead) {
      this.showUnread();
    }
  }

  /** @protected @param {string} reason */
  fail(reason) {
    // The frame that the pause leaves on the screen would fail as well.
    this.sentAt = null;
    super.fail(reason);
  }

  /** @private @param {number} seconds */
  seek(seconds) {
    const { timeline } = this.page;
    timeline.position = seconds;
    if (this.isShown) {
      this.video.currentTime = seconds;
    } else {
      this.shownAt = seconds;
      this.showRows();
    }
    timeline.redraw();
  }

  /** What was read of a time of a video that the browser does not show. @private */
  showRows() {
    const row = this.record.nearest(this.shownAt, LONGEST_STEP);
    if (!row) return;
    this.panelAt = 0;
    this.present(row);
    // There is no picture to draw boxes on.
    this.page.stage.show({ width: 1, height: 1, faces: [] }, this.selected);
    this.page.stage.message(this.trouble);
  }

  /** The picture of a face is taken from the video once more if it is not at hand. @param {Face} face */
  async pictureOf(face) {
    const seen = await super.pictureOf(face);
    const row = this.record.rows.find(({ faces }) => faces.includes(face));
    if (seen || !row || !this.isShown) return seen;
    this.video.pause();
    if (Math.abs(this.video.currentTime - row.seconds) > 0.001) {
      await new Promise((resolve) => {
        this.video.addEventListener('seeked', resolve, { once: true });
        // The middle of the frame, so that no rounding shows the one before.
        this.video.currentTime = row.seconds + Math.min(0.01, this.clock.interval / 2);
      });
    }
    const { picture } = await this.grab(row.seconds, row.frame, DETAIL_SIDE);
    const width = Math.min(this.video.videoWidth, DETAIL_SIDE * Math.min(1, this.video.videoWidth / this.video.videoHeight));
    return { picture, scale: width / row.width };
  }

  /** Has the server read the whole video, faster than it plays. @private */
  async readAll() {
    const { page } = this;
    page.notice.hide();
    // Two readers of one video would number its faces differently.
    this.pump.stop();
    this.waitingSince = null;
    const { profile } = page.server;
    const job = new VideoJob(page.server, (text) => this.showJob(text), (text) => this.take(text, false));
    this.job = job;
    this.showJob('Sending…');
    page.announce(`${this.name} is being sent to the server.`);
    if (this.isShown && !this.video.ended) void this.video.play().catch(() => {});
    try {
      const text = await job.read(this.file);
      if (this.isClosed) return;
      this.take(text, true);
      page.announce(`${this.name} is read.`);
    } catch (error) {
      if (!this.isClosed && !job.abort.signal.aborted) {
        // The profile that it was to be read with was deleted, and is no longer in use.
        const isGone = error instanceof ApiError && error.code === 'no_profile' && page.server.profile !== profile;
        const reason = isGone ? `The profile ${profile} was deleted.` : /** @type {Error} */ (error).message;
        this.isRefused = error instanceof Unreadable || (error instanceof ApiError && REFUSALS.includes(error.status));
        if (!this.isShown && this.record.rows.length === 0) {
          page.stage.message(this.trouble);
          page.faces.clear(reason);
        }
        const again = { label: isGone ? 'Read without it' : 'Try again', run: () => void this.readAll() };
        page.notice.show(`${this.name}: ${reason}`, this.isRefused ? undefined : again);
      }
    } finally {
      job.close();
      if (this.job === job) this.job = null;
      if (!this.isClosed) this.showJob('');
      // Nothing came of it: what plays is read again.
      if (!this.isClosed && this.text === null) this.pump = this.newPump();
    }
  }

  /** Stops the server. @private */
  giveUp() {
    this.job?.close();
    this.page.notice.show(`The server stopped reading.${this.text === null ? '' : ' What it read so far is kept.'}`);
  }

  /** Takes over what the server has read. @private @param {string} text @param {boolean} isWhole */
  take(text, isWhole) {
    const { page } = this;
    const frames = framesOf(text, this.video.videoWidth || 1, this.video.videoHeight || 1);
    for (const frame of frames) frame.seconds += this.startAt;
    if (frames.length === 0 && !isWhole) return;
    if (this.text === null) {
      this.selected = null;
      this.isChosen = false;
    }
    this.text = text.slice(0, text.lastIndexOf('\n') + 1);
    this.isWhole = isWhole;
    this.record = new Record(Infinity);
    this.record.rows = frames;
    this.coverage = new Coverage();
    this.coverage.add(0, isWhole ? Math.max(this.record.end, this.duration ?? 0) : this.record.end);
    page.timeline.show(this.record, this.coverage, this.duration);
    this.isSaved = false;
    page.canSave(frames.length > 0, this.isShown);
    if (this.isShown) {
      if (this.video.paused) this.presentAgain();
    } else {
      if (this.shownAt < 0) this.shownAt = page.timeline.position = frames.find(({ faces }) => faces.length > 0)?.seconds ?? 0;
      this.showRows();
    }
  }

  /** @private @param {string} text */
  showJob(text) {
    element('read-all').textContent = this.job ? 'Cancel' : 'Read faster';
    element('read-all').hidden = !this.page.server.offers('/v1/video') || (this.isWhole && !this.job);
    element('job').textContent = text;
  }

  /** Frames have their numbers in the video, as far as they are known by its rate. @protected @returns {Row[]} */
  get rows() {
    return this.record.rows.map((row) => {
      const seconds = row.seconds - this.startAt;
      return { ...row, seconds, frame: this.text === null ? this.clock.numberOf(seconds) : row.frame };
    });
  }

  saveJSON() {
    if (this.text === null) {
      super.saveJSON();
      return;
    }
    save(`${stem(this.name)}.jsonl`, this.text, 'application/jsonl');
    this.isSaved = true;
  }

  close() {
    clearTimeout(this.patience);
    this.job?.close();
    super.close();
    this.page.timeline.coverage = null;
    this.page.timeline.onSeek = () => {};
    URL.revokeObjectURL(this.url);
    element('play').hidden = false;
    element('read-all').hidden = true;
    element('job').textContent = '';
  }
}
