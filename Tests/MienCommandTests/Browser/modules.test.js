// Tests the page's modules that need no browser: `node --test`, beside a copy of Sources/CMienResources/page.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, patiently, pause, reading, retryAfter, Server } from './page/api.js';
import { direction, doubt, facts, isAnimation, shortDoubt, warningText } from './page/details.js';
import { faceAt, labelPlan, placed } from './page/draw.js';
import { best, clock, emotionsOf, percent, ranked, words } from './page/emotions.js';
import { enlarged, json, number, photosCSV, photosJSON, stem, videoCSV, videoJSON } from './page/export.js';
import { highest, tally } from './page/faces.js';
import { filesIn, kindOf, pictureFormat } from './page/files.js';
import { framesOf, Unreadable, VideoJob } from './page/job.js';
import { FramePump } from './page/pump.js';
import { Coverage, FrameClock, Record } from './page/record.js';
import { Session } from './page/session.js';
import { laneTracks, spread, ticks } from './page/timeline.js';
import { orientationIn, transform, turning, upright, withoutBlocks } from './page/upright.js';

const scores = { anger: 0.1, happiness: 0.6, neutral: 0.3 };
const face = (track, x = 10) => ({
  track, box: { x, y: 20, width: 40, height: 40 }, emotion: 'happiness', best: 'happiness', probability: 0.6, scores,
  raw: { anger: 0, happiness: 0.9, neutral: 0.1 }, score: 0.75, pose: { yaw: 1.5, pitch: -2, roll: 0 }, measures: null,
  reason: null,
});
const emotions = ['neutral', 'happiness', 'anger'];
const row = (seconds, ...faces) => ({ frame: Math.round(seconds * 10), seconds, width: 100, height: 100, faces });

test('numbers in words', () => {
  assert.deepEqual([0, 1e-9, 0.0049, 0.006, 0.5, 0.994, 0.996, 1 - 1e-9, 1, -1, 2].map((one) => percent(one).replace('\u00a0', ' ')),
    ['0 %', '<1 %', '<1 %', '1 %', '50 %', '99 %', '>99 %', '>99 %', '100 %', '0 %', '100 %']);
  assert.equal(clock(59.96), '1:00.0');
  assert.equal(clock(67.5), '1:07.5');
  assert.deepEqual(best(scores), { emotion: 'happiness', probability: 0.6 });
  assert.equal(words({ ...face(1), emotion: null }), 'unsure (happiness 60\u00a0%)');
  assert.equal(stem('a.b.jpg'), 'a.b');
  assert.equal(stem('holiday.2026/one.jpg'), 'one');
});

test('a reading is unsure where the server is', () => {
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const json = { width: 9, height: 9, faces: [
    { box, emotion: 'happiness', probability: 0.6, confident: false, scores },
    { box, track: 7, emotion: null, probability: 0.4, scores, smoothed: { anger: 0.7, neutral: 0.3 } },
    { box, track: 8, emotion: 'neutral', probability: 0.4, scores, smoothed: { anger: 0.55, neutral: 0.45 } },
  ] };
  const [first, second, third] = reading(json).faces;
  assert.deepEqual([first.track, first.emotion, first.best], [1, null, 'happiness']);
  assert.deepEqual([second.track, second.emotion, second.best, second.probability], [7, null, 'anger', 0.7]);
  assert.deepEqual([first.reason, first.score, first.pose, third.reason], ['unsure', null, null, null]);
  // The label follows slowly; its probability is its own, not the highest.
  assert.deepEqual([third.emotion, third.best, third.probability], ['neutral', 'neutral', 0.45]);
});

test('how long a busy server is left alone', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfter('3', now), 3);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now), 5);
  assert.equal(retryAfter('soon', now), 1);
  assert.equal(retryAfter(null, now), 1);
  assert.equal(retryAfter('99999', now), 60);
  assert.equal(pause(new ApiError(429, '', 2), 0), 2);
  assert.equal(pause(new ApiError(429, '', 2), 1), 4);
  assert.equal(pause(new ApiError(429, '', 2), 10), 15);
  assert.equal(pause(new ApiError(0, ''), 0), 0.5);
  // One that is away is asked again soon, however long it has been.
  assert.equal(pause(new ApiError(0, ''), 10), 4);
});

test('a pause ends at once when the person says so', async () => {
  let calls = 0;
  const action = async () => {
    calls += 1;
    if (calls < 3) throw new ApiError(429, 'busy', 60);
    return 'read';
  };
  const waits = [];
  const answer = patiently(action, (error, seconds, tryNow) => {
    waits.push(seconds);
    tryNow();
  }, new AbortController().signal);
  assert.equal(await answer, 'read');
  assert.deepEqual(waits, [15, 15]);
});

test('boxes and labels', () => {
  const box = { x: 10, y: 20, width: 40, height: 40 };
  assert.deepEqual(placed(box, 2, null), { x: 20, y: 40, width: 80, height: 80 });
  assert.deepEqual(placed(box, 2, 200), { x: 100, y: 40, width: 80, height: 80 });
  const inner = { ...face(2, 20), box: { x: 20, y: 30, width: 10, height: 10 } };
  assert.equal(faceAt([face(1), inner], 25, 35)?.track, 2);
  assert.equal(faceAt([face(1), inner], 5, 5), null);
  // A fingertip beside a face is meant for it.
  assert.equal(faceAt([face(1), face(2, 90)], 84, 40, 8)?.track, 2);
});

const shared = (a, b) => Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x))
  * Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));
const measure = (text, isNumber) => (isNumber ? { width: 7 + 7 * text.length, height: 15 } : { width: 8 * text.length, height: 24 });
const texts = (count) => Array.from({ length: count }, (_, index) => ({
  label: `${index + 1}  happiness 98\u00a0%`, number: String(index + 1),
}));

