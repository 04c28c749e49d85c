/** The list of faces: what each shows, with one bar per emotion. */

import { trackColour } from './draw.js';
import { doubt, shortDoubt } from './details.js';
import { counted, emotionsOf, icon, percent, ranked } from './emotions.js';

/** @typedef {import('./emotions.js').Face} Face @typedef {import('./api.js').Server} Server */

/**
 * @typedef {Object} Section What stands below the bars.
 * @property {HTMLElement} root
 * @property {(face: Face) => void} update
 * @property {() => void} [open]
 * @property {() => boolean} [isInUse] Whether a person is at work in it.
 */
/**
 * @typedef {Object} Seen The picture that a face was read in.
 * @property {Blob} picture
 * @property {number} scale Its pixels per pixel of the face's box.
 * @property {Blob} [view] The same as every browser shows it; the picture itself where it is not there.
 * @property {boolean} [isMirrored] Whether the page shows it with left and right swapped.
 */

/** Bars of a face, unless all are asked for. */
const FEW = 3;
/** A bar takes another's place when it is longer by so much: none go to and fro. */
const CLEARLY = 0.05;
/** From so many faces on, the list is a grid, and their expressions are counted. */
const MANY = 7;

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
    /** @type {(face: Face) => Promise<?Seen>} */
    this.pictureOf = async () => null;
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
   * @protected @param {Face} face @param {HTMLElement} problem @returns {Promise<?Seen>}
   */
  async picture(face, problem) {
    const seen = await this.pictureOf(face);
    problem.textContent = seen ? '' : 'The picture of this face is not at hand.';
    return seen;
  }
}

