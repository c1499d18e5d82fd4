// Talks with the server: the state of the session, the stream of events, masks as PNG, and saving in order.

export const SILENCE = 'The server does not answer. Start the command again and open the address that it prints.';
const TAB = crypto.randomUUID();
const bus = new EventTarget();
const waiting = new Map();  // frame -> labels that must still be sent
let sending = null;

export let state = {};
export let job = null;  // {kind, stage, done, total} of the running job
export let connected = false;

export function on(types, act) {
  for (const type of types.split(' ')) bus.addEventListener(type, event => act(event.detail));
}

export function emit(type, detail) { bus.dispatchEvent(new CustomEvent(type, {detail})); }

export const byId = id => document.getElementById(id);

// Make an element. Texts only become text nodes or attributes, so a name is never read as markup.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const frames = () => ({first: state.start, last: state.start + state.num_frames - 1});
export const nameOf = id => state.objects.find(object => object.id === id)?.name || `object ${id}`;
export const colorOf = id => state.objects.find(object => object.id === id)?.color ?? [128, 128, 128];

// Return true while the network makes masks.
export const segmenting = () => job !== null && job.kind !== 'export';

// Send a request. Errors are shown on the page and thrown; their `status` is 0 if the server did not answer.
export async function request(path, {method = 'GET', json, body} = {}) {
  const headers = {'X-Tab': TAB};
  if (json !== undefined) { headers['Content-Type'] = 'application/json'; body = JSON.stringify(json); }
  const answer = await fetch(`api/${path}`, {method, headers, body}).catch(() => null);
  if (answer?.ok) return answer;
  const words = answer === null ? SILENCE
    : (await answer.json().catch(() => ({}))).error ?? `The server answered ${answer.status}.`;
  emit('trouble', words);
  throw Object.assign(new Error(words), {status: answer?.status ?? 0});
}

// Request a change and take over the state that the server returns; false if the server refused.
export async function change(path, method, options = {}) {
  try {
    update(await (await request(path, {method, ...options})).json());
    return true;
  } catch (error) {
    if (error.status === undefined) throw error;
    return false;
  }
}

export async function start(path, json) {
  await saved();
  const sent = request(path, {method: 'POST', json});
  return sent.then(answer => answer.text()).then(() => true, () => false);  // an unread answer would keep its connection
}

function update(next) {
  state = {...state, ...next};
  job = state.job ?? null;
  emit('state');
}

export async function refresh() { update(await (await request('state')).json()); }

export function listen() {
  const source = new EventSource('api/events');
  source.onerror = () => { if (connected) emit('trouble', SILENCE); connected = false; };
  source.onopen = () => refresh().then(() => { connected = true; emit('connected'); }, () => {});
  source.onmessage = ({data}) => heard(JSON.parse(data));
}

function heard(event) {
  if (!state.objects) return;  // the first state is still loading and will include this event
  if (event.type === 'started') job = {kind: event.kind, stage: '', done: 0, total: null};
  else if (event.type === 'progress') job = {...job, ...event};
  else if (event.type === 'frame') state.records[event.record.frame_id] = event.record;
  else if (event.type === 'loading') state.ready_frames = event.ready_frames;
  else if (['done', 'stopped', 'error'].includes(event.type)) return refresh().then(() => emit('ended', event), () => {});
  else if (event.type === 'changed') {
    if (event.tab !== TAB) refresh().then(() => emit('changed', event.frame), () => {});
    return;
  }
  emit(event.type, event);
}

// Send the labels of a frame. While a request runs, only the newest labels of each frame wait. Without an answer, try again.
export function save(frame, labels) {
  waiting.set(frame, labels);
  sending ??= sendAll().finally(() => { sending = null; });
  return sending;
}

export async function saved() { while (sending) await sending; }

async function sendAll() {
  emit('saving', 'saving…');
  while (waiting.size) {
    const [[frame, labels]] = waiting;
    waiting.delete(frame);
    try {
      update(await (await request(`masks/${frame}`, {method: 'PUT', body: await toPng(labels)})).json());
    } catch (error) {
      if (error.status) { emit('refused', frame); continue; }
      if (!waiting.has(frame)) waiting.set(frame, labels);
      emit('saving', 'not saved yet');
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
  }
  emit('saving', '✓ saved');
}

addEventListener('beforeunload', event => { if (sending) event.preventDefault(); });

const CRCS = Uint32Array.from({length: 256}, (_, value) => {
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ value >>> 1 : value >>> 1;
  return value;
});

function chunk(name, content) {
  const bytes = new Uint8Array(content.length + 12), view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(content, 8);
  let crc = -1;
  for (const byte of bytes.subarray(4, -4)) crc = CRCS[(crc ^ byte) & 255] ^ crc >>> 8;
  view.setUint32(content.length + 8, ~crc);
  return bytes;
}

// Encode (H * W) ids as an 8-bit gray PNG. A canvas could do it, but starts up to a second late while the page is busy.
export async function toPng(labels) {
  const [height, width] = state.size, rows = new Uint8Array(height * (width + 1)), head = new Uint8Array(13);
  for (let y = 0; y < height; y++) rows.set(labels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'));
  const pixels = new Uint8Array(await new Response(packed).arrayBuffer()), sizes = new DataView(head.buffer);
  sizes.setUint32(0, width);
  sizes.setUint32(4, height);
  head[8] = 8;
  const start = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  return new Blob([start, chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', new Uint8Array())], {type: 'image/png'});
}

// Decode the red channel of a PNG that has the size of the frames.
export async function fromPng(blob) {
  const [height, width] = state.size;
  const bitmap = await createImageBitmap(blob, {colorSpaceConversion: 'none', premultiplyAlpha: 'none'});
  const context = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  const {data} = context.getImageData(0, 0, width, height);
  const red = new Uint8Array(width * height);
  for (let i = 0; i < red.length; i++) red[i] = data[4 * i];
  return red;
}

export async function readMask(frame) {
  const answer = await request(`masks/${frame}.png`);
  return answer.status === 204 ? new Uint8Array(state.size[0] * state.size[1]) : fromPng(await answer.blob());
}
