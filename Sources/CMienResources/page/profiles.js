/** Profiles: what the model has learned from corrections, for servers that fit and use them by request. */

import { counted } from './emotions.js';

/** @typedef {import('./api.js').Server} Server */

const PATH = '/v1/profiles';

export class Profiles {
  /**
   * @param {Server} server
   * @param {HTMLSelectElement} select Chooses one.
   * @param {HTMLElement} choice What the select stands in.
   * @param {() => void} onChange Another profile reads from now on.
   */
  constructor(server, select, choice, onChange) {
    Object.assign(this, { server, select, choice, onChange });
    /** The profile that the server reads with by itself. @type {?string} */
    this.standard = null;
    /** A profile in use is gone. @type {(name: string) => void} */
    this.onLost = () => {};
    select.addEventListener('change', () => this.use(select.value));
  }

  /** Whether the server fits profiles by request. */
  get canFit() { return this.server.offers(`${PATH}/{profile}`); }

  /**
   * Learns which there are.
   * @param {?string} [standard] The profile that the server reads with by itself.
   */
  async load(standard = this.standard) {
    this.standard = standard;
    if (!this.server.offers(PATH)) return;
    const { profiles } = await this.server.json('GET', PATH);
    const names = [...new Set([...profiles.map((/** @type {any} */ one) => one.profile), ...(standard ? [standard] : [])])].sort();
    const used = this.server.profile ?? standard ?? '';
    this.select.replaceChildren(...['', ...names].map((name) => new Option(name || 'none', name, false, name === used)));
    this.choice.hidden = names.length === 0;
  }

  /** Reads by a profile; by none if the name is empty. @private @param {string} name */
  use(name) {
    this.server.profile = name;
    this.onChange();
  }

  /** Forgets a profile that the server no longer has. @param {string} name */
  lose(name) {
    if (this.server.profile !== name) return;
    this.server.profile = null;
    if (this.standard === name) this.standard = null;
    this.onLost(name);
    void this.load().catch(() => {});
  }

  /**
   * Fits the model to the corrections of a profile, and uses it.
   * @param {string} name
   * @returns {Promise<string>} What came of it, in words. Throws an error of the server's, as where fewer are read right.
   */
  async fit(name) {
    const { corrections, before, after } = await this.server.json('PUT', `${PATH}/${encodeURIComponent(name)}`);
    this.use(name);
    await this.load();
    const use = `The profile ${name} is in use.`;
    if (corrections === 1) return `${use} It comes from one correction, which cannot show whether it helps with other faces: correct more of them.`;
    return `${use} Of its ${counted(corrections, 'correction')}, the model by itself reads ${before.correct} right, and a profile made of `
      + `the other corrections ${after.correct} (cross-validation).`
      + (after.correct > before.correct ? '' : ' That is no gain for other faces yet: correct more of them.');
  }
}
