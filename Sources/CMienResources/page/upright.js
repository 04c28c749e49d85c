/**
 * Pictures as the server reads them: upright, and standing still. By EXIF's orientation browsers do the same with most
 * photos, but not with all: some turn no WebP, and some take no tag of another type than the standard's. Of animations the
 * server reads the first frame.
 */

/** @typedef {'jpeg'|'png'|'webp'|'gif'|'sequence'} Format The last: animated AVIF and HEIC. */
/**
 * @typedef {Object} Block An EXIF block of a file.
 * @property {number} start Its first byte in the file, with what introduces it.
 * @property {number} end
 * @property {Uint8Array} tiff What it holds.
 * @property {boolean} isUsual Whether all browsers look for it there.
 */
/** @typedef {{blocks: Block[], moves: boolean}} Look What a file holds. `moves`: whether it may be an animation. */

/** The number of the orientation's tag. */
const TAG = 274;
/** Bytes of the numbers of the types BYTE, SHORT, LONG and LONG8. */
const SIZES = /** @type {Object<number, number>} */ ({ 1: 1, 3: 2, 4: 4, 16: 8 });
const SHORT = 3;
/** Brands of ISO media files that are sequences of pictures. */
const MOVING_BRANDS = ['avis', 'msf1', 'hevc', 'hevx'];

/** @param {Uint8Array} bytes @param {number} offset @param {string} text */
function has(bytes, offset, text) {
  return [...text].every((letter, index) => bytes[offset + index] === letter.charCodeAt(0));
}

/** @param {Uint8Array} bytes @returns {DataView} */
function viewOf(bytes) { return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength); }

/**
 * The orientation by a TIFF structure, as the server reads it: the first directory must be whole, of a tag that stands
 * twice the first counts, and its type may be any of `SIZES`.
 * @param {Uint8Array} tiff
 * @returns {{value: ?number, isUsual: boolean}} `value`: 1 to 8; null if it is absent or another number. `isUsual`: whether
 *   all browsers read the same.
 */
export function orientationIn(tiff) {
  const view = viewOf(tiff);
  const isLittle = has(tiff, 0, 'II');
  const isBig = has(tiff, 0, 'II+\0') || has(tiff, 0, 'MM\0+');
  const none = { value: null, isUsual: false };
  if (!isBig && !has(tiff, 0, 'II*\0') && !has(tiff, 0, 'MM\0*')) return none;
  const number = (/** @type {?number} */ offset, /** @type {number} */ size) => {
    if (offset === null || offset < 0 || offset + size > tiff.length) return null;
    if (size === 1) return view.getUint8(offset);
    if (size === 2) return view.getUint16(offset, isLittle);
    return size === 4 ? view.getUint32(offset, isLittle) : Number(view.getBigUint64(offset, isLittle));
  };
  const [fieldBytes, countBytes, entryBytes] = isBig ? [8, 8, 20] : [4, 2, 12];
  const start = number(isBig ? 8 : 4, fieldBytes);
  const count = number(start, countBytes);
  if (start === null || count === null || count > 65535 || start + countBytes + entryBytes * count > tiff.length) return none;
  const entries = [];
  for (let offset = start + countBytes; offset < start + countBytes + entryBytes * count; offset += entryBytes) {
    if (number(offset, 2) === TAG) entries.push(offset);
  }
  if (entries.length === 0) return { value: null, isUsual: true };
  const type = number(entries[0] + 2, 2) ?? 0;
  const length = number(entries[0] + 4, fieldBytes) ?? 0;
  const size = SIZES[type] ?? 0;
  const field = entries[0] + 4 + fieldBytes;
  const place = size * length <= fieldBytes ? field : number(field, fieldBytes);
  const isInside = size > 0 && length > 0 && place !== null && place + size * length <= tiff.length;
  const value = isInside ? number(place, size) : null;
  return {
    value: value !== null && value >= 1 && value <= 8 ? value : null,
    isUsual: !isBig && entries.length === 1 && type === SHORT && length === 1,
  };
}