test('a label that is wider than its box becomes a number', () => {
  const boxes = [{ x: 10, y: 50, width: 200, height: 200 }, { x: 400, y: 50, width: 60, height: 60 }];
  const plan = labelPlan(boxes, texts(2), -1, measure, { width: 600, height: 400 }, 1);
  assert.deepEqual(plan.map(({ text }) => text), ['1  happiness 98\u00a0%', '2']);
  const chosen = labelPlan(boxes, texts(2), 1, measure, { width: 600, height: 400 }, 1);
  assert.deepEqual(chosen.map(({ index, text }) => [index, text]), [[1, '2  happiness 98\u00a0%'], [0, '1  happiness 98\u00a0%']]);
});

test('in a group nothing that is written covers a face or something else that is written', () => {
  // Three rows of ten faces, as on a laptop and as on a phone.
  for (const scale of [1, 0.35]) {
    const boxes = Array.from({ length: 30 }, (_, index) => ({
      x: scale * (20 + 98 * (index % 10) + 40 * (Math.floor(index / 10) % 2)), y: scale * (80 + 150 * Math.floor(index / 10)),
      width: scale * 62, height: scale * 66,
    }));
    const area = { width: scale * 1060, height: scale * 560 };
    for (const selected of [-1, 14]) {
      const plan = labelPlan(boxes, texts(30), selected, measure, area, 1);
      const others = plan.filter(({ index }) => index !== selected);
      for (const { place } of others) {
        assert.ok(boxes.every((box) => shared(box, place) === 0), 'covers a face');
        assert.ok(plan.every((other) => other.place === place || shared(other.place, place) === 0), 'covers a label');
      }
      for (const { place } of plan) {
        assert.ok(place.x >= 0 && place.y >= 0 && place.x + place.width <= area.width && place.y + place.height <= area.height);
      }
      assert.equal(plan.find(({ index }) => index === selected)?.text ?? '', selected < 0 ? '' : '15  happiness 98\u00a0%');
      if (scale === 1) assert.equal(plan.length, 30);
      else assert.ok(plan.length >= 20, `${plan.length} of 30 have a number on a phone`);
    }
  }
});

test('the selected label goes where it covers least', () => {
  const boxes = [{ x: 100, y: 100, width: 60, height: 60 }, { x: 100, y: 40, width: 60, height: 55 }];
  const [{ place }] = labelPlan(boxes, texts(2), 0, measure, { width: 400, height: 400 }, 1);
  assert.equal(shared(place, boxes[1]), 0);
  assert.ok(place.y >= 160);
});

test('a selected label that is wider than the picture stands above its face', () => {
  const box = { x: 20, y: 60, width: 60, height: 70 };
  const [{ place }] = labelPlan([box], texts(1), 0, measure, { width: 100, height: 160 }, 1);
  assert.ok(measure('1  happiness 98\u00a0%', false).width > 100);
  assert.equal(shared(place, box), 0);
  assert.ok(place.x === 0 && place.width === 100 && place.y < box.y);
});

test('a record in the order of time, whatever the order of the answers', () => {
  const record = new Record(4);
  for (const seconds of [0.1, 0.3, 0.2, 4, 4.1]) record.add(row(seconds, face(1), ...(seconds > 1 ? [face(2)] : [])));
  assert.deepEqual(record.rows.map(({ seconds }) => seconds), [0.2, 0.3, 4, 4.1]);
  assert.equal(record.end, 4.1);
  assert.equal(record.nearest(0.24, 0.1)?.seconds, 0.2);
  assert.equal(record.nearest(1.5, 0.5), null);
  assert.deepEqual(record.pieces(1, 0, 5).map((piece) => piece.length), [2, 2]);
  assert.deepEqual([...record.spans(0, 5)], [[1, [[0.2, 0.3], [4, 4.1]]], [2, [[4, 4.1]]]]);
});

test('a face that is missing in a frame is away after half a second; a slow server is no gap', () => {
  const record = new Record();
  for (const [seconds, ...faces] of [[0, face(1)], [0.2], [0.4, face(1)], [0.7], [1, face(1)], [3, face(1)]]) {
    record.add(row(seconds, ...faces));
  }
  assert.deepEqual([...record.spans(0, 4)], [[1, [[0, 0.4], [1, 3]]]]);
  assert.deepEqual(record.pieces(1, 0, 4).map((piece) => piece.map(({ seconds }) => seconds)), [[0, 0.4], [1, 3]]);
  assert.deepEqual(record.pieces(1, 0, 4, 1).map((piece) => piece.map(({ seconds }) => seconds)), [[0], [1, 3]]);
});

test('numbers as Swift writes them', () => {
  assert.deepEqual([0.9105839, 1.756917e-05, 1e-7, 0.0001, 0, -3e-5, 12].map(number),
    ['0.9105839', '1.756917e-05', '1e-07', '0.0001', '0', '-3e-05', '12']);
  assert.equal(json({ b: [1, null, 'é"/'], a: { z: 0.00002, y: undefined } }), '{"a":{"z":2e-05},"b":[1,null,"é\\"/"]}');
});

test('files of photos', () => {
  const pictures = [
    { file: 'a,"b.jpg', error: null, faces: [{ ...face(1), confident: false, reason: 'small', pose: null }] },
    { file: '=none.jpg', error: null, faces: [] },
    { file: 'bad.jpg', error: 'cut short', faces: [] },
  ];
  const [header, first, none, failed] = photosCSV(pictures, emotions).split('\r\n');
  assert.equal(header, 'file,face,x,y,width,height,emotion,probability,confident,anger,happiness,neutral,score,yaw,pitch,roll,'
    + 'reason,leftEyeOpenness,rightEyeOpenness,mouthOpenness,mouthWidth,browRaise,error');
  assert.equal(first, '"a,""b.jpg",1,10,20,40,40,happiness,0.6,false,0.1,0.6,0.3,0.75,,,,small,,,,,,');
  assert.equal(none, `'=none.jpg${','.repeat(22)}`);
  assert.equal(failed, `bad.jpg${','.repeat(22)}cut short`);
  assert.equal(photosJSON([]), '[\n]\n');
  assert.match(photosJSON(pictures), /^\[\n\{"error":null,.*\},\n\{.*"file":"=none.jpg"\},\n\{.*\}\n\]\n$/);
});

