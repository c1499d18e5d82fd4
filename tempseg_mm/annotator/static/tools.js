// What a pointer does to the labels of the frame: brush, eraser, polygon, and box and clicks that the server works out. Undo.

import {byId, colorOf, emit, fromPng, on, request, save, segmenting, state, toPng} from './api.js';
import {draw, handle, paint, view} from './viewer.js';

export const tool = {name: 'brush', size: 20, object: 0, inside: true};
const HINTS = {
  brush: 'Draw the object.', eraser: 'Rub out, whatever object it is.', polygon: 'Click around the object; click the first corner to close.',
  box: 'Drag a box around the object.', clicks: 'Click on the object, and on what is wrongly taken for it.',
};
const KEPT_STEPS = 100, NEAR = 12;
const histories = new Map();  // frame -> {done, undone} of {box, before, after}
const scratch = document.createElement('canvas').getContext('2d', {willReadFrequently: true});

let stroke = null;   // {frame, labels, before, last, from} of what is being drawn
let corners = [];    // of the polygon begun
let round = null;    // {frame, object, base, box, clicks, asked} of what the server is asked
let hovered = null;

export function choose(name) {
  drop();
  tool.name = name;
  for (const button of document.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-checked', String(button.dataset.tool === name));
    button.tabIndex = button.dataset.tool === name ? 0 : -1;
  }
  for (const part of document.querySelectorAll('[data-for]')) part.hidden = !part.dataset.for.split(' ').includes(name);
  byId('canvas').classList.toggle('cross', ['polygon', 'box', 'clicks'].includes(name));
  byId('hint').textContent = HINTS[name];
  draw();
}

export function resize(size) {
  tool.size = Math.min(200, Math.max(1, Math.round(size)));
  byId('size').value = tool.size;
  byId('size-value').textContent = `${tool.size} px`;
  draw();
}

export function say(inside) {
  tool.inside = inside;
  byId('inside').setAttribute('aria-pressed', String(inside));
  byId('outside').setAttribute('aria-pressed', String(!inside));
}

export function pick(id) {
  if (id !== tool.object) drop();
  tool.object = id;
  emit('picked', id);
}

// Forget what is begun and not in the labels.
export function drop() {
  corners = [];
  round = null;
  cancel();
  draw();
}

function mayDraw() {
  const told = segmenting() ? 'Press Stop first: what is done stays, and you can go on from here.'
    : !view.labels ? 'The frame is not there yet.'
      : !state.objects.some(object => object.id === tool.object) ? 'Add an object first.' : null;
  if (told) emit('trouble', told);
  return told === null;
}