/** @param {Uint8Array} bytes @returns {Look} The blocks before the picture's first scan. */
function lookIntoJPEG(bytes) {
  const blocks = [];
  const view = viewOf(bytes);
  for (let offset = 2; offset + 4 <= bytes.length && bytes[offset] === 0xff;) {
    const marker = bytes[offset + 1];
    // Any number of these bytes may stand before a marker.
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    const end = offset + 2 + view.getUint16(offset + 2);
    if (marker === 0xda || end > bytes.length) break;
    if (marker === 0xe1 && has(bytes, offset + 4, 'Exif\0') && end > offset + 10) {
      blocks.push({ start: offset, end, tiff: bytes.subarray(offset + 10, end), isUsual: bytes[offset + 9] === 0 });
    }
    offset = end;
  }
  return { blocks, moves: false };
}

/** @param {Uint8Array} bytes @returns {Look} */
function lookIntoPNG(bytes) {
  const blocks = [];
  const view = viewOf(bytes);
  let [isUsual, moves] = [true, false];
  for (let offset = 8; offset + 12 <= bytes.length && !has(bytes, offset + 4, 'IEND');) {
    const end = offset + 12 + view.getUint32(offset);
    // Behind the first pixels, browsers take a picture for a still one, and may not look for EXIF.
    if (has(bytes, offset + 4, 'acTL')) moves ||= isUsual;
    if (end - 4 > bytes.length) break;
    if (has(bytes, offset + 4, 'IDAT')) isUsual = false;
    if (has(bytes, offset + 4, 'eXIf')) blocks.push({ start: offset, end, tiff: bytes.subarray(offset + 8, end - 4), isUsual });
    offset = end;
  }
  return { blocks, moves };
}

/** @param {Uint8Array} bytes @returns {Look} */
function lookIntoWebP(bytes) {
  const blocks = [];
  const view = viewOf(bytes);
  const last = Math.min(bytes.length, 8 + view.getUint32(4, true));
  for (let offset = 12; offset + 8 <= last;) {
    const length = view.getUint32(offset + 4, true);
    if (offset + 8 + length > bytes.length) break;
    const data = bytes.subarray(offset + 8, offset + 8 + length);
    const end = offset + 8 + length + (length % 2);
    if (offset > 12 && has(bytes, offset, 'EXIF')) {
      blocks.push({ start: offset, end, tiff: has(data, 0, 'Exif\0\0') ? data.subarray(6) : data, isUsual: true });
    }
    offset = end;
  }
  return { blocks, moves: has(bytes, 12, 'VP8X') && (bytes[20] & 2) !== 0 };
}

/** An animation without EXIF. @returns {Look} */
function lookIntoFrames() { return { blocks: [], moves: true }; }

const LOOKS = { jpeg: lookIntoJPEG, png: lookIntoPNG, webp: lookIntoWebP, gif: lookIntoFrames, sequence: lookIntoFrames };

/** @param {Uint8Array} bytes The first 12 bytes at least. @returns {?Format} Null for what neither has EXIF nor moves. */
function formatOf(bytes) {
  if (has(bytes, 0, '\xff\xd8\xff')) return 'jpeg';
  if (has(bytes, 0, '\x89PNG\r\n\x1a\n')) return 'png';
  if (has(bytes, 0, 'RIFF') && has(bytes, 8, 'WEBP')) return 'webp';
  if (has(bytes, 0, 'GIF8')) return 'gif';
  return has(bytes, 4, 'ftyp') && MOVING_BRANDS.some((brand) => has(bytes, 8, brand)) ? 'sequence' : null;
}

/**
 * How the server turns a picture, and whether it may move.
 * @param {Uint8Array} bytes The file.
 * @returns {{orientation: number, isUsual: boolean, format: ?Format} & Look} `orientation`: 1 (as stored) to 8. `isUsual`:
 *   whether every browser does the same.
 */
