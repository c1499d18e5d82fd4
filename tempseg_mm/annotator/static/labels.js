// Changes to the labels on the screen: draws them, undoes them, and sends them to the server.

import {emit, job, on, save, state} from './api.js';
import {paint, view} from './viewer.js';

const KEPT_STEPS = 100;
const histories = new Map();  // frame -> {done, undone} of {box, before, after}
const scratch = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
let stroke = null;  // {frame, labels, before} of the unfinished change

export const isBegun = () => stroke !== null;

// Fill with an id what `trace` draws: a path in pixels of the frame, which lies within the box.
export function fill(id, [left, top, right, bottom], trace) {
  const [height, width] = state.size, {labels} = stroke;
  const x0 = Math.max(0, Math.floor(left)), y0 = Math.max(0, Math.floor(top));
  const w = Math.min(width, Math.ceil(right)) - x0, h = Math.min(height, Math.ceil(bottom)) - y0;
  if (w <= 0 || h <= 0) return;
  if (scratch.canvas.width < w || scratch.canvas.height < h) {
    Object.assign(scratch.canvas, {width: Math.max(w, scratch.canvas.width), height: Math.max(h, scratch.canvas.height)});
  }
  scratch.setTransform(1, 0, 0, 1, 0, 0);
  scratch.clearRect(0, 0, w, h);
  scratch.translate(-x0, -y0);
  scratch.beginPath();
  trace(scratch);
  const {data} = scratch.getImageData(0, 0, w, h);
  for (let y = 0, k = 3; y < h; y++) {
    for (let x = 0; x < w; x++, k += 4) if (data[k] > 127) labels[(y0 + y) * width + x0 + x] = id;
  }
  paint([x0, y0, x0 + w, y0 + h]);
}

// Begin a change to the frame on the screen; `commit` or `revert` ends it.
export function begin() { stroke = {frame: view.frame, labels: view.labels, before: view.labels.slice()}; }

// Add the change to the history and send it.
export function commit() {
  const {frame, labels, before} = stroke;
  stroke = null;
  const [height, width] = state.size;
  let left = width, top = -1, right = 0, bottom = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (labels[i] === before[i]) continue;
      if (top < 0) top = y;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      bottom = y + 1;
    }
  }
  if (top < 0) return;
  const box = [left, top, right, bottom];
  const history = histories.get(frame) ?? {done: [], undone: []};
  histories.set(frame, history);
  history.done.push({box, before: cut(before, box), after: cut(labels, box)});
  if (history.done.length > KEPT_STEPS) history.done.shift();
  history.undone = [];
  send(frame, labels);
}

function send(frame, labels) {
  view.edits++;
  save(frame, labels);
  emit('edited', frame);
}

function cut(labels, [left, top, right, bottom]) {
  const width = state.size[1], part = new Uint8Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++) part.set(labels.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  return part;
}

// Undo ('done', 'undone') or redo ('undone', 'done').
export function step(from, to) {
  const history = histories.get(view.frame), entry = !job && history?.[from].pop();
  if (!entry) return;
  history[to].push(entry);
  const [left, top, right, bottom] = entry.box, part = from === 'done' ? entry.before : entry.after;
  for (let y = top; y < bottom; y++) {
    view.labels.set(part.subarray((y - top) * (right - left), (y - top + 1) * (right - left)), y * state.size[1] + left);
  }
  paint(entry.box);
  send(view.frame, view.labels);
}

// Return how many changes to the frame on the screen can be undone and redone.
export function steps() {
  const {done, undone} = histories.get(view.frame) ?? {done: [], undone: []};
  return {done: done.length, undone: undone.length};
}

export function revert() {
  if (stroke && view.labels === stroke.labels) {
    stroke.labels.set(stroke.before);
    paint();
  }
  stroke = null;
}

on('ended', event => { if (event.kind !== 'export') histories.clear(); });
on('changed refused', frame => { if (frame === null) histories.clear(); else histories.delete(frame); });
