// The frame with its masks on a canvas: chooses what is shown, pans and zooms, and turns pointer events into strokes.

import {byId, colorOf, emit, frames, readMask, saved, state} from './api.js';

const canvas = byId('canvas'), context = canvas.getContext('2d');
const mask = document.createElement('canvas'), maskContext = mask.getContext('2d');
const KEPT_PICTURES = 32;
const pictures = new Map();  // address -> promise of an image, the most recently used last

// frame: number of the frame on the screen; labels: its ids, row by row; (x, y): place of its corner in CSS pixels.
export const view = {frame: null, labels: null, picture: null, scale: 1, x: 0, y: 0, opacity: 0.45, hidden: false, edits: 0};
let wanted = null, work = null, fresh = false, fitted = true;
let handlers = {};

export function handle(given) { handlers = given; }

export const current = () => wanted ?? view.frame ?? frames().first;

function picture(address) {
  const found = pictures.get(address) ?? (async () => {
    const image = new Image();
    image.src = address;
    await image.decode();
    return image;
  })();
  pictures.delete(address);
  pictures.set(address, found);
  found.catch(() => pictures.delete(address));
  if (pictures.size > KEPT_PICTURES) pictures.delete(pictures.keys().next().value);
  return found;
}

// Show a frame. While one loads, the last request wins. The promise resolves when that frame is on the screen.
export function show(frame) {
  const {first, last} = frames();
  wanted = Math.min(last, Math.max(first, frame));
  fresh = false;
  emit('moved', wanted);
  work ??= load().finally(() => { work = null; });
  return work;
}

async function load() {
  while (!fresh) {
    const frame = wanted, edits = view.edits;
    fresh = true;
    try {
      await saved();
      const [image, labels] = await Promise.all([picture(`api/frames/${frame}.jpg`), readMask(frame)]);
      if (view.frame === frame && view.edits !== edits) { fresh = false; continue; }  // drawn on meanwhile
      Object.assign(view, {frame, labels, picture: image});
    } catch {
      emit('trouble', `Frame ${frame} could not be read.`);
      continue;
    }
    paint();
    canvas.setAttribute('aria-label', `Frame ${frame} with its masks`);
    emit('shown', frame);
    sharpen();
    for (const near of [frame + 1, frame - 1]) {
      if (near >= frames().first && near <= frames().last) picture(`api/frames/${near}.jpg`).catch(() => {});
    }
  }
}

// Fetch the frame in full size once it is shown larger than its small copy.
async function sharpen() {
  const {frame, picture: shown, scale} = view, width = state.size[1];
  if (!shown || shown.naturalWidth >= width || scale * devicePixelRatio * width < 1.2 * shown.naturalWidth) return;
  const full = await picture(`api/frames/${frame}.jpg?full=1`).catch(() => shown);
  if (view.frame === frame) { view.picture = full; draw(); }
}

// Draw the labels again, all of them or those in [left, top, right, bottom]: a tint inside, an opaque line in the colour of
// the object at the border, a dark line around it.
export function paint(box = null) {
  const [height, width] = state.size, {labels} = view;
  if (!labels) return;
  const [left, top, right, bottom] = box ?? [0, 0, width, height];
  const x0 = Math.max(0, left - 1), y0 = Math.max(0, top - 1), x1 = Math.min(width, right + 1), y1 = Math.min(height, bottom + 1);
  if (x1 <= x0 || y1 <= y0) return;
  if (mask.width !== width || mask.height !== height) Object.assign(mask, {width, height});
  const tints = new Uint32Array(256), lines = new Uint32Array(256);
  for (let id = 1; id < 256; id++) {
    const [red, green, blue] = colorOf(id), color = red | green << 8 | blue << 16;
    tints[id] = color | Math.round(255 * view.opacity) << 24;
    lines[id] = color | 255 << 24;
  }
  const image = maskContext.createImageData(x1 - x0, y1 - y0), pixels = new Uint32Array(image.data.buffer);
  for (let y = y0, k = 0; y < y1; y++) {
    for (let x = x0; x < x1; x++, k++) {
      const i = y * width + x, id = labels[i];
      const before = x ? labels[i - 1] : id, after = x < width - 1 ? labels[i + 1] : id;
      const above = y ? labels[i - width] : id, below = y < height - 1 ? labels[i + width] : id;
      if (id) pixels[k] = before === id && after === id && above === id && below === id ? tints[id] : lines[id];
      else if (before || after || above || below) pixels[k] = 0x8c000000;
    }
  }
  maskContext.putImageData(image, x0, y0);
  draw();
}