test('files of videos', () => {
  const lines = videoJSON([row(0.5, face(3)), row(1)]).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].track, lines[0].scores.happiness, lines[0].smoothed.happiness], [3, 0.9, 0.6]);
  assert.deepEqual([lines[1].seconds, lines[1].track, lines[1].smoothed], [1, null, null]);
  const [header, first, none] = videoCSV([row(0.5, face(3)), row(1)], emotions).split('\r\n');
  assert.equal(header, 'frame,seconds,track,x,y,width,height,emotion,probability,anger,happiness,neutral,smoothed_anger,'
    + 'smoothed_happiness,smoothed_neutral,score,yaw,pitch,roll');
  assert.equal(first, '5,0.5,3,10,20,40,40,happiness,0.6,0.0,0.9,0.1,0.1,0.6,0.3,0.75,1.5,-2.0,0.0');
  assert.equal(none, `10,1.0${','.repeat(17)}`);
});

test('what was read of a smaller copy is told in pixels of the picture', () => {
  const copy = { width: 400, height: 300, faces: [{ ...face(1), landmarks: { nose: { x: 20.13, y: 30 } } }], error: null };
  const whole = enlarged(copy, 8000, 6000);
  assert.deepEqual([whole.width, whole.height], [8000, 6000]);
  assert.deepEqual(whole.faces[0].box, { x: 200, y: 400, width: 800, height: 800 });
  assert.deepEqual(whole.faces[0].landmarks.nose, { x: 402.6, y: 600 });
});

test('what the server read of a whole video', () => {
  const line = (frame, track) => JSON.stringify({
    frame, seconds: frame / 10, track, box: track && face(1).box, emotion: track && 'happiness', probability: track && 0.6,
    score: track && 0.9, pose: null, scores: track && scores, smoothed: track && scores,
  });
  // The last line is not whole yet.
  const rows = framesOf(`${line(0, 1)}\n${line(0, 2)}\n${line(3, null)}\n${line(4, 1).slice(0, 30)}`, 640, 360);
  assert.deepEqual(rows.map(({ frame, seconds, faces }) => [frame, seconds, faces.map(({ track }) => track)]),
    [[0, 0, [1, 2]], [3, 0.3, []]]);
  assert.equal(rows[0].width, 640);
});

test('the kind of a file is told by its content, then by its type and its name', async () => {
  const file = (bytes, name, type = '') => new File([Uint8Array.from(bytes, (one) => (typeof one === 'string' ? one.charCodeAt(0) : one))], name, { type });
  const box = (brand) => [0, 0, 0, 24, ...'ftyp', ...brand];
  const kinds = [
    [file([0xff, 0xd8, 0xff, 0xe0], 'IMG_1'), 'picture'],
    [file(box('heic'), 'IMG_2.HEIC'), 'picture'],
    [file(box('avif'), 'no-name'), 'picture'],
    [file(box('qt  '), 'IMG_3.jpg', 'image/jpeg'), 'video'],
    [file(box('isom'), 'clip'), 'video'],
    [file(box('M4A '), 'song.m4a', 'audio/mp4'), 'other'],
    [file([0x1a, 0x45, 0xdf, 0xa3], 'x'), 'video'],
    [file([6, 14, 0x2b, 0x34], 'x', 'application/mxf'), 'video'],
    [file(['G', ...Array(187).fill(0), 'G'], 'clip.ts', 'text/vnd.trolltech.linguist'), 'video'],
    [file([0, 0, 0, 0, 'G', ...Array(191).fill(0), 'G'], 'x'), 'video'],
    [file(['G', ...Array(190).fill(0)], 'words.ts', 'text/vnd.trolltech.linguist'), 'other'],
    [file([...'hello'], 'notes.txt', 'text/plain'), 'other'],
    [file([...'hello'], 'photo.heic'), 'picture'],
    [file([...'hello'], 'clip.mkv'), 'video'],
    [file([...'hello'], 'picture', 'image/svg+xml'), 'picture'],
    [file([], 'folder'), 'other'],
  ];
  for (const [one, kind] of kinds) assert.equal(await kindOf(one), kind, one.name);
});

test('the format of a picture is told by its content, whatever its name', async () => {
  const formats = [
    [new File(['?'], 'IMG_2.heic'), 'HEIC'], [new File(['?'], 'what'), ''], [new Blob(['?']), ''],
    [new File(['\0\0\0\x18ftypheic\0\0\0\0mif1heic'], 'IMG_1.jpg'), 'HEIC'],
    [new File(['\0\0\0\x18ftypmif1\0\0\0\0mif1heic', 'avif'], 'IMG_1.jpg'), 'HEIC'],
    [new File(['\0\0\0\x18ftypmif1\0\0\0\0mif1avif'], 'IMG_1.png'), 'AVIF'],
    [new File(['II*\0'], 'scan.png'), 'TIFF'], [new File(['RIFF\0\0\0\0WEBPVP8 '], 'a.jpg'), 'WebP'],
  ];
  for (const [one, format] of formats) assert.equal(await pictureFormat(one), format, one.name);
});

