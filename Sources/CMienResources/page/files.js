/** What was dropped, what kind of file something is, and copies of photos that the server cannot take as they are. */

/** @typedef {'picture'|'video'|'other'} Kind */

const PICTURE_NAME = /\.(jpe?g|jpe|jfif|mpo|a?png|webp|gif|hei[cf]s?|hif|avif|tiff?|bmp|dib|tga|jp2|j2[ck]|jp[cfx]|p[abgpn]m|ico|cur)$/i;
const VIDEO_NAME = /\.(mp4|m4v|mov|qt|webm|mkv|avi|mpe?g|mpe|m2?ts|3gpp?|3g2|wmv|asf|flv|ogv|dv|vob|mxf|h26[45]|hevc|mjpe?g|y4m)$/i;
/** Bytes that begin a file: with the kind, what pictures of it are called, and a list of [offset, text] that must all match. */
const BEGINNINGS = /** @type {[Kind, string, ...[number, string][]][]} */ ([
  ['picture', 'JPEG', [0, '\xff\xd8\xff']],
  ['picture', 'PNG', [0, '\x89PNG\r\n']],
  ['picture', 'GIF', [0, 'GIF8']],
  ['picture', 'TIFF', [0, 'II*\0']],
  ['picture', 'TIFF', [0, 'MM\0*']],
  ['picture', 'WebP', [0, 'RIFF'], [8, 'WEBP']],
  ['video', '', [0, 'RIFF'], [8, 'AVI ']],
  ['video', '', [0, '\x1a\x45\xdf\xa3']],
  ['video', '', [0, 'OggS']],
  ['video', '', [0, 'FLV\x01']],
  ['video', '', [0, '\x30\x26\xb2\x75']],
  ['video', '', [0, '\0\0\x01\xba']],
  ['video', '', [0, '\0\0\x01\xb3']],
  ['video', '', [0, '\x06\x0e\x2b\x34']],
  // Packets of a transport stream, from 188 to 192 bytes long.
  ['video', '', [0, 'G'], [188, 'G']],
  ['video', '', [4, 'G'], [196, 'G']],
]);
/** Brands of ISO media files (bytes 8 to 11) that hold pictures or sound; the others hold videos. */
const PICTURE_BRAND = /^(heic|heix|heim|heis|hevc|hevx|mif1|mif2|msf1|miaf|avif|avis|jpeg)$/;
const SOUND_BRAND = /^M4[AB] $/;

/** So many files and folders of a folder that is dropped are looked at. */
const MOST_ENTRIES = 1000;

/**
 * What was dropped or pasted: files, and the files of folders, which are named with the folder as `holiday/one.jpg`.
 * @param {?DataTransfer} transfer
 * @returns {Promise<{files: File[], notes: string[]}>} `notes`: sentences about folders that were not read as a whole.
 */
export async function filesIn(transfer) {
  // Items can be asked only until the event is over.
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  if (!items.some(({ entry }) => entry?.isDirectory)) return { files: [...(transfer?.files ?? [])], notes: [] };
  const files = /** @type {File[]} */ ([]);
  const notes = /** @type {string[]} */ ([]);
  for (const { entry, file } of items) {
    if (entry?.isDirectory) {
      const folder = await contentOf(/** @type {FileSystemDirectoryEntry} */ (entry));
      files.push(...folder.files);
      if (folder.note) notes.push(folder.note);
    } else if (file) {
      files.push(file);
    }
  }
  return { files, notes };
}

/**
 * The files of a folder and of those in it, in the order of their paths. Hidden ones are left out.
 * @param {FileSystemDirectoryEntry} top
 * @returns {Promise<{files: File[], note: string}>} `note`: a sentence if some are missing or there are none, else empty.
 */
async function contentOf(top) {
  const files = /** @type {File[]} */ ([]);
  const folders = [top];
  let [note, count] = ['', 0];
  const pathOf = (/** @type {FileSystemEntry} */ entry) => entry.fullPath.replace(/^\//, '');
  const unreadable = (/** @type {FileSystemEntry} */ entry) => { note ||= `${pathOf(entry)} cannot be read.`; };
  // Folders are added while this goes on.
  for (const folder of folders) {
    const entries = await entriesOf(folder, MOST_ENTRIES + 1 - count).catch(() => unreadable(folder)) ?? [];
    for (const entry of entries.slice(0, MOST_ENTRIES - count)) {
      if (entry.isDirectory) {
        folders.push(/** @type {FileSystemDirectoryEntry} */ (entry));
        continue;
      }
      const file = await new Promise((resolve, reject) => {
        /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject);
      }).catch(() => unreadable(entry));
      if (file) files.push(new File([file], pathOf(entry), { type: file.type, lastModified: file.lastModified }));
    }
    count += entries.length;
    if (count > MOST_ENTRIES) {
      note = `The folder ${top.name} has more than ${MOST_ENTRIES} files and folders; the others are left out.`;
      break;
    }
  }
  if (files.length === 0) note ||= `The folder ${top.name} has no files.`;
  return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), note };
}