let drawing = 0;
export function draw() { drawing ||= requestAnimationFrame(drawNow); }

function drawNow() {
  drawing = 0;
  if (!view.picture) return;
  const ratio = devicePixelRatio, [height, width] = state.size, {scale, x, y} = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  context.setTransform(scale * ratio, 0, 0, scale * ratio, x * ratio, y * ratio);
  context.imageSmoothingEnabled = scale <= 4;
  context.imageSmoothingQuality = 'high';
  context.drawImage(view.picture, 0, 0, width, height);
  if (!view.hidden) context.drawImage(mask, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  handlers.decorate?.(context, point => [point.x * scale + x, point.y * scale + y], scale);
}

export function fit() {
  const [height, width] = state.size;
  view.scale = Math.min(canvas.clientWidth / width, canvas.clientHeight / height);
  view.x = (canvas.clientWidth - width * view.scale) / 2;
  view.y = (canvas.clientHeight - height * view.scale) / 2;
  fitted = true;
  draw();
}

export function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const least = 0.5 * Math.min(canvas.clientWidth / state.size[1], canvas.clientHeight / state.size[0]);
  const scale = Math.min(40, Math.max(least, view.scale * factor));
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  fitted = false;
  sharpen();
  draw();
}

function pan(dx, dy) {
  view.x += dx;
  view.y += dy;
  fitted = false;
  draw();
}

new ResizeObserver(() => {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  if (!state.size) return;
  if (fitted) fit();
  drawNow();
}).observe(canvas);

const touches = new Map();  // fingers, mouse or pen that are down
let panning = null, stroking = false, held = false, heldMoved = false;

// Set whether space is held down; a drag then moves the picture. Return true if a drag moved it since space was pressed.
export function hold(down) {
  const moved = heldMoved;
  held = down;
  if (down) heldMoved = false;
  canvas.classList.toggle('move', down);
  return moved;
}

export const isHeld = () => held;

function placeOf(event) {
  const edge = canvas.getBoundingClientRect();
  return {x: event.clientX - edge.left, y: event.clientY - edge.top};
}

function pointOf(event) {
  const {x, y} = placeOf(event);
  return {x: (x - view.x) / view.scale, y: (y - view.y) / view.scale, other: event.altKey || (event.buttons & 2) !== 0, event};
}

function middle() {
  const [a, b] = touches.values();
  return {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y)};
}

canvas.addEventListener('pointerdown', event => {
  canvas.setPointerCapture(event.pointerId);
  touches.set(event.pointerId, placeOf(event));
  if (touches.size === 2) {
    if (stroking) handlers.cancel?.();
    stroking = false;
    panning = middle();
  } else if (touches.size === 1) {
    if (event.button === 1 || held) panning = {...placeOf(event)};
    else stroking = handlers.down?.(pointOf(event)) ?? false;
  }
  event.preventDefault();
});

canvas.addEventListener('pointermove', event => {
  if (touches.has(event.pointerId)) touches.set(event.pointerId, placeOf(event));
  if (panning) {
    const now = touches.size === 2 ? middle() : placeOf(event);
    pan(now.x - panning.x, now.y - panning.y);
    if (now.apart && panning.apart) zoom(now.apart / panning.apart, now.x, now.y);
    panning = now;
    heldMoved ||= held;
  } else if (stroking) {
    for (const part of event.getCoalescedEvents?.() ?? [event]) handlers.move?.(pointOf(part));
  }
  handlers.hover?.(event.pointerType === 'touch' ? null : pointOf(event));
});

for (const type of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(type, event => {
    if (!touches.delete(event.pointerId)) return;
    if (stroking && type === 'pointerup') handlers.up?.(pointOf(event));
    else if (stroking) handlers.cancel?.();
    stroking = false;
    if (!touches.size || panning?.apart) panning = null;
  });
}
canvas.addEventListener('pointerleave', () => handlers.hover?.(null));
canvas.addEventListener('contextmenu', event => event.preventDefault());
canvas.addEventListener('dblclick', () => handlers.close?.());
canvas.addEventListener('wheel', event => {
  const {x, y} = placeOf(event);
  zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), x, y);
  event.preventDefault();
}, {passive: false});
