/** A camera. */

import { element, Live } from './live.js';

/** @typedef {import('./main.js').Page} Page */

/** What to tell people whose camera cannot be used. */
const TROUBLE = {
  NotAllowedError: 'The camera was refused. Allow it for this page in the browser’s address bar, then try again.',
  NotFoundError: 'No camera was found.',
  NotReadableError: 'The camera is in use by another program.',
  OverconstrainedError: 'This camera is not there any more.',
};

/**
 * Asks for a camera.
 * @param {string} [device] One of the machine's cameras.
 * @returns {Promise<MediaStream>} Throws an error whose message is for people.
 */
export async function cameraStream(device) {
  if (!navigator.mediaDevices) {
    throw new Error('Browsers give the camera only to pages that come over HTTPS or from this machine.');
  }
  const wanted = device ? { deviceId: { exact: device } } : { facingMode: 'user' };
  try {
    return await navigator.mediaDevices.getUserMedia({
      // `none`: the camera's own picture, not one that the browser cuts to shape.
      audio: false, video: { ...wanted, width: 1280, height: 720, frameRate: 30, resizeMode: 'none' },
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    throw new Error(TROUBLE[name] ?? 'The camera could not be started.');
  }
}

/** @param {MediaStream} stream */
export function switchOff(stream) {
  for (const track of stream.getTracks()) track.stop();
}

export class Camera extends Live {
  /** @param {Page} page */
  constructor(page) {
    super(page, 'camera');
    this.kind = 'camera';
    /** @type {?MediaStream} */
    this.stream = null;
    this.device = /** @type {string|undefined} */ (undefined);
    this.isOver = false;
    this.startedAt = performance.now();
    /** The number of the last frame that was shown, from 0, and the browser's own count of them. */
    this.number = -1;
    this.presented = 0;
    this.on(element('camera'), 'change', (event) => void this.change(event.target.value));
    this.on(element('close-source'), 'click', () => (this.isOver ? void page.leave() : this.finish()));
  }

  /** @param {MediaStream} stream */
  async start(stream) {
    await this.use(stream);
    element('close-source').textContent = 'Stop';
    element('play').hidden = false;
    await this.begin(null);
    await this.list();
  }

  /** @private @param {MediaStream} stream */
  async use(stream) {
    // Who asks again before there is an answer has two cameras switched on.
    this.release();
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener('ended', () => {
      // Not for those that the page itself switched off.
      if (this.stream === stream) this.finish('The camera was switched off.');
    });
    const { deviceId, facingMode } = track.getSettings();
    this.device = deviceId;
    this.page.stage.showVideo(facingMode !== 'environment');
    this.video.srcObject = stream;
  }

  /** @private */
  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === 'videoinput');
    const select = /** @type {HTMLSelectElement} */ (element('camera'));
    select.replaceChildren(...cameras.map(({ deviceId, label }, index) => (
      new Option(label || `Camera ${index + 1}`, deviceId, false, deviceId === this.device))));
    element('camera-choice').hidden = cameras.length < 2 || this.isOver;
  }

  /** Goes on with another camera. @private @param {string} device */
  async change(device) {
    this.release();
    await this.resume(device);
    await this.list();
  }

  /** @private @param {string} [device] */
  async resume(device) {
    try {
      const stream = await cameraStream(device);
      if (this.isClosed || this.isOver) return switchOff(stream);
      this.session.renew();
      await this.use(stream);
      await this.video.play().catch(() => {});
    } catch (error) {
      this.finish(/** @type {Error} */ (error).message);
    }
  }

  /** A paused camera is switched off: its light says whether it sees. @protected */
  toggle() {
    if (this.stream) {
      this.video.pause();
      this.release();
    } else {
      void this.resume(this.device);
    }
    this.showState();
  }

  /** @protected */
  see({ presentedFrames }) {
    if (!this.stream) return;
    // The count begins anew with some streams.
    this.number += Math.max(1, this.number < 0 ? 1 : presentedFrames - this.presented);
    this.presented = presentedFrames;
    this.shownAt = (performance.now() - this.startedAt) / 1000;
    this.offer(this.shownAt, this.number);
  }

  /** @protected */
  presentAgain() {
    this.shownAt = this.record.end;
    super.presentAgain();
  }

  /** @protected */
  get playLabel() { return this.stream ? 'Pause' : 'Resume'; }

  /** Ends the recording; what was read stays to be looked at and saved. @param {string} [reason] */
  finish(reason) {
    if (this.isOver || this.isClosed) return;
    if (this.record.rows.length === 0) {
      this.page.failToOpen(reason ?? '');
      return;
    }
    this.isOver = true;
    this.video.pause();
    this.release();
    this.showState();
    element('play').hidden = true;
    element('camera-choice').hidden = true;
    element('close-source').textContent = 'Close';
    if (reason) this.page.notice.show(reason, { label: 'Start again', run: () => this.page.reopen() });
  }

  /** As a pause, it switches the camera off. @protected @param {string} reason */
  fail(reason) {
    this.release();
    // The last frame of a recording that was stopped is answered afterwards.
    if (this.isOver) this.page.notice.show(reason);
    else super.fail(reason);
  }

  /** @protected */
  leave() {
    this.release();
    super.leave();
  }

  /** Switches the camera off. @private */
  release() {
    const { stream } = this;
    this.stream = null;
    if (stream) switchOff(stream);
  }

  close() {
    super.close();
    this.release();
    element('play').hidden = false;
    element('camera-choice').hidden = true;
  }
}
