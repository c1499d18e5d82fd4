// The time line: small pictures, the confidence of each object, frames that are given, done, lost or empty, and the position.

import {byId, colorOf, frames, nameOf, on, state} from './api.js';
import {current, show} from './viewer.js';

const canvas = byId('timeline'), context = canvas.getContext('2d');
const SHOWN_CURVE = 52, BAR = 7, NUMBERS = 17;
const KINDS = {lost: 'red: probably lost', empty: 'grey: not seen'};
const thumbs = new Map();  // frame -> image
let hovered = null, drawing = 0;

const draw = () => { drawing ||= requestAnimationFrame(drawNow); };
const look = name => getComputedStyle(canvas).getPropertyValue(`--${name}`).trim();
const edge = frame => Math.round(canvas.clientWidth * (frame - frames().first) / state.num_frames);
const centre = frame => canvas.clientWidth * (frame + 0.5 - frames().first) / state.num_frames;

const records = () => Object.values(state.records).sort((a, b) => a.frame_id - b.frame_id);

// Return [kind, first, end] of each run of frames in which an object was probably lost, or is not seen.
function stretches(id, all) {
  const found = [];
  for (const {frame_id: frame, areas} of all) {
    const lost = state.lost?.some(span => span.object === id && span.first <= frame && frame <= span.last);
    const kind = lost ? 'lost' : areas[id] === 0 ? 'empty' : null, before = found.at(-1);
    if (kind && before?.[0] === kind && before[2] === frame) before[2]++;
    else if (kind) found.push([kind, frame, frame + 1]);
  }
  return found;
}

function thumb(frame) {
  if (!thumbs.has(frame)) {
    const image = new Image();
    image.onload = draw;
    image.onerror = () => thumbs.delete(frame);
    image.src = `api/frames/${frame}.jpg`;
    thumbs.set(frame, image);
  }
  const image = thumbs.get(frame);
  return image.complete && image.naturalWidth ? image : null;
}

function drawThumbs(height) {
  const {first} = frames(), width = canvas.clientWidth, each = height * state.size[1] / state.size[0];
  const count = Math.max(1, Math.min(state.num_frames, Math.round(width / each))), step = width / count;
  for (let k = 0; k < count; k++) {
    const image = thumb(first + Math.floor((k + 0.5) * state.num_frames / count));
    if (!image) continue;
    const share = Math.min(1, step / each), cut = image.naturalWidth * share;
    context.drawImage(image, (image.naturalWidth - cut) / 2, 0, cut, image.naturalHeight, k * step, 0, step + 0.5, height);
  }
}

function drawCurves(top) {
  const width = canvas.clientWidth, all = records();
  const values = all.flatMap(record => Object.values(record.confidences)).filter(value => typeof value === 'number');
  const low = Math.floor(10 * Math.min(0.9, ...values)) / 10, y = value => top + 5 + (SHOWN_CURVE - 10) * (1 - value) / (1 - low);
  const high = SHOWN_CURVE / state.objects.length, kinds = new Set();
  for (const [k, {id}] of state.objects.entries()) {
    for (const [kind, first, end] of stretches(id, all)) {
      kinds.add(kind);
      context.fillStyle = kind === 'lost' ? 'rgb(225 50 50 / .32)' : 'rgb(130 130 130 / .32)';
      context.fillRect(edge(first), top + k * high, edge(end) - edge(first), high);
    }
  }
  for (const {id} of state.objects) {
    context.beginPath();
    let before = null;
    for (const record of all) {
      const value = record.confidences[id];
      if (typeof value !== 'number') continue;
      const joined = before === record.frame_id - 1;
      before = record.frame_id;
      if (!joined) context.moveTo(centre(before) - 1.5, y(value));
      context.lineTo(centre(before), y(value));
    }
    Object.assign(context, {strokeStyle: `rgb(${colorOf(id).join(' ')})`, lineWidth: 2, lineJoin: 'round'});
    context.stroke();
  }
  context.fillStyle = look('muted');
  context.textAlign = 'left';
  for (const value of values.length ? [1, low] : []) {
    context.fillRect(0, y(value), width, 0.3);
    const legend = Object.entries(KINDS).filter(([kind]) => kinds.has(kind)).map(([, words]) => words);
    const words = value < 1 ? [`${value.toFixed(1)} confidence`, ...legend] : ['1.0'];
    Object.assign(context, {strokeStyle: look('card'), lineWidth: 3, lineJoin: 'round'});
    for (const write of ['strokeText', 'fillText']) context[write](words.join(' · '), 4, y(value) + (value === 1 ? 11 : -4));
  }
  if (!all.length) {
    context.textAlign = 'center';
    context.fillText('This curve will show how sure the network is in each frame', width / 2, top + SHOWN_CURVE / 2 + 4);
  }
}

