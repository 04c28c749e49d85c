/** The line that says what is the matter. */

/** @typedef {import('./api.js').ApiError} ApiError */

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Notice {
  constructor() {
    /** Whether it tells of a server that is busy or away, and goes by itself. */
    this.isPassing = false;
    this.run = () => {};
    element('notice-close').addEventListener('click', () => this.hide());
    element('notice-action').addEventListener('click', () => {
      const { run } = this;
      this.hide();
      run();
    });
    addEventListener('offline', () => {
      // A server on this machine needs no network.
      if (!isLocal()) this.show('This device is offline.', undefined, true);
    });
    addEventListener('online', () => this.well());
  }

  /**
   * @param {string} text
   * @param {{label: string, run: () => void}} [action]
   * @param {boolean} [isPassing]
   */
  show(text, action, isPassing = false) {
    this.isPassing = isPassing;
    // The same words again are not to be read out again.
    if (element('notice-text').textContent !== text) element('notice-text').textContent = text;
    element('notice').hidden = false;
    element('notice-action').hidden = !action;
    element('notice-action').textContent = action?.label ?? '';
    this.run = action?.run ?? (() => {});
  }

  /**
   * The server has no time, or does not answer.
   * @param {ApiError} error @param {number} seconds Until it is tried again.
   * @param {() => void} tryNow Tries it at once.
   */
  trouble(error, seconds, tryNow) {
    const what = error.isOffline ? 'The server does not answer.' : 'The server is busy.';
    const when = seconds < 1 ? 'a moment' : `${Math.round(seconds)} s`;
    this.show(`${what} Trying again in ${when}.`, { label: 'Try now', run: tryNow }, true);
  }

  /** The server answers again. */
  well() {
    if (this.isPassing) this.hide();
  }

  hide() {
    this.isPassing = false;
    element('notice').hidden = true;
    element('notice-text').textContent = '';
    this.run = () => {};
  }
}

function isLocal() {
  return ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
}