export class FacesPanel {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} count
   * @param {HTMLElement} empty Says why there is none.
   * @param {HTMLElement} summary Counts the expressions of many faces.
   */
  constructor(list, count, empty, summary) {
    Object.assign(this, { list, count, empty, summary });
    /** @type {Map<number, ReturnType<FacesPanel['card']>>} */
    this.cards = new Map();
    /** Whether a face's bars are all shown. */
    this.showsAll = false;
    /** Whether what a card shows does not change: its bars are in the order of their lengths, which would jump in a video. */
    this.isStill = true;
    this.onPick = /** @type {(track: number) => void} */ (() => {});
    /** Draws a face's picture. @type {(face: Face, canvas: HTMLCanvasElement) => void} */
    this.crop = () => {};
    /** What stands below the bars. @type {() => Section[]} */
    this.sections = () => [];
  }

  /** @param {string} reason Why there are no faces. */
  clear(reason) {
    this.cards.clear();
    this.list.replaceChildren();
    this.count.textContent = '';
    this.summary.textContent = '';
    this.empty.textContent = reason;
  }

  /**
   * Shows faces; cards of those that were there before stay, with the focus.
   * @param {Face[]} faces
   * @param {?number} selected The track whose bars are shown.
   * @param {boolean} areFresh Whether their pictures are to be drawn.
   * @param {string} reason Why there are none.
   */
  update(faces, selected, areFresh = true, reason = 'No face found.') {
    this.empty.textContent = faces.length > 0 ? '' : reason;
    this.count.textContent = faces.length > 0 ? counted(faces.length, 'face') : '';
    this.summary.textContent = faces.length >= MANY ? tally(faces) : '';
    this.list.classList.toggle('many', faces.length >= MANY);
    for (const [track, card] of this.cards) {
      const isThere = faces.some((face) => face.track === track);
      card.root.classList.toggle('gone', !isThere);
      if (isThere) continue;
      // What a person is at work with is not taken away from them.
      if (card.isInUse()) card.leave();
      else {
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

  /** Scrolls to a face's card. @param {number} track */
  reveal(track) {
    this.cards.get(track)?.root.scrollIntoView({ block: 'nearest' });
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
    const why = make('p', 'face-doubt');
    const order = this.isStill ? ranked(face.scores) : emotionsOf(face.scores);
    const bars = new Bars(face, order, () => this.showsAll, (all) => { this.showsAll = all; });
    const sections = this.sections();
    body.append(why, bars.list, bars.more, ...sections.map((section) => section.root));
    root.append(head, body);

    let shown = '';
    const isInUse = () => sections.some((section) => section.isInUse?.());
    const leave = () => {
      root.classList.remove('selected');
      body.hidden = false;
      detail.textContent = 'no longer in view';
    };
    const update = (/** @type {Face} */ next, /** @type {boolean} */ isSelected) => {
      root.classList.toggle('selected', isSelected);
      const isOpen = isSelected || isInUse();
      head.setAttribute('aria-expanded', String(isOpen));
      body.hidden = !isOpen;
      name.textContent = next.emotion ?? 'unsure';
      const score = next.emotion ? percent(next.probability) : `perhaps ${next.best} ${percent(next.probability)}`;
      detail.textContent = [score, shortDoubt(next)].filter(Boolean).join(' · ');
      if (shown !== (next.emotion ?? 'unsure')) {
        shown = next.emotion ?? 'unsure';
        sign.replaceChildren(icon(shown));
      }
      if (!isOpen) return;
      why.textContent = doubt(next);
      for (const section of sections) section.update(next);
      bars.update(next);
    };
    const explain = () => { for (const section of sections) section.open?.(); };
    return { root, head, body, picture, update, explain, isInUse, leave };
  }
}

/** The emotions of many faces, the most frequent first, as `26 neutral, 2 happiness, 1 unsure`. @param {Face[]} faces */
export function tally(faces) {
  const counts = new Map();
  for (const { emotion } of faces) counts.set(emotion ?? 'unsure', (counts.get(emotion ?? 'unsure') ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([emotion, count]) => `${count} ${emotion}`).join(', ');
}

/**
 * The emotions with the highest scores. Those that were among them stay until another is clearly higher.
 * @param {Object<string, number>} scores @param {string[]} before
 * @returns {string[]} In the page's order.
 */
export function highest(scores, before) {
  const emotions = emotionsOf(scores);
  const rank = (/** @type {string} */ emotion) => scores[emotion] + (before.includes(emotion) ? CLEARLY : 0);
  const chosen = new Set([...emotions].sort((a, b) => rank(b) - rank(a)).slice(0, FEW));
  return emotions.filter((emotion) => chosen.has(emotion));
}

/** A face's bars: the highest, or all. */
class Bars {
  /** @param {Face} face @param {string[]} order @param {() => boolean} showsAll @param {(all: boolean) => void} onChange */
  constructor(face, order, showsAll, onChange) {
    this.showsAll = showsAll;
    this.list = make('ul', 'bars');
    this.list.setAttribute('aria-label', `Scores of face ${face.track}`);
    this.rows = new Map(order.map((emotion) => [emotion, bar(this.list, emotion)]));
    this.more = make('button', 'quiet more-bars');
    this.more.setAttribute('type', 'button');
    this.more.hidden = this.rows.size <= FEW;
    this.more.addEventListener('click', () => {
      onChange(!showsAll());
      if (this.face) this.update(this.face);
    });
    this.shown = /** @type {string[]} */ ([]);
  }

  /** @param {Face} face */
  update(face) {
    this.face = face;
    this.shown = highest(face.scores, this.shown);
    const all = this.showsAll();
    for (const [emotion, row] of this.rows) {
      const isShown = all || emotion === face.best || this.shown.includes(emotion);
      row(face.scores[emotion] ?? 0, emotion === face.best, isShown);
    }
    this.more.textContent = all ? `Top ${FEW}` : `All ${this.rows.size} emotions`;
    this.more.setAttribute('aria-expanded', String(all));
  }
}

/**
 * Adds a row with a bar.
 * @param {HTMLElement} list @param {string} emotion
 * @returns {(probability: number, isBest: boolean, isShown: boolean) => void} Sets it.
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
  return (probability, isBest, isShown) => {
    row.hidden = !isShown;
    row.classList.toggle('best', isBest);
    fill.style.width = `${(100 * probability).toFixed(1)}%`;
    const text = percent(probability);
    if (text !== shown) value.textContent = shown = text;
  };
}
