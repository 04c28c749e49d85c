// Tests the page's modules that need no browser: `node --test`, beside a copy of Sources/CMienPage/page.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, pause, reading, retryAfter } from './page/api.js';
import { faceAt, labelPlace, placed } from './page/draw.js';
import { best, clock, percent, words } from './page/emotions.js';
import { photosCSV, stem, videoCSV, videoJSON } from './page/export.js';
import { FramePump } from './page/pump.js';
import { Record } from './page/record.js';
import { Session } from './page/session.js';
import { spread, ticks } from './page/timeline.js';

const scores = { anger: 0.1, happiness: 0.6, neutral: 0.3 };
const face = (track, x = 10) => ({
  track, box: { x, y: 20, width: 40, height: 40 }, emotion: 'happiness', best: 'happiness', probability: 0.6, scores,
  raw: { anger: 0, happiness: 0.9, neutral: 0.1 },
});
const row = (seconds, ...faces) => ({ frame: Math.round(seconds * 10), seconds, width: 100, height: 100, faces });

test('numbers in words', () => {
  assert.equal(percent(0.996), '100%');
  assert.equal(percent(-1), '0%');
  assert.equal(clock(59.96), '1:00.0');
  assert.equal(clock(67.5), '1:07.5');
  assert.deepEqual(best(scores), { emotion: 'happiness', probability: 0.6 });
  assert.equal(words({ ...face(1), emotion: null }), 'unsure (happiness 60%)');
  assert.equal(stem('a.b.jpg'), 'a.b');
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
  assert.equal(pause(new ApiError(0, ''), 10), 15);
});

test('boxes and labels', () => {
  const box = { x: 10, y: 20, width: 40, height: 40 };
  assert.deepEqual(placed(box, 2, null), { x: 20, y: 40, width: 80, height: 80 });
  assert.deepEqual(placed(box, 2, 200), { x: 100, y: 40, width: 80, height: 80 });
  const area = { width: 200, height: 200 };
  const size = { width: 90, height: 15 };
  const above = labelPlace(box, size, area, []);
  assert.deepEqual(above, { x: 10, y: 2, width: 90, height: 15 });
  assert.equal(labelPlace(box, size, area, [above]).y, 63);
  assert.equal(labelPlace({ ...box, x: 180 }, size, area, []).x, 110);
  const inner = { ...face(2, 20), box: { x: 20, y: 30, width: 10, height: 10 } };
  assert.equal(faceAt([face(1), inner], 25, 35)?.track, 2);
  assert.equal(faceAt([face(1), inner], 5, 5), null);
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

test('files', () => {
  const [header, first, none, failed] = photosCSV([
    { file: 'a,"b.jpg', error: null, faces: [{ ...face(1), confident: false }] },
    { file: 'none.jpg', error: null, faces: [] },
    { file: 'bad.jpg', error: 'cut short', faces: [] },
  ]).split('\r\n');
  assert.equal(header.split(',').length, 18);
  assert.match(first, /^"a,""b.jpg",1,10,20,40,40,happiness,0.6,false,0.1,,,,0.6,0.3,,,$/);
  assert.equal(none, `none.jpg${','.repeat(17)}`);
  assert.equal(failed, `bad.jpg${','.repeat(17)}cut short`);
  const lines = videoJSON([row(0.5, face(3)), row(1)]).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].track, lines[0].scores.happiness, lines[0].smoothed.happiness], [3, 0.9, 0.6]);
  assert.deepEqual([lines[1].seconds, lines[1].track, lines[1].smoothed], [1, null, null]);
  assert.equal(videoCSV([row(1)]).split('\r\n')[1], `10,1${','.repeat(15)}`);
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
      if (!path.startsWith(known)) throw new ApiError(404, 'gone');
      return structuredClone(answer);
    },
  };
  const session = new Session(server);
  const track = async () => (await session.read(new Blob([]), 0)).faces[0].track;
  assert.equal(await track(), 2);
  known = 'a new server';
  // Two frames are under way: one new session is opened for both.
  assert.deepEqual(await Promise.all([track(), track()]), [4, 4]);
  assert.equal(opened, 2);
  known = 'never';
  await assert.rejects(track(), (error) => error.status === 503 && error.isBusy);
  session.close();
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

test('what cannot be mended ends it', async () => {
  const { pump, doors, log, settle } = pumpWithDoor();
  pump.offer(() => 1);
  await settle();
  doors[0].reject(new ApiError(415, 'not a picture'));
  await settle();
  assert.deepEqual(log.failure, ['not a picture']);
  assert.equal(pump.offer(() => 2), false);
});

test('readings a second', async () => {
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
