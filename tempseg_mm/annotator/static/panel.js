// The panel: objects, the work (segment, stop, continue), the mask of the frame, notices, and the export dialog.

import {byId, change, el, frames, job, nameOf, on, saved, segmenting, start, state} from './api.js';
import {current, show, view} from './viewer.js';
import {steps} from './labels.js';
import {pick, tool} from './tools.js';

const STAGES = {'fine-tuning': 'Learning the objects', forwards: 'Following forwards', backwards: 'Following backwards'};
const TITLES = {'go-forth': 'Segment the frames after this one again, up to the next given mask.',
  'go-back': 'Segment the frames before this one again, up to the next given mask.'};
const NOT_DRAWN = ' Nothing was drawn on this frame, so the network learns nothing new.';
export const following = {on: false};
let stage = null;  // {name, since, from} of the current stage, to estimate the time that is left
const shown = {};  // name of a list -> JSON text of the values that it shows

// Return true if a list must be built again. An unchanged list is kept, so that its inputs keep the focus.
function differs(name, value) {
  const text = JSON.stringify(value), isNew = shown[name] !== text;
  shown[name] = text;
  return isNew;
}

function showObjects() {
  if (!document.activeElement.matches('#objects input') && differs('objects', state.objects)) {
    byId('objects').replaceChildren(...state.objects.map(objectRow));
  }
  for (const row of byId('objects').children) {
    const picked = Number(row.dataset.id) === tool.object;
    row.classList.toggle('picked', picked);
    row.firstChild.setAttribute('aria-pressed', String(picked));
  }
}

function objectRow({id, name, color}, k) {
  const chip = el('button', {type: 'button', className: 'chip', 'aria-label': `Draw ${nameOf(id)}`, onclick: () => pick(id),
    title: k < 9 ? `Draw this object (${k + 1})` : 'Draw this object'}, k < 9 ? String(k + 1) : '');
  chip.style.background = `rgb(${color.join(' ')})`;
  const input = el('input', {
    value: name, placeholder: `object ${id}`, maxLength: 60, 'aria-label': `Name of object ${id}`, spellcheck: false, onfocus: () => pick(id),
    onkeydown: event => { if (event.key === 'Enter') input.blur(); }, onblur: () => rename(id, name, input.value)});
  const remove = el('button', {type: 'button', className: 'quiet', 'aria-label': `Remove ${nameOf(id)}`, title: 'Remove',
    onclick: () => removeObject(id)}, byId('trash').content.cloneNode(true));
  const row = el('li', {}, chip, input, remove);
  row.dataset.id = id;
  return row;
}

async function rename(id, before, name) {
  if (name !== before && !await change(`objects/${id}`, 'PATCH', {json: {name}})) delete shown.objects;
  showObjects();
}

async function removeObject(id) {
  const drawn = Object.values(state.given).some(ids => ids.includes(id));
  if (drawn && !confirm(`Remove ${nameOf(id)} and everything that was drawn for it?`)) return;
  await saved();
  if (await change(`objects/${id}`, 'DELETE')) show(current());
}

export async function addObject() {
  const before = new Set(state.objects.map(object => object.id));
  if (await change('objects', 'POST', {json: {name: ''}})) pick(state.objects.find(object => !before.has(object.id)).id);
}

function advice(done) {
  if (segmenting()) return 'Frames appear when they are ready. If a mask is wrong, press Stop, correct it, and continue from there.';
  if (!Object.keys(state.given).length) return 'Draw each object on a frame that shows it clearly. Then press Segment.';
  if (!done) return 'Press Segment. A second mask on a frame where the object looks different helps.';
  return 'If a mask is wrong, correct it and continue from that frame: only the frames after it are segmented again.';
}

function showWork() {
  const busy = job !== null, given = Object.keys(state.given).length > 0, done = Object.keys(state.records).length > 0;
  const {first, last} = frames(), frame = current(), drawn = frame in state.given, mayGo = done && frame in state.records && !busy;
  byId('advice').textContent = advice(done);
  Object.assign(byId('segment'), {disabled: busy || !given, hidden: segmenting()});
  byId('segment').textContent = done ? 'Segment all again' : 'Segment';
  byId('segment').classList.toggle('primary', !done);
  byId('go-forth').classList.toggle('primary', mayGo && drawn);
  byId('stop').hidden = !segmenting();
  byId('follow').hidden = !segmenting() || following.on;
  byId('go-on').hidden = !done || segmenting();
  byId('go-forth').disabled = !mayGo || frame === last;
  byId('go-back').disabled = !mayGo || frame === first;
  for (const [id, words] of Object.entries(TITLES)) byId(id).title = words + (mayGo && !drawn ? NOT_DRAWN : '');
  for (const id of ['load-mask', 'take-back', 'add-object']) byId(id).disabled = busy;
  byId('export').disabled = busy;
  byId('progress').hidden = !segmenting();
  byId('export-progress').hidden = job?.kind !== 'export';
  if (job) showProgress(job.kind === 'export' ? ['export-bar', 'export-text'] : ['bar', 'stage-text']);
  else stage = null;
}

