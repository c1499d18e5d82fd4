// Starts the page. Handles what belongs to no single part of it: the keys, the buttons in the header, and playing.

import {byId, frames, listen, on, segmenting, state} from './api.js';
import {current, draw, fit, hold, isHeld, paint, show, view, zoom} from './viewer.js';
import {choose, closePolygon, drop, pick, redo, resize, say, tool, undo} from './tools.js';
import {startTimeline} from './timeline.js';
import {addObject, following, startPanel} from './panel.js';

const TOOL_KEYS = {b: 'brush', e: 'eraser', p: 'polygon', r: 'box', c: 'clicks'};
let playing = false, started = false, toast = 0;

function go(frame) {
  pause();
  following.on = false;
  return show(frame);
}

function pause() {
  playing = false;
  byId('play').textContent = '▶';
  byId('play').setAttribute('aria-label', 'Play');
}

async function play() {
  if (playing) return pause();
  playing = true;
  following.on = false;
  byId('play').textContent = '❚❚';
  byId('play').setAttribute('aria-label', 'Pause');
  if (current() === frames().last) await show(frames().first);
  while (playing && current() < frames().last) {
    const next = new Promise(resolve => setTimeout(resolve, 1000 / (state.fps ?? 24)));
    await show(current() + 1);
    await next;
  }
  pause();
}

function hide() {
  view.hidden = !view.hidden;
  byId('hide').setAttribute('aria-pressed', String(view.hidden));
  draw();
}

function tell(words) {
  clearTimeout(toast);
  Object.assign(byId('toast'), {hidden: false, textContent: words});
  toast = setTimeout(() => { byId('toast').hidden = true; }, 5000);
}

function pressed(event) {
  if (document.querySelector('dialog[open]') || event.target.matches('input:not([type=range]), textarea')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, stride = event.shiftKey ? 10 : 1;
  const acts = {
    ArrowLeft: () => go(current() - stride), ArrowRight: () => go(current() + stride),
    Home: () => go(frames().first), End: () => go(frames().last),
    '[': () => resize(tool.size / 1.2 - 0.5), ']': () => resize(tool.size * 1.2 + 0.5),
    '+': () => zoom(1.25), '=': () => zoom(1.25), '-': () => zoom(0.8), 0: fit,
    h: hide, '?': () => byId('keys').showModal(), Escape: drop, Enter: closePolygon,
  };
  if (event.ctrlKey || event.metaKey) {
    if (key === 'z') event.shiftKey ? redo() : undo();
    else if (key === 'y') redo();
    else return;
  } else if (event.altKey) return;
  else if (key === ' ') {
    if (event.target.matches('button, a, input')) return;
    if (!event.repeat) hold(true);
  } else if (event.target.matches('input') && !['h', '?'].includes(key)) return;
  else if (key === 'Enter' && event.target.matches('button, a')) return;
  else if (key in acts) acts[key]();
  else if (key in TOOL_KEYS) choose(TOOL_KEYS[key]);
  else if (/^[1-9]$/.test(key) && state.objects[key - 1]) pick(state.objects[key - 1].id);
  else return;
  event.preventDefault();
}

function begin() {
  document.title = `${state.name} – masks`;
  byId('title').textContent = state.name;
  const rate = state.fps ? ` · ${+state.fps.toFixed(2)} fps` : '';
  byId('facts').textContent = `${state.num_frames} frames · ${state.size[1]} × ${state.size[0]}${rate}`;
  byId('stage').style.setProperty('--ratio', state.size[1] / state.size[0]);
  resize(Math.min(...state.size) / 20);
  fit();
  show(Number(Object.keys(state.given)[0] ?? frames().first));
  following.on = segmenting();
  if (!state.objects.length) addObject();
}

addEventListener('keydown', event => { if (state.objects) pressed(event); });
addEventListener('keyup', event => { if (event.key === ' ' && isHeld() && !hold(false)) play(); });
// A clicked button loses the focus, so that keys act on the picture again.
addEventListener('click', event => {
  if (event.detail && event.target.closest('header button, main button')) document.activeElement.blur();
});
for (const bar of document.querySelectorAll('input[type=range]')) bar.onpointerup = () => bar.blur();
for (const button of document.querySelectorAll('[data-tool]')) button.onclick = () => choose(button.dataset.tool);
byId('size').oninput = ({target}) => resize(Number(target.value));
byId('inside').onclick = () => say(true);
byId('outside').onclick = () => say(false);
byId('close-polygon').onclick = closePolygon;
byId('undo').onclick = undo;
byId('redo').onclick = redo;
byId('hide').onclick = hide;
byId('opacity').oninput = ({target}) => { view.opacity = target.value / 100; paint(); };
byId('zoom-in').onclick = () => zoom(1.25);
byId('zoom-out').onclick = () => zoom(0.8);
byId('zoom-fit').onclick = fit;
byId('help').onclick = () => byId('keys').showModal();
byId('play').onclick = play;
on('trouble', tell);
on('saving', words => { byId('saved').textContent = words; });
on('changed refused', frame => { if (frame === null || frame === view.frame) show(current()); });
on('connected', () => {
  if (!started) begin();
  else show(current());
  started = true;
});
startPanel();
startTimeline(() => { pause(); following.on = false; });
choose('brush');
listen();