/**
 * What a folder holds, without hidden files.
 * @param {FileSystemDirectoryEntry} folder @param {number} limit Enough of them.
 * @returns {Promise<FileSystemEntry[]>}
 */
async function entriesOf(folder, limit) {
  const reader = folder.createReader();
  const entries = /** @type {FileSystemEntry[]} */ ([]);
  // The browser tells a hundred or so at a time, and none at the end.
  for (;;) {
    const more = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    entries.push(...more.filter(({ name }) => !name.startsWith('.')));
    if (more.length === 0 || entries.length >= limit) break;
  }
  return entries;
}

/** The first bytes of a file; empty if it cannot be read. @param {Blob} file @returns {Promise<string>} */
async function beginning(file) {
  return file.slice(0, 200).arrayBuffer().then((bytes) => String.fromCharCode(...new Uint8Array(bytes)), () => '');
}

/** @param {string} head The first bytes of a file. */
function beginningOf(head) {
  return BEGINNINGS.find(([, , ...parts]) => parts.every(([offset, text]) => head.startsWith(text, offset)));
}

/**
 * The kind of a file: by its content, else by what the browser takes it for, else by its name.
 * @param {File|Blob} file
 * @returns {Promise<Kind>}
 */
export async function kindOf(file) {
  const head = await beginning(file);
  const known = beginningOf(head);
  if (known) return known[0];
  if (head.slice(4, 8) === 'ftyp') {
    const brand = head.slice(8, 12);
    if (PICTURE_BRAND.test(brand)) return 'picture';
    return SOUND_BRAND.test(brand) ? 'other' : 'video';
  }
  if (file.type.startsWith('image/')) return 'picture';
  if (file.type.startsWith('video/')) return 'video';
  if (file.type !== '') return 'other';
  const name = file instanceof File ? file.name : '';
  if (PICTURE_NAME.test(name)) return 'picture';
  return VIDEO_NAME.test(name) ? 'video' : 'other';
}

/**
 * The format of a picture, as `HEIC`: by its content, else by its name; empty if neither tells.
 * @param {File|Blob} file @returns {Promise<string>}
 */
export async function pictureFormat(file) {
  const head = await beginning(file);
  const known = beginningOf(head);
  if (known) return known[1];
  if (head.slice(4, 8) === 'ftyp' && PICTURE_BRAND.test(head.slice(8, 12))) {
    // Some files name the brand of their format only among the compatible ones.
    const size = 256 * head.charCodeAt(2) + head.charCodeAt(3);
    return /avi[fs]/.test(head.slice(8, size)) ? 'AVIF' : 'HEIC';
  }
  const name = file instanceof File ? file.name : '';
  return (PICTURE_NAME.test(name) && /\.(\w{2,5})$/.exec(name)?.[1].toUpperCase()) || '';
}

/** Larger files are made smaller before they travel: a server takes 16 MiB unless it is told otherwise. */
export const MOST_BYTES = 16 << 20;
/** Of a copy, in pixels: 12.6 million of them, as of most phones' photos. */
const LONGEST_SIDE = 4096;

/**
 * The file's content as it is.
 * @param {Blob} file @returns {Promise<Blob>}
 */
export async function original(file) {
  const content = await file.arrayBuffer().catch(() => {
    throw new Error('The file cannot be read. It may have been moved or changed since it was chosen.');
  });
  return new Blob([content], { type: file.type.startsWith('image/') ? file.type : 'application/octet-stream' });
}

/** A picture that is no grid of pixels, such as SVG. @param {Blob} file @returns {Promise<?ImageBitmap>} */
async function drawing(file) {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return await createImageBitmap(image);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * A JPEG of a picture that is too large for the server, or of a kind that it does not read.
 * @param {Blob} file
 * @returns {Promise<?{picture: Blob, width: number, height: number}>} `width` and `height` are the original's; null where
 *   the browser cannot read the picture either.
 */
export async function copy(file) {
  const bitmap = await createImageBitmap(file).catch(() => drawing(file));
  if (!bitmap) return null;
  const { width, height } = bitmap;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) return null;
  // What is transparent is read as on white, as in every picture.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { picture: await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 }), width, height };
}