function showProgress([bar, text]) {
  const {stage: name, done, total} = job;
  if (stage?.name !== name || done < stage.from) stage = {name, since: performance.now(), from: done};
  if (total) Object.assign(byId(bar), {max: total, value: done});
  else byId(bar).removeAttribute('value');
  const rate = (performance.now() - stage.since) / (done - stage.from), left = Math.ceil(rate * (total - done) / 1000);
  const parts = [STAGES[name] ?? name, total ? `${done} of ${total}` : done, left > 0 && left < Infinity ? `${left} s left` : ''];
  byId(text).textContent = parts.filter(Boolean).join(' · ') || 'Starting';
}

function showFrame() {
  const frame = current(), given = state.given[frame] ?? [];
  byId('frame-title').textContent = `Frame ${frame}`;
  byId('given').hidden = !given.length;
  byId('given').title = given.map(nameOf).join(', ');
  byId('take-back').hidden = !given.length;
  byId('save-mask').href = `api/masks/${frame}.png?download=1`;
  const {done, undone} = steps();
  byId('undo').disabled = !done;
  byId('redo').disabled = !undone;
}

function showNotices() {
  if (!differs('notices', state.notices)) return;
  byId('notices').hidden = !state.notices.length;
  const jump = frame => { following.on = false; show(frame); };
  const link = words => el('button', {type: 'button', className: 'link', onclick: () => jump(Number(words.slice(6)))}, words);
  const items = state.notices.map(notice => notice.replace(/ \(--[^)]*\)/g, '').split(/(\bframe \d+)/));  // without command options
  items.sort((one, other) => (other.length > 1) - (one.length > 1));  // first the notices that name a frame
  byId('notices').replaceChildren(...items.map(parts => el('li', {}, ...parts.map((words, k) => k % 2 ? link(words) : words))));
}

const named = file => file.includes('.') ? file : `${file}.zip`;  // a folder is downloaded as a zip

function showExports() {
  if (!differs('exports', [state.folder, state.exports])) return;
  byId('folder').textContent = state.folder;
  const picked = new Set([...document.querySelectorAll('#kinds input:checked')].map(input => input.value));
  byId('kinds').replaceChildren(...state.exports.map(({name, file, description, suits, ready}) => el('li', {},
    el('label', {},
      el('input', {type: 'checkbox', value: name, checked: picked.has(name), disabled: name === 'masks'}),  // always there
      el('span', {}, el('b', {}, description), el('small', {}, suits))),
    ready ? el('a', {href: `api/exports/${file}`, download: '', 'aria-label': `Download ${named(file)}`}, named(file))
      : el('code', {}, named(file)))));
}

function showAll() {
  if (!state.objects.some(object => object.id === tool.object)) pick(state.objects[0]?.id ?? 0);
  showObjects();
  showWork();
  showFrame();
  showNotices();
  showExports();
}

async function work(path, json) {
  byId('told').textContent = '';
  following.on = path !== 'export';
  if (await start(path, json)) showWork();
}

function ended({type, kind, seconds, message}) {
  const told = {error: message, stopped: 'Stopped. Finished frames are kept.'}[type] ?? `Done in ${seconds.toFixed(1)} s.`;
  const place = byId(byId('exports').open ? 'export-told' : 'told');
  place.textContent = told;
  place.classList.toggle('bad', type === 'error');
  if (kind !== 'export') show(current());
  following.on = false;
  showAll();
}

export function startPanel() {
  byId('add-object').onclick = addObject;
  byId('segment').onclick = () => work('segment', {});
  byId('go-forth').onclick = () => work('go-on', {frame: current(), direction: 'forwards'});
  byId('go-back').onclick = () => work('go-on', {frame: current(), direction: 'backwards'});
  for (const id of ['stop', 'stop-export']) byId(id).onclick = () => start('stop', {});
  byId('follow').onclick = () => { following.on = true; showWork(); };
  byId('take-back').onclick = async () => {
    await saved();
    if (await change(`masks/${view.frame}`, 'DELETE')) show(view.frame);
  };
  byId('load-mask').onclick = () => byId('mask-file').click();
  byId('mask-file').onchange = async ({target}) => {
    const [file] = target.files, frame = view.frame;
    target.value = '';
    await saved();
    if (file && await change(`masks/${frame}?read=1`, 'PUT', {body: file})) show(frame);
  };
  byId('take-away').onclick = () => { byId('export-told').textContent = ''; byId('exports').showModal(); };
  byId('export').onclick = () => {
    const kinds = [...document.querySelectorAll('#kinds input:checked')].map(input => input.value);
    if (kinds.length) work('export', {kinds});
    else byId('export-told').textContent = 'Choose at least one kind of file first.';
  };
  on('state', showAll);
  on('picked', showObjects);
  on('moved shown edited', () => { showWork(); showFrame(); });
  on('started progress', showWork);
  on('ended', ended);
  on('frame', ({record}) => { if (following.on) show(record.frame_id); });
}