function drawBar(top) {
  const {first} = frames();
  context.fillStyle = look('line');
  context.fillRect(0, top, canvas.clientWidth, BAR);
  context.fillStyle = look('accent');
  for (const {frame_id: frame} of records()) context.fillRect(edge(frame), top, edge(frame + 1) - edge(frame), BAR);
  if (state.ready_frames < state.num_frames) {
    context.fillStyle = look('muted');
    context.fillRect(0, top + BAR - 2, edge(first + state.ready_frames), 2);
  }
  for (const frame of Object.keys(state.given).map(Number)) {
    const x = centre(frame);
    context.beginPath();
    for (const [dx, dy] of [[0, -7], [6, 1], [0, 9], [-6, 1]]) context.lineTo(x + dx, top + 2 + dy);
    context.closePath();
    Object.assign(context, {fillStyle: look('text'), strokeStyle: look('card'), lineWidth: 1.5});
    context.fill();
    context.stroke();
  }
}

function drawNumbers(top) {
  const {first, last} = frames(), rough = 70 * state.num_frames / canvas.clientWidth;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map(k => k * power).find(size => size >= rough));
  context.fillStyle = look('muted');
  context.textAlign = 'center';
  for (let frame = Math.ceil(first / step) * step; frame <= last; frame += step) {
    const x = centre(frame), half = context.measureText(frame).width / 2;
    context.fillText(frame, Math.min(canvas.clientWidth - half, Math.max(half, x)), top + 12);
  }
}

function drawNow() {
  drawing = 0;
  if (!state.objects || !canvas.clientWidth) return;
  const ratio = devicePixelRatio, {clientWidth: width, clientHeight: height} = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    Object.assign(canvas, {width: Math.round(width * ratio), height: Math.round(height * ratio)});
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = '11px system-ui, sans-serif';
  const picture = height - SHOWN_CURVE - BAR - NUMBERS - 6;
  drawThumbs(picture);
  drawCurves(picture + 2);
  drawBar(picture + SHOWN_CURVE + 4);
  drawNumbers(height - NUMBERS + 2);
  for (const [frame, style] of [[hovered, look('muted')], [current(), look('text')]]) {
    if (frame === null) continue;
    context.fillStyle = look('card');
    context.fillRect(centre(frame) - 2, 0, 4, height - NUMBERS);
    context.fillStyle = style;
    context.fillRect(centre(frame) - 1, 0, 2, height - NUMBERS);
  }
}

function tell() {
  const frame = current(), {first, last} = frames();
  const found = Object.entries(state.records[frame]?.confidences ?? {})
    .map(([id, value]) => `${nameOf(Number(id))} ${value?.toFixed(2) ?? 'not seen'}`);
  canvas.setAttribute('aria-valuemin', first);
  canvas.setAttribute('aria-valuemax', last);
  canvas.setAttribute('aria-valuenow', frame);
  const words = [`frame ${frame}`, ...frame in state.given ? ['given'] : [], ...found];
  canvas.setAttribute('aria-valuetext', words.join(', '));
  byId('position').textContent = `${frame} / ${last}`;
  draw();
}

function frameAt(event) {
  const share = (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
  return Math.min(frames().last, Math.max(frames().first, frames().first + Math.floor(share * state.num_frames)));
}

// Start the time line. `onPick` is called before it shows a frame that a person picks.
export function startTimeline(onPick) {
  const pick = event => { onPick(); show(frameAt(event)); };
  canvas.addEventListener('pointerdown', event => { canvas.setPointerCapture(event.pointerId); pick(event); });
  canvas.addEventListener('pointermove', event => {
    hovered = frameAt(event);
    canvas.title = `frame ${hovered}`;
    if (event.buttons) pick(event);
    draw();
  });
  canvas.addEventListener('pointerup', () => canvas.blur());
  canvas.addEventListener('pointerleave', () => { hovered = null; draw(); });
  new ResizeObserver(draw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  on('moved state shown frame', tell);
  on('loading', draw);
}