/** A drop of these files and folders; a folder is a list of [name, content], a file is `null`, `undefined` cannot be read. */
function dropOf(...tops) {
  const entryOf = ([name, content], parent = '') => {
    const fullPath = `${parent}/${name}`;
    const base = { name, fullPath, isDirectory: Array.isArray(content), isFile: !Array.isArray(content) };
    if (content === undefined) return { ...base, file: (_, refuse) => refuse(new Error('NotReadableError')) };
    if (content === null) return { ...base, file: (take) => take(new File(['x'], name, { type: 'image/png' })) };
    const createReader = () => {
      // A few at a time, as browsers do.
      const rest = content.map((one) => entryOf(one, fullPath));
      return { readEntries: (take) => take(rest.splice(0, 100)) };
    };
    return { ...base, createReader };
  };
  const items = tops.map((top) => ({
    kind: 'file', webkitGetAsEntry: () => entryOf(top), getAsFile: () => new File([], top[0]) }));
  return { items: [{ kind: 'string', getAsFile: () => null }, ...items], files: items.map((item) => item.getAsFile()) };
}

test('what is dropped: files, and the files of folders', async () => {
  const names = async (...tops) => {
    const { files, notes } = await filesIn(dropOf(...tops));
    return [files.map(({ name }) => name), notes];
  };
  assert.deepEqual(await filesIn(null), { files: [], notes: [] });
  assert.deepEqual(await names(['b.png', null], ['a.png', null]), [['b.png', 'a.png'], []]);
  const holiday = ['holiday', [['z.png', null], ['.DS_Store', null], ['day 2', [['b.png', null], ['deep', [['a.png', null]]]]], ['.git', [['x', null]]]]];
  assert.deepEqual(await names(holiday, ['one.png', null]),
    [['holiday/day 2/b.png', 'holiday/day 2/deep/a.png', 'holiday/z.png', 'one.png'], []]);
  const { files: [file] } = await filesIn(dropOf(holiday));
  assert.deepEqual([file.type, await file.text()], ['image/png', 'x']);
  assert.deepEqual(await names(['empty', [['in it', []]]]), [[], ['The folder empty has no files.']]);
  assert.deepEqual(await names(['some', [['good.png', null], ['bad.png', undefined]]]),
    [['some/good.png'], ['some/bad.png cannot be read.']]);
  const numbered = (/** @type {number} */ count) => Array.from({ length: count }, (_, index) => [`${index}.png`, null]);
  const exactly = await names(['full', numbered(1000)]);
  assert.deepEqual([exactly[0].length, exactly[1]], [1000, []]);
  for (const content of [numbered(1001), [...numbered(900), ['more', numbered(5000)]], [['a', numbered(999)], ['b', numbered(2)]]]) {
    const [found, notes] = await names(['full', content]);
    assert.ok(found.length >= 998 && found.length <= 1000, `${found.length}`);
    assert.deepEqual(notes, ['The folder full has more than 1000 files and folders; the others are left out.']);
  }
});

test('what else is said of a face', () => {
  assert.equal(direction({ yaw: 0.2, pitch: -0.1, roll: 0.4 }), 'straight ahead');
  assert.equal(direction({ yaw: -12.4, pitch: 8, roll: 5 }), '12° to the picture’s left, 8° up, tilted 5° clockwise');
  const small = { ...face(1), reason: 'small', measures: {
    leftEyeOpenness: 0.31, rightEyeOpenness: 0.3, mouthOpenness: 0.02, mouthWidth: 0.9, browRaise: 0.4 } };
  assert.equal(shortDoubt(small), 'small face');
  assert.match(doubt(small), /too few pixels/);
  assert.equal(doubt(face(1)), '');
  assert.equal(shortDoubt({ ...face(1), reason: 'blurred' }), 'blurred');
  assert.deepEqual(facts(small).map(([name]) => name), ['Is a face', 'Looks', 'Size', 'Eyes open', 'Mouth', 'Brows raised']);
  // In a picture that is shown mirrored, left is right.
  const turned = { ...small, pose: { yaw: -12.4, pitch: 8, roll: 5 } };
  const mirrored = Object.fromEntries(facts(turned, true));
  assert.equal(mirrored.Looks, '12° to the picture’s right, 8° up, tilted 5° anticlockwise');
  assert.equal(mirrored['Eyes open'], 'left 0.30, right 0.31');
  assert.equal(Object.fromEntries(facts(turned))['Eyes open'], 'left 0.31, right 0.30');
  assert.deepEqual(facts({ ...face(1), score: null, pose: null }).map(([name]) => name), ['Size']);
});

test('emotions by their probability, equal ones in the order of the page', () => {
  const scores = { anger: 0.1, happiness: 0.2, neutral: 0.5, sadness: 0.2 };
  assert.deepEqual(emotionsOf(scores), ['happiness', 'neutral', 'sadness', 'anger']);
  assert.deepEqual(ranked(scores), ['neutral', 'happiness', 'sadness', 'anger']);
});

test('the highest scores stay until another is clearly higher', () => {
  const before = highest({ happiness: 0.6, neutral: 0.2, sadness: 0.1, anger: 0.06, fear: 0.04 }, []);
  assert.deepEqual(before, ['happiness', 'neutral', 'sadness']);
  assert.deepEqual(highest({ happiness: 0.6, neutral: 0.2, sadness: 0.09, anger: 0.1, fear: 0.01 }, before), before);
  assert.deepEqual(highest({ happiness: 0.6, neutral: 0.2, sadness: 0.02, anger: 0.15, fear: 0.03 }, before),
    ['happiness', 'neutral', 'anger']);
  assert.equal(tally([face(1), face(2), { ...face(3), emotion: null }]), '2 happiness, 1 unsure');
});

