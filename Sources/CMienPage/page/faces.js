/** The list of faces: what each shows, with a bar an emotion. */

import { trackColour } from './draw.js';
import { counted, emotionsOf, icon, percent, words } from './emotions.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./api.js').Server} Server */

/** @typedef {{update: (face: Face) => void, root: HTMLElement}} Card */

/**
 * @param {string} tag @param {string} [className] @param {string} [text]
 * @returns {HTMLElement}
 */
export function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** Makes what stands below a face's bars and asks a route of the server, when it is opened. */
export class SectionMaker {
  /**
   * @param {Server} server
   * @param {string} path The route.
   * @param {(text: string) => void} announce
   */
  constructor(server, path, announce) {
    Object.assign(this, { server, path, announce });
    /** The picture that a face was read in. @type {(face: Face) => ?Blob} */
    this.pictureOf = () => null;
  }

  /**
   * A box with the button that opens the rest.
   * @protected @param {string} className @param {string} text
   * @returns {?{root: HTMLElement, opener: HTMLButtonElement, problem: HTMLElement}} Null where the server has no such
   *   route; `problem` is for what went wrong.
   */
  box(className, text) {
    if (!this.server.offers(this.path)) return null;
    const root = make('div', className);
    const opener = /** @type {HTMLButtonElement} */ (make('button', 'quiet', text));
    opener.type = 'button';
    opener.setAttribute('aria-expanded', 'false');
    const problem = make('p', 'error');
    problem.setAttribute('role', 'alert');
    root.append(opener, problem);
    return { root, opener, problem };
  }

  /**
   * The picture that a face was read in; where it is not at hand, `problem` says so.
   * @protected @param {Face} face @param {HTMLElement} problem @returns {?Blob}
   */
  picture(face, problem) {
    const picture = this.pictureOf(face);
    problem.textContent = picture ? '' : 'The picture is not at hand any more. Pause, and try again.';
    return picture;
  }
}

export class FacesPanel {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} count
   * @param {HTMLElement} empty Says why there is none.
   */
  constructor(list, count, empty) {
    Object.assign(this, { list, count, empty });
    /** @type {Map<number, ReturnType<FacesPanel['card']>>} */
    this.cards = new Map();
    this.onPick = /** @type {(track: number) => void} */ (() => {});
    /** Draws a face's picture. @type {(face: Face, canvas: HTMLCanvasElement) => void} */
    this.crop = () => {};
    /** What stands below the bars. @type {() => {root: HTMLElement, update: (face: Face) => void, open?: () => void}[]} */
    this.sections = () => [];
  }

  /** @param {string} reason Why there are no faces. */
  clear(reason) {
    this.cards.clear();
    this.list.replaceChildren();
    this.count.textContent = '';
    this.empty.textContent = reason;
  }

  /**
   * Shows faces; cards of those that were there before stay, with the focus.
   * @param {Face[]} faces
   * @param {?number} selected The track whose bars are shown.
   * @param {boolean} areFresh Whether their pictures are to be drawn.
   */
  update(faces, selected, areFresh = true) {
    this.empty.textContent = faces.length > 0 ? '' : 'No face found.';
    this.count.textContent = faces.length > 0 ? counted(faces.length, 'face') : '';
    for (const [track, card] of this.cards) {
      if (!faces.some((face) => face.track === track)) {
        card.root.remove();
        this.cards.delete(track);
      }
    }
    faces.forEach((face, index) => {
      let card = this.cards.get(face.track);
      if (!card) {
        card = this.card(face);
        this.cards.set(face.track, card);
      }
      if (this.list.children[index] !== card.root) this.list.insertBefore(card.root, this.list.children[index] ?? null);
      card.update(face, face.track === selected);
      if (areFresh) this.crop(face, card.picture);
    });
  }

  /** Shows why a face is read as it is. @param {number} track */
  explain(track) { this.cards.get(track)?.explain(); }

  /** @private @param {Face} face */
  card(face) {
    const root = make('li', 'face');
    const head = make('button', 'face-head');
    head.setAttribute('type', 'button');
    const picture = /** @type {HTMLCanvasElement} */ (make('canvas', 'face-picture'));
    picture.width = picture.height = 88;
    picture.setAttribute('aria-hidden', 'true');
    const number = make('span', 'face-number', String(face.track));
    number.style.background = trackColour(face.track);
    number.setAttribute('aria-label', `Face ${face.track}:`);
    number.setAttribute('role', 'img');
    const title = make('span', 'face-title');
    const name = make('span', 'face-emotion');
    const detail = make('span', 'face-detail');
    title.append(name, detail);
    const sign = make('span', 'face-icon');
    head.append(picture, number, title, sign);
    head.addEventListener('click', () => this.onPick(face.track));

    const body = make('div', 'face-body');
    body.id = `face-${face.track}-scores`;
    head.setAttribute('aria-controls', body.id);
    const bars = make('ul', 'bars');
    bars.setAttribute('aria-label', `Scores of face ${face.track}`);
    const rows = new Map(emotionsOf(face.scores).map((emotion) => [emotion, bar(bars, emotion)]));
    const sections = this.sections();
    body.append(bars, ...sections.map((section) => section.root));
    root.append(head, body);

    let shown = '';
    const update = (/** @type {Face} */ next, /** @type {boolean} */ isSelected) => {
      root.classList.toggle('selected', isSelected);
      head.setAttribute('aria-expanded', String(isSelected));
      body.hidden = !isSelected;
      name.textContent = next.emotion ?? 'unsure';
      detail.textContent = next.emotion ? percent(next.probability) : `perhaps ${words(next).slice(8, -1)}`;
      if (shown !== (next.emotion ?? 'unsure')) {
        shown = next.emotion ?? 'unsure';
        sign.replaceChildren(icon(shown));
      }
      if (!isSelected) return;
      for (const section of sections) section.update(next);
      for (const [emotion, row] of rows) row(next.scores[emotion] ?? 0, emotion === next.best);
    };
    const explain = () => { for (const section of sections) section.open?.(); };
    return { root, head, body, picture, update, explain };
  }
}

/**
 * Adds a row with a bar.
 * @param {HTMLElement} list @param {string} emotion
 * @returns {(probability: number, isBest: boolean) => void} Sets it.
 */
function bar(list, emotion) {
  const row = make('li', 'bar');
  const fill = make('span', `bar-fill ground-${emotion}`);
  const track = make('span', 'bar-track');
  const value = make('span', 'bar-value');
  track.append(fill);
  const name = make('span', 'bar-name', emotion);
  row.append(icon(emotion), name, track, value);
  list.append(row);
  let shown = '';
  return (probability, isBest) => {
    row.classList.toggle('best', isBest);
    fill.style.transform = `scaleX(${probability.toFixed(3)})`;
    const text = percent(probability);
    if (text !== shown) value.textContent = shown = text;
  };
}
