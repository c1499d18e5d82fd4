// The tools of the pointer: brush, eraser, polygon; and box and clicks, from which the server makes a mask.

import {SILENCE, byId, colorOf, connected, emit, fromPng, job, on, request, state, toPng} from './api.js';
import {begin, commit, fill, isBegun, revert, step} from './labels.js';
import {current, draw, handle, paint, view} from './viewer.js';

export const tool = {name: 'brush', size: 20, object: 0, inside: true};
const HINTS = {
  brush: 'Draw the object.', eraser: 'Erase any object.',
  polygon: 'Click around the object. Click the first corner to close the polygon.',
  box: 'Drag a box around the object.', clicks: 'Click on the object, and on places that are wrongly marked.',
};
const AIDED = ['box', 'clicks'];  // tools that need the server
const NEAR = 12;  // CSS pixels
let drag = null;     // {from, last} of brush, eraser or box
let corners = [];    // of the unfinished polygon
let round = null;    // {frame, object, base, box, clicks, asked} of the request to the server
let hovered = null;

export function choose(name) {
  if (!(AIDED.includes(tool.name) && AIDED.includes(name))) drop();  // clicks may correct the result of a box
  tool.name = name;
  for (const button of document.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === name));
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

// Discard what is unfinished and not in the labels.
export function drop() {
  corners = [];
  round = null;
  cancel();
  draw();
}

function mayDraw() {
  const told = !connected ? SILENCE
    : job?.kind === 'export' ? 'Files are being written. Wait until they are finished, or stop the export.'
    : job ? 'Press Stop first. Finished frames are kept, and you can continue from here.'
    : view.frame !== current() ? 'The frame is still loading.'
    : !state.objects.some(object => object.id === tool.object) ? 'Add an object first.' : null;
  if (told) emit('trouble', told);
  else if (view.hidden) byId('hide').click();
  return told === null;
}

function brush(from, to, id) {
  const reach = tool.size / 2 + 1;
  fill(id, [Math.min(from.x, to.x) - reach, Math.min(from.y, to.y) - reach,
    Math.max(from.x, to.x) + reach, Math.max(from.y, to.y) + reach], path => {
    Object.assign(path, {lineWidth: tool.size, lineCap: 'round', lineJoin: 'round'});
    path.moveTo(from.x, from.y);
    path.lineTo(to.x, to.y + 1e-3);  // a line of no length is not drawn
    path.stroke();
  });
}

export function closePolygon() {
  if (corners.length > 2 && mayDraw()) {
    begin();
    const xs = corners.map(corner => corner.x), ys = corners.map(corner => corner.y);
    fill(tool.object, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], path => {
      corners.forEach(corner => path.lineTo(corner.x, corner.y));
      path.fill();
    });
    commit();
  }
  corners = [];
  draw();
}

// Ask the server for the mask of the object, from the box and all clicks of this round. Pixels of other objects do not change.
async function select() {
  const mine = round, {frame, object, base, box, clicks} = mine, asked = ++mine.asked;
  const labels = !box && base.includes(object) ? (await readAsUrl(await toPng(base))).split(',')[1] : null;
  byId('stage').classList.add('busy');
  try {
    const answer = await request('select', {method: 'POST', json: {frame, object, box, clicks, labels}});
    const found = await fromPng(await answer.blob());
    if (round !== mine || mine.asked !== asked || view.frame !== frame) return;
    begin();
    for (let i = 0; i < base.length; i++) {
      view.labels[i] = base[i] && base[i] !== object ? base[i] : found[i] > 127 ? object : 0;
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

function newRound() {
  return {frame: view.frame, object: tool.object, base: view.labels.slice(), box: null, clicks: [], asked: 0};
}

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
    if (tool.name !== 'box') begin();
    round = null;
    drag = {from: point, last: point};
    move(point);
    return true;
  }
  return false;
}

function move(point) {
  if (tool.name !== 'box') brush(drag.last, point, tool.name === 'eraser' || point.other ? 0 : tool.object);
  drag.last = point;
  draw();
}

function up() {
  const {from, last} = drag;
  drag = null;
  if (isBegun()) return commit();
  const a = whole(from), b = whole(last);
  const box = [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x) + 1, Math.abs(a.y - b.y) + 1];
  if (Math.min(box[2], box[3]) >= 3) {
    round = {...newRound(), box};
    select();
  }
  draw();
}

function cancel() {
  revert();
  drag = null;
}

// Undo the last corner of a polygon, or the last change.
export function undo() {
  if (corners.length) corners.pop();
  else step('done', 'undone');
  round = null;
  draw();
}

export function redo() {
  step('undone', 'done');
  round = null;
  draw();
}

function decorate(context, place, scale) {
  const line = (points, close) => {
    context.beginPath();
    points.map(place).forEach(([x, y]) => context.lineTo(x, y));
    if (close) context.closePath();
    for (const [strokeStyle, lineWidth] of [['rgb(0 0 0 / .6)', 4], [ink, 2]]) {
      Object.assign(context, {strokeStyle, lineWidth});
      context.stroke();
    }
  };
  const dot = (point, radius, fillStyle, sign = '') => {
    const [x, y] = place(point);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(context, {fillStyle, strokeStyle: 'white', lineWidth: 1.5});
    Object.assign(context, {font: '700 13px system-ui', textAlign: 'center', textBaseline: 'middle'});
    context.fill();
    context.stroke();
    context.fillStyle = 'white';
    context.fillText(sign, x, y + 0.5);
  };
  const ink = `rgb(${colorOf(tool.object).join(' ')})`;
  const frameOf = ([x, y, w, h]) => [{x, y}, {x: x + w, y}, {x: x + w, y: y + h}, {x, y: y + h}];
  if (drag && tool.name === 'box') {
    const {from, last} = drag;
    line(frameOf([from.x, from.y, last.x - from.x, last.y - from.y]), true);
  } else if (round?.frame === view.frame) {
    if (round.box) line(frameOf(round.box), true);
    for (const {x, y, inside} of round.clicks) {
      dot({x: x + 0.5, y: y + 0.5}, 8, inside ? '#1a7f37' : '#c62828', inside ? '+' : '−');
    }
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
on('moved', frame => {
  if (frame === view.frame) return;
  if (isBegun()) commit();
  drop();
});