test('which parts of a video were read', () => {
  const coverage = new Coverage();
  coverage.add(0, 1);
  coverage.add(5, 6);
  assert.deepEqual([0.5, 1, 3, 5, 6.5].map((time) => coverage.has(time)), [true, true, false, true, false]);
  assert.deepEqual(coverage.gaps(0, 10), [[1, 5], [6, 10]]);
  assert.deepEqual(coverage.gaps(5.2, 5.8), []);
  coverage.add(0.9, 5.001);
  assert.deepEqual(coverage.spans, [[0, 6]]);
  assert.deepEqual(coverage.gaps(0, 6), []);
});

test('frames are numbered by their times', () => {
  const clock = new FrameClock();
  const time = (frame) => Math.round((frame * 1001e6) / 30000) / 1e6;
  // Some frames are not shown; a jump is no step.
  for (const frame of [0, 1, 2, 4, 5, 9, 10, 40]) clock.see(time(frame));
  clock.last = null;
  for (const frame of [900, 901, 5000, 20, 21]) clock.see(time(frame));
  for (const frame of [0, 3, 899, 100_000]) assert.equal(clock.numberOf(time(frame)), frame);
});

test('lanes: the selected face, those that are there, then the longest', () => {
  const spans = new Map([[1, [[0, 100]]], [2, [[0, 90]]], [3, [[0, 1]]], [4, [[0, 80]]], [5, [[99, 100]]]]);
  assert.deepEqual(laneTracks(spans, 3, [5], 3), [1, 3, 5]);
  assert.deepEqual(laneTracks(spans, null, [], 2), [1, 2]);
});

test('boxes of frames that were made smaller are in pixels of the video', () => {
  const [line] = videoJSON([{ ...row(0.5, face(3)), scale: 3 }]).trim().split('\n').map((text) => JSON.parse(text));
  assert.deepEqual(line.box, { x: 30, y: 60, width: 120, height: 120 });
});

test('a session that the server has forgotten is replaced at once, with other numbers', async () => {
  let [opened, known] = [0, 'none'];
  const answer = { width: 9, height: 9, faces: [{ ...face(2), scores, smoothed: scores }] };
  const server = {
    json: async (method, path) => {
      if (path === '/v1/sessions') {
        opened += 1;
        known = known === 'never' ? known : `/v1/sessions/${opened}/`;
        return { id: String(opened) };
      }
      if (!path.startsWith(known)) throw new ApiError(404, 'gone', undefined, 'no_session');
      return structuredClone(answer);
    },
  };
  const session = new Session(server);
  const track = async () => (await session.read(new Blob([]), 0)).faces[0].track;
  assert.equal(await track(), 1);
  known = 'a new server';
  // Two frames are under way: one new session is opened for both.
  assert.deepEqual(await Promise.all([track(), track()]), [2, 2]);
  assert.equal(opened, 2);
  known = 'never';
  await assert.rejects(track(), (error) => error.status === 503 && error.isBusy);
  session.close();
});

test('a profile that was deleted is no longer asked for', async () => {
  const asked = [];
  const server = {
    options: { profile: 'gone' },
    json: async (method, path, body) => {
      if (path !== '/v1/sessions') return { width: 9, height: 9, faces: [{ ...face(1), scores, smoothed: scores }] };
      asked.push(body);
      if (!body.profile) return { id: '1' };
      // What the server object of the page does, too.
      server.options = {};
      throw new ApiError(404, 'There is no such profile.', undefined, 'no_profile');
    },
  };
  const session = new Session(server);
  assert.equal((await session.read(new Blob([]), 0)).faces.length, 1);
  assert.deepEqual(asked, [{ profile: 'gone' }, {}]);
  session.close();
});

/** A server's page that reads by the profile `hall`, and what it lost. */
function serverWith(answer) {
  const server = Object.assign(new Server(async () => null), { json: answer, profile: 'hall' });
  server.paths.add('/v1/profiles');
  const lost = [];
  server.onNoProfile = (name) => {
    lost.push(name);
    server.profile = null;
  };
  return { server, lost };
}

test('a video whose profile was deleted before it is sent is refused as a photo is', async () => {
  const store = globalThis.sessionStorage;
  globalThis.sessionStorage = { getItem: () => null };
  globalThis.XMLHttpRequest = class {
    upload = {};
    status = 404;
    response = { error: { code: 'no_profile', message: 'There is no such profile.' } };
    open(method, path) { assert.equal(path, '/v1/video?profile=hall'); }
    setRequestHeader() {}
    getResponseHeader() { return null; }
    send() { this.onload(); }
  };
  const { server, lost } = serverWith(async () => ({}));
  const error = await new VideoJob(server, () => {}, () => {}).read(new Blob([])).catch((reason) => reason);
  assert.ok(error instanceof ApiError && error.code === 'no_profile' && error.status === 404);
  assert.deepEqual(lost, ['hall']);
  delete globalThis.XMLHttpRequest;
  globalThis.sessionStorage = store;
});

test('a video that was not read can be read without its profile, or later, or never', async () => {
  for (const [errorCode, isGone, isUnreadable] of [['no_profile', true, false], ['internal', false, false], ['unreadable_video', false, true]]) {
    const { server, lost } = serverWith(async () => ({
      state: 'failed', progress: null, error: 'A reason.', errorCode, profile: 'hall',
    }));
    server.upload = async () => ({ id: '1' });
    const error = await new VideoJob(server, () => {}, () => {}).read(new Blob([])).catch((reason) => reason);
    assert.equal(error.message, 'A reason.');
    assert.equal(error.code === 'no_profile', isGone);
    assert.equal(error instanceof Unreadable, isUnreadable);
    assert.deepEqual(lost, isGone ? ['hall'] : []);
  }
});