export function turning(bytes) {
  const format = formatOf(bytes);
  if (format === null) return { orientation: 1, isUsual: true, format, blocks: [], moves: false };
  const { blocks, moves } = LOOKS[format](bytes);
  const tags = blocks.map(({ tiff }) => orientationIn(tiff));
  const values = tags.map(({ value }) => value).filter((value) => value !== null);
  const orientation = (format === 'jpeg' ? tags[0]?.value : values[values.length - 1]) ?? 1;
  const isAsStored = values.every((value) => value === 1);
  const isUsual = blocks.every((block, index) => block.isUsual && tags[index].isUsual)
    && (format === 'webp' ? isAsStored : isAsStored || blocks.length === 1);
  return { orientation, isUsual, format, blocks, moves };
}

/**
 * A picture's file without its EXIF blocks, which no browser turns.
 * @param {Uint8Array} bytes @param {{format: ?Format, blocks: Block[]}} found As `turning` says.
 * @returns {Uint8Array[]} Its parts.
 */
export function withoutBlocks(bytes, { format, blocks }) {
  const parts = [];
  let offset = 0;
  for (const { start, end } of blocks) {
    parts.push(bytes.slice(offset, start));
    offset = end;
  }
  parts.push(bytes.slice(offset));
  if (format === 'webp' && blocks.length > 0) {
    // The file's length, and the flag that says that there is EXIF.
    const left = parts.reduce((sum, { length }) => sum + length, 0);
    viewOf(parts[0]).setUint32(4, viewOf(bytes).getUint32(4, true) - (bytes.length - left), true);
    if (has(parts[0], 12, 'VP8X')) parts[0][20] &= ~8;
  }
  return parts;
}

/** By orientation: what a stored picture's width and height make of the place of a pixel; see `setTransform`. */
const TRANSFORMS = /** @type {((width: number, height: number) => number[])[]} */ ([
  () => [1, 0, 0, 1, 0, 0], (w) => [-1, 0, 0, 1, w, 0], (w, h) => [-1, 0, 0, -1, w, h], (_, h) => [1, 0, 0, -1, 0, h], () => [0, 1, 1, 0, 0, 0],
  (_, h) => [0, 1, -1, 0, h, 0], (w, h) => [0, -1, -1, 0, h, w], (w) => [0, -1, 1, 0, 0, w],
]);

/** The transform by an orientation of 1 to 8. @param {number} orientation @param {number} width @param {number} height */
export function transform(orientation, width, height) { return TRANSFORMS[orientation - 1](width, height); }

/**
 * A picture that every browser shows as the server reads it: the file itself for nearly all.
 * @param {Blob} file
 * @returns {Promise<Blob>} An empty one if the picture is too large to be drawn here.
 */
export async function upright(file) {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer().catch(() => new ArrayBuffer(0)));
  if (formatOf(head) === null) return file;
  const content = await file.arrayBuffer().catch(() => null);
  if (!content) return file;
  const bytes = new Uint8Array(content);
  const found = turning(bytes);
  if (found.isUsual && !found.moves) return file;
  // By this brand browsers show the still picture beside the frames, which is the one that the server reads.
  if (has(bytes, 4, 'ftypavis')) {
    bytes.set([...'avif'].map((letter) => letter.charCodeAt(0)), 8);
    return new Blob([bytes], { type: file.type });
  }
  // Without EXIF no browser turns it.
  const stored = new Blob(withoutBlocks(bytes, found), { type: file.type });
  if (found.orientation === 1 && !found.moves) return stored;
  // The first frame of an animation.
  const bitmap = await createImageBitmap(stored).catch(() => null);
  if (!bitmap) return stored;
  try {
    const { width, height } = bitmap;
    const canvas = found.orientation > 4 ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    if (!context) return new Blob();
    const [a, b, c, d, e, f] = transform(found.orientation, width, height);
    context.setTransform(a, b, c, d, e, f);
    context.drawImage(bitmap, 0, 0);
    return await canvas.convertToBlob({ type: 'image/png' });
  } catch {
    return new Blob();
  } finally {
    bitmap.close();
  }
}