// Fill what `trace` draws, a path in pixels of the frame that lies within the box, with an id.
function fill(labels, id, [left, top, right, bottom], trace) {
  const [height, width] = state.size;
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

function brush(from, to, id) {
  const reach = tool.size / 2 + 1;
  fill(stroke.labels, id, [Math.min(from.x, to.x) - reach, Math.min(from.y, to.y) - reach,
    Math.max(from.x, to.x) + reach, Math.max(from.y, to.y) + reach], path => {
    Object.assign(path, {lineWidth: tool.size, lineCap: 'round', lineJoin: 'round'});
    path.moveTo(from.x, from.y);
    path.lineTo(to.x, to.y + 1e-3);  // a line of no length is not drawn
    path.stroke();
  });
}

function begin() { stroke = {frame: view.frame, labels: view.labels, before: view.labels.slice()}; }

// Take the change into the history and send it.
function commit() {
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

export function step(from, to) {
  if (corners.length && from === 'done') { corners.pop(); draw(); return; }
  const history = histories.get(view.frame), entry = !segmenting() && history?.[from].pop();
  if (!entry) return;
  history[to].push(entry);
  round = null;
  const [left, top, right, bottom] = entry.box, part = from === 'done' ? entry.before : entry.after;
  for (let y = top; y < bottom; y++) {
    view.labels.set(part.subarray((y - top) * (right - left), (y - top + 1) * (right - left)), y * state.size[1] + left);
  }
  paint(entry.box);
  send(view.frame, view.labels);
}

export const steps = () => ({done: 0, undone: 0, ...Object.fromEntries(
  Object.entries(histories.get(view.frame) ?? {}).map(([name, entries]) => [name, entries.length]))});

export function closePolygon() {
  if (corners.length > 2 && mayDraw()) {
    begin();
    const xs = corners.map(corner => corner.x), ys = corners.map(corner => corner.y);
    fill(stroke.labels, tool.object, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], path => {
      corners.forEach(corner => path.lineTo(corner.x, corner.y));
      path.fill();
    });
    commit();
  }
  corners = [];
  draw();
}

// Ask the server for the object by the box and all clicks of this round. Pixels of other objects stay theirs.
async function select() {
  const mine = round, {frame, object, base, box, clicks} = mine, asked = ++mine.asked;
  const labels = !box && base.includes(object) ? (await readAsUrl(await toPng(base))).split(',')[1] : null;
  byId('stage').classList.add('busy');
  try {
    const found = await fromPng(await (await request('select', {method: 'POST', json: {frame, object, box, clicks, labels}})).blob());
    if (round !== mine || mine.asked !== asked || view.frame !== frame) return;
    begin();
    for (let i = 0; i < base.length; i++) {
      stroke.labels[i] = base[i] && base[i] !== object ? base[i] : found[i] > 127 ? object : 0;
    }
    paint();
    commit();
  } catch (error) {
    if (error.status === undefined) throw error;
  } finally {
    byId('stage').classList.remove('busy');
  }
}

function readAsUrl(blob) {
  return new Promise(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}

function newRound() { return {frame: view.frame, object: tool.object, base: view.labels.slice(), box: null, clicks: [], asked: 0}; }

const whole = point => {
  const [height, width] = state.size;
  return {x: Math.min(width - 1, Math.max(0, Math.floor(point.x))), y: Math.min(height - 1, Math.max(0, Math.floor(point.y)))};
};

function click(point) {
  if (!round || round.frame !== view.frame) round = newRound();
  round.clicks.push({...whole(point), inside: tool.inside !== point.other});
  select();
  draw();
}

function corner(point) {
  const [start] = corners;
  if (start && Math.hypot(point.x - start.x, point.y - start.y) * view.scale < NEAR && corners.length > 2) closePolygon();
  else corners.push({x: point.x, y: point.y});
  draw();
}

function down(point) {
  if (!mayDraw()) return false;
  if (tool.name === 'polygon') corner(point);
  else if (tool.name === 'clicks') click(point);
  else {
    begin();
    round = null;
    Object.assign(stroke, {from: point, last: point});
    move(point);
    return true;
  }
  return false;
}

function move(point) {
  if (tool.name !== 'box') brush(stroke.last, point, tool.name === 'eraser' || point.other ? 0 : tool.object);
  stroke.last = point;
  draw();
}

function up() {
  if (tool.name !== 'box') return commit();
  const a = whole(stroke.from), b = whole(stroke.last);
  stroke = null;
  const box = [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x) + 1, Math.abs(a.y - b.y) + 1];
  if (Math.min(box[2], box[3]) < 3) return draw();
  round = {...newRound(), box};
  select();
  draw();
}

function cancel() {
  if (stroke && view.labels === stroke.labels) {
    stroke.labels.set(stroke.before);
    paint();
  }
  stroke = null;
}

function decorate(context, place, scale) {
  const line = (points, close) => {
    context.beginPath();
    points.map(place).forEach(([x, y]) => context.lineTo(x, y));
    if (close) context.closePath();
    for (const [style, lineWidth] of [['rgb(0 0 0 / .6)', 4], [ink, 2]]) { Object.assign(context, {strokeStyle: style, lineWidth}); context.stroke(); }
  };
  const dot = (point, radius, fillStyle, sign = '') => {
    const [x, y] = place(point);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(context, {fillStyle, strokeStyle: 'white', lineWidth: 1.5, font: '700 13px system-ui', textAlign: 'center', textBaseline: 'middle'});
    context.fill();
    context.stroke();
    context.fillStyle = 'white';
    context.fillText(sign, x, y + 0.5);
  };
  const ink = `rgb(${colorOf(tool.object).join(' ')})`;
  const frameOf = ([x, y, w, h]) => [{x, y}, {x: x + w, y}, {x: x + w, y: y + h}, {x, y: y + h}];
  if (stroke && tool.name === 'box') {
    const {from, last} = stroke;
    line(frameOf([from.x, from.y, last.x - from.x, last.y - from.y]), true);
  } else if (round?.frame === view.frame) {
    if (round.box) line(frameOf(round.box), true);
    for (const {x, y, inside} of round.clicks) dot({x: x + 0.5, y: y + 0.5}, 8, inside ? '#1a7f37' : '#c62828', inside ? '+' : '−');
  }
  if (corners.length) {
    line(hovered ? [...corners, hovered] : corners, false);
    corners.forEach((point, k) => dot(point, k ? 4 : 6, ink));
  }
  if (hovered && (tool.name === 'brush' || tool.name === 'eraser')) {
    const [x, y] = place(hovered);
    for (const [strokeStyle, lineWidth] of [['rgb(0 0 0 / .7)', 3], ['white', 1.3]]) {
      context.beginPath();
      context.arc(x, y, Math.max(1, tool.size / 2 * scale), 0, 2 * Math.PI);
      Object.assign(context, {strokeStyle, lineWidth});
      context.stroke();
    }
  }
}

handle({down, move, up, cancel, decorate, close: closePolygon, hover(point) { hovered = point; draw(); }});
on('moved', frame => { if (frame !== view.frame) { corners = []; round = null; if (stroke) tool.name === 'box' ? cancel() : commit(); } });
on('ended', event => { if (event.kind !== 'export') histories.clear(); });
on('changed', frame => { frame === null ? histories.clear() : histories.delete(frame); });