test('a result is asked for again if the server is away, and given up once it is not wanted', async () => {
  const { server } = serverWith(async () => ({ state: 'done', progress: 1, error: null, errorCode: null, profile: null }));
  server.upload = async () => ({ id: '1' });
  let asked = 0;
  server.text = async () => {
    asked += 1;
    if (asked < 3) throw new ApiError(asked === 1 ? 0 : 429, 'Busy.', 0.01);
    return 'rows';
  };
  assert.equal(await new VideoJob(server, () => {}, () => {}).read(new Blob([])), 'rows');
  assert.equal(asked, 3);

  const deleted = [];
  const second = serverWith(async (method, path) => { if (method === 'DELETE') deleted.push(path); return {}; }).server;
  const job = new VideoJob(second, () => {}, () => {});
  // The answer comes after the end.
  second.upload = async () => {
    job.close();
    return { id: '2' };
  };
  await assert.rejects(job.read(new Blob([])));
  assert.deepEqual(deleted, ['/v1/video/2']);
});

test('after a jump a new session is used, and the old one is given up once its frames are answered', async () => {
  let opened = 0;
  const [doors, deleted] = [[], []];
  const server = {
    json: async (method, path) => {
      if (method === 'DELETE') return deleted.push(path);
      if (path === '/v1/sessions') return { id: String(opened += 1) };
      return new Promise((resolve) => doors.push(() => resolve({ width: 9, height: 9, faces: [{ ...face(1), scores, smoothed: scores }] })));
    },
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const session = new Session(server);
  const first = session.read(new Blob([]), 1);
  await settle();
  session.renew();
  const second = session.read(new Blob([]), 9);
  await settle();
  assert.deepEqual(deleted, []);
  doors[0]();
  doors[1]();
  assert.deepEqual([(await first).faces[0].track, (await second).faces[0].track], [1, 2]);
  await settle();
  assert.deepEqual([opened, deleted], [2, ['/v1/sessions/1']]);
});

test('a session goes on after the page was left and came back', async () => {
  const deleted = [];
  let opened = 0;
  const server = { options: {}, json: async (method, path, _, signal) => {
    signal?.throwIfAborted();
    if (method === 'DELETE') deleted.push(path);
    if (path === '/v1/sessions') return { id: `s${opened += 1}` };
    return { width: 9, height: 9, faces: [{ track: 1, box: face(1).box, emotion: 'happiness', scores }] };
  } };
  const session = new Session(server);
  assert.equal((await session.read(new Blob(), 0)).faces[0].track, 1);
  session.close();
  await new Promise((resolve) => { setTimeout(resolve); });
  assert.deepEqual(deleted, ['/v1/sessions/s1']);
  assert.equal((await session.read(new Blob(), 1)).faces[0].track, 2);
  assert.equal(opened, 2);
});

test('the axis of time', () => {
  assert.deepEqual(ticks(0, 30, 6), [0, 5, 10, 15, 20, 25, 30]);
  assert.deepEqual(ticks(12.2, 42.2, 3), [15, 30]);
  assert.deepEqual(spread([10, 12, 100], 15, 0, 105), [10, 25, 100]);
  assert.deepEqual(spread([90, 100, 104], 15, 0, 105), [75, 90, 105]);
});

/** A pump whose answers come when they are told to. */
function pumpWithDoor() {
  let time = 0;
  const doors = [];
  const log = { newest: [], late: [], trouble: [], failure: [] };
  const pump = new FramePump({
    send: (frame) => new Promise((resolve, reject) => doors.push({ frame, resolve: () => resolve(frame), reject })),
    onAnswer: (answer, _, isNewest) => log[isNewest ? 'newest' : 'late'].push(answer),
    onTrouble: (error, seconds) => log.trouble.push(error ? seconds : 'well'),
    onFailure: (error) => log.failure.push(error.message),
    now: () => time,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { pump, doors, log, settle, wait: (milliseconds) => { time += milliseconds; } };
}

test('two frames under way at most; the others are dropped', async () => {
  const { pump, doors, log, settle } = pumpWithDoor();
  assert.deepEqual([1, 2, 3, 4].map((frame) => pump.offer(() => frame)), [true, true, false, false]);
  await settle();
  doors[1].resolve();
  await settle();
  doors[0].resolve();
  await settle();
  assert.deepEqual([log.newest, log.late, pump.dropped], [[2], [1], 2]);
  assert.equal(pump.offer(() => 5), true);
});

test('a busy server is left alone, longer each time', async () => {
  const { pump, doors, log, settle, wait } = pumpWithDoor();
  pump.offer(() => 1);
  pump.offer(() => 2);
  await settle();
  for (const door of doors) door.reject(new ApiError(429, 'busy', 1));
  await settle();
  wait(900);
  assert.equal(pump.offer(() => 3), false);
  wait(101);
  assert.equal(pump.offer(() => 4), true);
  await settle();
  doors[2].reject(new ApiError(429, 'busy', 1));
  await settle();
  wait(2001);
  pump.offer(() => 5);
  await settle();
  doors[3].resolve();
  await settle();
  assert.deepEqual(log.trouble, [1, 2, 'well']);
});

test('a busy server is tried at once when the person says so', async () => {
  const { pump, doors, settle } = pumpWithDoor();
  pump.offer(() => 1);
  await settle();
  doors[0].reject(new ApiError(429, 'busy', 10));
  await settle();
  assert.equal(pump.offer(() => 2), false);
  pump.tryNow();
  assert.equal(pump.offer(() => 3), true);
});

test('what cannot be mended ends it', async () => {
  const { pump, doors, log, settle } = pumpWithDoor();
  pump.offer(() => 1);
  let finish = (/** @type {number} */ _) => {};
  pump.offer(() => new Promise((resolve) => { finish = resolve; }));
  await settle();
  doors[0].reject(new ApiError(415, 'not a picture'));
  await settle();
  assert.deepEqual(log.failure, ['not a picture']);
  assert.equal(pump.offer(() => 3), false);
  // A frame that is still being taken is not sent.
  finish(2);
  await settle();
  assert.equal(doors.length, 1);
});

test('readings per second', async () => {
  const { pump, doors, settle, wait } = pumpWithDoor();
  assert.equal(pump.speed().rate, 0);
  for (let i = 0; i < 25; i += 1) {
    pump.offer(() => i);
    await settle();
    wait(40);
    doors[i].resolve();
    await settle();
  }
  assert.deepEqual(pump.speed(), { rate: 25, latency: 40 });
});

test('an answer that the page gave up is not one that was cut short', async () => {
  const { fetch, sessionStorage } = globalThis;
  Object.defineProperty(globalThis, 'sessionStorage', { value: { getItem: () => null }, configurable: true });
  try {
    const server = new Server(async () => null);
    const abort = new AbortController();
    globalThis.fetch = async () => new Response('{"id": ', { status: 200 });
    await assert.rejects(server.json('GET', '/', undefined, abort.signal), { status: 502 });
    globalThis.fetch = async () => {
      abort.abort();
      return new Response('{"id": ', { status: 200 });
    };
    await assert.rejects(server.json('GET', '/', undefined, abort.signal), { name: 'AbortError' });
  } finally {
    globalThis.fetch = fetch;
    Object.defineProperty(globalThis, 'sessionStorage', { value: sessionStorage, configurable: true });
  }
});

test('what the server says of a picture is a sentence, without what it advises programs', () => {
  assert.equal(warningText(''), '');
  assert.equal(warningText('is almost black'), 'This picture is almost black.');
  assert.equal(warningText('is cut off (truncated): rows from 3 of 9 on are missing; is almost black'),
    'This picture is cut off (truncated): rows from 3 of 9 on are missing; it is almost black.');
  for (const advice of ['`mien video FILE` reads all', 'POST /v1/video reads all']) {
    const warning = `has bytes out of place; every row was read; is an animated GIF of 1,024 frames, of which the first was read; `
      + advice;
    assert.equal(warningText(warning), 'This picture has bytes out of place; every row was read; it is an animated GIF of 1,024 '
      + 'frames, of which the first was read.');
    assert.ok(isAnimation(warning) && isAnimation(warning.slice(warning.indexOf('is an animated'))));
  }
  assert.equal(warningText('has 3 pages, of which the first was read; all of them: tiffsplit in.tif page-'),
    'This picture has 3 pages, of which the first was read.');
  assert.ok(!isAnimation('is almost black') && !isAnimation(''));
});

/** Bytes: numbers as they are, text by its letters. */
const bytesOf = (...parts) => Uint8Array.from(parts.flatMap((part) => {
  if (typeof part === 'number') return [part];
  return typeof part === 'string' ? [...part].map((letter) => letter.charCodeAt(0)) : [...part];
}));
const placed32 = (value, isLittle) => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, isLittle);
  return new Uint8Array(view.buffer);
};
const placed16 = (value, isLittle) => placed32(value, isLittle).slice(...(isLittle ? [0, 2] : [2, 4]));
/** A TIFF structure with one tag, whose value stands in its field. */
function tiff(value, { type = 3, isLittle = true, length = 1, tag = 274, count = 1 } = {}) {
  const field = type === 1 ? bytesOf(value, 0, 0, 0) : type === 3 ? bytesOf(placed16(value, isLittle), 0, 0) : placed32(value, isLittle);
  return bytesOf(isLittle ? 'II*\0' : 'MM\0*', placed32(8, isLittle), placed16(count, isLittle), placed16(tag, isLittle),
    placed16(type, isLittle), placed32(length, isLittle), field, 0, 0, 0, 0);
}
const segment = (marker, ...parts) => bytesOf(0xff, marker, placed16(bytesOf(...parts).length + 2, false), ...parts);
const jpeg = (...segments) => bytesOf(0xff, 0xd8, ...segments, segment(0xda, 'scan'), 'pixels', 0xff, 0xd9);
const exif = (...parts) => segment(0xe1, 'Exif\0\0', tiff(...parts));
const chunk = (name, ...parts) => bytesOf(placed32(bytesOf(...parts).length, false), name, ...parts, 'sum!');
const png = (...chunks) => bytesOf('\x89PNG\r\n\x1a\n', chunk('IHDR', 'header'), ...chunks, chunk('IEND'));
function webP(...parts) {
  const chunks = [['VP8X', bytesOf(12, 0, 0, 0, 8, 0, 0, 8, 0, 0)], ['VP8 ', bytesOf('odd')], ...parts].map(([name, data]) => (
    bytesOf(name, placed32(data.length, true), data, ...(data.length % 2 ? [0] : []))));
  return bytesOf('RIFF', placed32(bytesOf(...chunks).length + 4, true), 'WEBP', ...chunks);
}
const whole = (parts) => bytesOf(...parts);

test('the orientation of a picture is the one that the server reads', () => {
  for (const isLittle of [true, false]) {
    assert.deepEqual(orientationIn(tiff(6, { isLittle })), { value: 6, isUsual: true });
    assert.deepEqual(orientationIn(tiff(6, { isLittle, type: 4 })), { value: 6, isUsual: false });
    assert.deepEqual(orientationIn(tiff(6, { isLittle, type: 1 })), { value: 6, isUsual: false });
  }
  assert.deepEqual(orientationIn(tiff(9)), { value: null, isUsual: true });
  assert.deepEqual(orientationIn(tiff(6, { type: 2 })), { value: null, isUsual: false });
  assert.deepEqual(orientationIn(tiff(6, { length: 2 })), { value: 6, isUsual: false });
  assert.deepEqual(orientationIn(tiff(6, { length: 900 })), { value: null, isUsual: false });
  assert.deepEqual(orientationIn(tiff(6, { length: 0 })), { value: null, isUsual: false });
  assert.deepEqual(orientationIn(tiff(6, { tag: 271 })), { value: null, isUsual: true });
  // A directory that ends too early is none.
  assert.deepEqual(orientationIn(tiff(6, { count: 3 })), { value: null, isUsual: false });
  for (let length = 0; length < 22; length += 1) {
    assert.deepEqual(orientationIn(tiff(6).slice(0, length)), { value: null, isUsual: false });
  }
  const big = bytesOf('II+\0', 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 18, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    8, 0, 0, 0, 0, 0, 0, 0);
  assert.deepEqual(orientationIn(big), { value: 8, isUsual: false });
});

test('what browsers turn differently is found, and loses its EXIF alone', () => {
  const check = (file, orientation, isUsual, stored = file) => {
    const found = turning(file);
    assert.deepEqual([found.orientation, found.isUsual], [orientation, isUsual]);
    assert.deepEqual(whole(withoutBlocks(file, found)), stored);
  };
  const jfif = segment(0xe0, 'JFIF');
  check(jpeg(jfif), 1, true);
  check(jpeg(jfif, exif(6)), 6, true, jpeg(jfif));
  check(jpeg(exif(6), jfif), 6, true, jpeg(jfif));
  check(jpeg(exif(6, { isLittle: false })), 6, true, jpeg());
  check(jpeg(exif(6, { type: 4 })), 6, false, jpeg());
  check(jpeg(jfif, exif(3, { type: 1 })), 3, false, jpeg(jfif));
  // Of two the first counts.
  check(jpeg(exif(6), exif(1)), 6, false, jpeg());
  check(jpeg(exif(1), exif(6)), 1, false, jpeg());
  check(jpeg(exif(1), exif(1)), 1, true, jpeg());
  check(jpeg(segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0')), 1, true);
  check(jpeg(bytesOf(0xff, 0xff), exif(8, { type: 4 })), 8, false, jpeg(bytesOf(0xff, 0xff)));
  const data = chunk('IDAT', 'pixels');
  check(png(chunk('eXIf', tiff(6)), data), 6, true, png(data));
  check(png(data, chunk('eXIf', tiff(6))), 6, false, png(data));
  check(png(chunk('eXIf', tiff(5, { type: 4 })), data), 5, false, png(data));
  // Of two the last counts.
  check(png(chunk('eXIf', tiff(6)), chunk('eXIf', tiff(3)), data), 3, false, png(data));
  const plain = webP();
  plain[20] = 4;
  check(webP(), 1, true);
  check(webP(['EXIF', tiff(1)]), 1, true, plain);
  check(webP(['EXIF', tiff(6)]), 6, false, plain);
  check(webP(['EXIF', bytesOf('Exif\0\0', tiff(8))]), 8, false, plain);
  check(webP(['EXIF', bytesOf(tiff(3, { type: 4 }), 0)]), 3, false, plain);
  // What comes after the RIFF stays outside it.
  check(bytesOf(webP(['EXIF', tiff(6)]), 'more'), 6, false, bytesOf(plain, 'more'));
  check(bytesOf('GIF89a', tiff(6)), 1, true);
  for (const file of [jpeg(exif(6)), png(chunk('eXIf', tiff(6))), webP(['EXIF', tiff(6)])]) {
    for (let length = 0; length < file.length; length += 1) turning(file.slice(0, length));
  }
});

test('a picture that all browsers turn alike stays the file that it is', async () => {
  for (const bytes of [jpeg(exif(6)), png(), webP(), bytesOf('BM')]) {
    const file = new Blob([bytes]);
    assert.equal(await upright(file), file);
  }
  const stored = await upright(new Blob([jpeg(exif(1), exif(6))]));
  assert.deepEqual(new Uint8Array(await stored.arrayBuffer()), jpeg());
});

test('what may move on the page', () => {
  const moving = webP();
  moving[20] = 2;
  const data = chunk('IDAT', 'pixels');
  for (const file of [bytesOf('GIF89a'), moving, png(chunk('acTL', 'frames'), data), bytesOf(0, 0, 0, 24, 'ftypavis')]) {
    assert.ok(turning(file).moves);
  }
  for (const file of [jpeg(), webP(), png(data), png(data, chunk('acTL', 'late')), bytesOf(0, 0, 0, 24, 'ftypavif'), bytesOf('BM')]) {
    assert.ok(!turning(file).moves);
  }
});

test('of an animated AVIF the still picture is shown, which is the one that the server reads', async () => {
  const sequence = bytesOf(0, 0, 0, 24, 'ftypavis', 0, 0, 0, 0, 'avisavifmif1', 'frames');
  const shown = await upright(new Blob([sequence], { type: 'image/avif' }));
  assert.equal(shown.type, 'image/avif');
  assert.deepEqual(new Uint8Array(await shown.arrayBuffer()), bytesOf(0, 0, 0, 24, 'ftypavif', 0, 0, 0, 0, 'avisavifmif1', 'frames'));
});

test('where pixels go by an orientation (EXIF 2.32, tag 0x0112)', () => {
  const [width, height] = [4, 3];
  // Where the first pixel of the stored picture goes, and the one on its right.
  const corners = {
    1: [[0, 0], [1, 0]], 2: [[3, 0], [2, 0]], 3: [[3, 2], [2, 2]], 4: [[0, 2], [1, 2]], 5: [[0, 0], [0, 1]], 6: [[2, 0], [2, 1]], 7: [[2, 3], [2, 2]],
    8: [[0, 3], [0, 2]],
  };
  for (const [orientation, places] of Object.entries(corners)) {
    const [a, b, c, d, e, f] = transform(Number(orientation), width, height);
    const place = (x, y) => [a * (x + 0.5) + c * (y + 0.5) + e - 0.5, b * (x + 0.5) + d * (y + 0.5) + f - 0.5];
    assert.deepEqual([place(0, 0), place(1, 0)], places);
  }
});
