/** “This is really …”: what a person says that a face shows, for a server that collects it. */

import { ApiError } from './api.js';
import { emotionsOf } from './emotions.js';
import { scaled } from './export.js';
import { make, SectionMaker } from './faces.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./api.js').Server} Server */
/** @typedef {import('./faces.js').Seen} Seen */

/** Where the profile of the last correction is kept, as long as the tab is open. */
const PROFILE = 'mien-profile';

export class Corrections extends SectionMaker {
  /** @param {Server} server @param {(text: string) => void} announce */
  constructor(server, announce) {
    super(server, '/v1/corrections', announce);
    /** The profile that the server reads with, which corrections are most likely meant for. @type {?string} */
    this.profileInUse = null;
    /** @type {?import('./profiles.js').Profiles} */
    this.profiles = null;
    /** Called when the model was adapted, with what came of it. @type {(text: string) => void} */
    this.onAdapted = () => {};
  }

  /** A profile was deleted: it is not proposed any more. @param {string} name @param {?string} inUse What reads now. */
  forget(name, inUse) {
    this.profileInUse = inUse;
    if (sessionStorage.getItem(PROFILE) === name) sessionStorage.removeItem(PROFILE);
  }

  /**
   * What stands below a face's bars.
   * @returns {?import('./faces.js').Section} Null where the server takes no corrections.
   */
  section() {
    const box = this.box('correction', 'Not right?');
    if (!box) return null;
    const { root, opener, problem } = box;
    const adapt = this.adaptButton(problem);
    problem.before(adapt.button);
    /** @type {?Face} */
    let latest = null;
    opener.addEventListener('click', async () => {
      const face = latest;
      const seen = face && await this.picture(face, problem);
      if (!face || !seen) return;
      const form = this.form(face, seen, (profile) => {
        form.remove();
        opener.hidden = false;
        opener.setAttribute('aria-expanded', 'false');
        opener.textContent = profile ? 'Stored. Another correction?' : 'Not right?';
        opener.focus();
        if (profile) adapt.offer(profile);
      });
      opener.hidden = true;
      root.append(form);
      /** @type {HTMLElement} */ (form.querySelector('select')).focus();
      // All of it, down to its buttons, where the panel is scrolled.
      form.scrollIntoView({ block: 'nearest' });
    });
    return { root, update: (face) => { latest = face; }, isInUse: () => opener.hidden };
  }

  /** Offers to have the model fitted to the corrections of a profile. @private @param {HTMLElement} problem */
  adaptButton(problem) {
    const button = /** @type {HTMLButtonElement} */ (make('button', 'adapt'));
    button.type = 'button';
    button.hidden = true;
    let profile = '';
    button.addEventListener('click', async () => {
      button.disabled = true;
      problem.textContent = '';
      try {
        const text = await this.profiles?.fit(profile) ?? '';
        button.hidden = true;
        this.announce(text);
        this.onAdapted(text);
      } catch (error) {
        problem.textContent = /** @type {Error} */ (error).message;
      } finally {
        button.disabled = false;
      }
    });
    const offer = (/** @type {string} */ name) => {
      profile = name;
      button.textContent = `Adapt the model to “${name}” now`;
      button.hidden = !this.profiles?.canFit;
    };
    return { button, offer };
  }

  /**
   * The form for one face, as it was when the form was opened.
   * @private @param {Face} face @param {Seen} seen
   * @param {(profile: string) => void} close With the profile that a correction was stored for; empty for none.
   */
  form(face, seen, close) {
    const form = /** @type {HTMLFormElement} */ (make('form', 'correction-form'));
    const choice = /** @type {HTMLSelectElement} */ (make('select'));
    const nothing = new Option('Choose…', '', true, true);
    nothing.disabled = true;
    // A reading that is right may be confirmed: it tells what should stay.
    choice.append(nothing, ...emotionsOf(face.scores).map(
      (name) => new Option(name === face.emotion ? `${name} (as read)` : name, name)));
    choice.required = true;
    const profile = /** @type {HTMLInputElement} */ (make('input'));
    const usual = sessionStorage.getItem(PROFILE) ?? this.profileInUse ?? 'me';
    Object.assign(profile, { value: usual, maxLength: 64, required: true, autocomplete: 'off', spellcheck: false });
    profile.pattern = '[A-Za-z0-9][A-Za-z0-9._\\-]*';
    profile.title = 'Letters, digits, dots, dashes and underscores; a letter or digit first';
    const crop = /** @type {HTMLInputElement} */ (make('input'));
    crop.type = 'checkbox';
    const hint = make('p', 'faint', 'A name for answers that belong together, such as a person or a place.');
    hint.id = `profile-hint-${face.track}`;
    profile.setAttribute('aria-describedby', hint.id);
    const consent = make('p', 'faint', 'Sends this picture again. The server keeps your answer and the model’s '
      + 'measurements of this face, and no picture unless you tick the box. Readings stay as they are until the model is '
      + `adapted to the profile’s answers${this.profiles?.canFit ? '.' : ', by whoever runs the server (“mien adapt”).'}`);
    const problem = make('p', 'error');
    problem.setAttribute('role', 'alert');
    const buttons = make('div', 'choices end');
    const cancel = make('button', '', 'Cancel');
    cancel.setAttribute('type', 'button');
    cancel.addEventListener('click', () => close(''));
    form.addEventListener('keydown', (event) => {
      // Escape that ends the composition of a character is not meant for the form.
      if (event.key === 'Escape' && !event.isComposing) close('');
    });
    const send = /** @type {HTMLButtonElement} */ (make('button', 'primary', 'Send'));
    buttons.append(cancel, send);
    form.append(
      labelled('This is really', choice), labelled('For the profile', profile), hint, consent,
      labelled('Also keep the cut-out of this face', crop), problem, buttons);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      send.disabled = true;
      sessionStorage.setItem(PROFILE, profile.value);
      try {
        await this.send(face, seen, choice.value, profile.value, crop.checked);
        this.announce(`Thank you. The correction is stored for the profile ${profile.value}.`);
        close(profile.value);
      } catch (error) {
        send.disabled = false;
        const isOff = error instanceof ApiError && error.status === 404;
        problem.textContent = isOff ? 'This server takes no corrections.' : /** @type {Error} */ (error).message;
      }
    });
    return form;
  }

  /** @private */
  send(face, seen, emotion, profile, keepsCrop) {
    const { x, y, width, height } = scaled(face.box, seen.scale);
    const query = new URLSearchParams({ profile, emotion, x, y, width, height, crop: String(keepsCrop) });
    return this.server.json('POST', `${this.path}?${query}`, seen.picture);
  }
}

/** @param {string} text @param {HTMLElement} field */
function labelled(text, field) {
  const label = make('label');
  if (field instanceof HTMLInputElement && field.type === 'checkbox') label.append(field, make('span', '', text));
  else label.append(make('span', '', text), field);
  return label;
}
