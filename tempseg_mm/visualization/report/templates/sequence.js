'use strict';
// The player of the overlay. Everything else on the page follows the frame that it shows, and can set that frame.

const count = DATA.frames.length;
const byId = id => document.getElementById(id);
const video = byId('video'), slider = byId('slider'), play = byId('play');
const charts = [], thumbnails = [];
let current = 0, wanted = null;

function videoBlob() {
  const parts = byId('video-data').textContent.trim().split('\n').map(line => {
    const text = atob(line), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  });
  byId('video-data').remove();
  return new Blob(parts, {type: 'video/webm'});
}

// Seconds per frame: from the video file if it agrees with DATA.fps, because the container rounds the frame rate.
function secondsEach() {
  const told = video.duration / count;
  return Math.abs(told * DATA.fps - 1) < 0.01 ? told : 1 / DATA.fps;
}

function show(index) {
  current = Math.min(count - 1, Math.max(0, index));
  const {name, given} = DATA.frames[current];
  slider.value = current;
  slider.setAttribute('aria-valuetext', `frame ${name}, ${current + 1} of ${count}`);
  byId('number').replaceChildren(`frame ${name}`, el('small', {}, `${current + 1} of ${count}`));
  byId('given').hidden = !given;
  for (const chart of charts) chart.setCursor(current);
  for (const [index, button] of thumbnails) button.setAttribute('aria-current', String(index === current));
  showReadout();
}

function showReadout() {
  const hasScores = Object.values(DATA.curves.scores).flat().some(isNumber);
  document.querySelector('.readout .score').hidden = !hasScores;
  byId('readout').replaceChildren(...DATA.objects.map(({id, color}) => el('tr', {},
    el('th', {scope: 'row'}, el('i', {class: 'swatch', style: `background: rgb(${color.join(' ')})`}), String(id)),
    el('td', {}, `${whole(DATA.curves.areas[id][current])} px`),
    el('td', {}, fixed(DATA.curves.confidences[id][current])),
    el('td', {}, fixed(DATA.curves.changes[id][current])),
    el('td', {hidden: !hasScores}, fixed(DATA.curves.scores[id][current])))));
}

// Seek to the middle of the frame, so that rounding cannot hit its neighbour. Only one seek runs; the latest request wins.
function jump(index) {
  video.pause();
  show(index);
  wanted = video.readyState < 1 || video.seeking ? current : null;
  if (wanted === null) video.currentTime = (current + 0.5) * secondsEach();
}

function catchUp() {
  if (wanted !== null) jump(wanted);
}

function toggle() {
  if (!video.paused) { jump(Math.floor(video.currentTime / secondsEach())); return; }  // the frame that the page names
  if (current === count - 1) video.currentTime = 0;
  video.play().catch(tellTrouble);
}

function follow() {
  if (!video.paused && !video.seeking) show(Math.floor(video.currentTime / secondsEach()));
  if (!video.paused) requestAnimationFrame(follow);
}

function tellTrouble() {
  byId('trouble').hidden = false;
  byId('trouble').textContent = 'This browser cannot play the overlay (VP9 in WebM). The curves and pictures work without it.';
}

function pressed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const tag = event.target.tagName, stride = event.shiftKey ? 10 : 1;
  const moves = {ArrowLeft: current - stride, ArrowRight: current + stride, Home: 0, End: count - 1};
  if (event.key in moves) jump(moves[event.key]);
  else if (event.key === ' ' && tag !== 'BUTTON' && tag !== 'SUMMARY') toggle();
  else return;
  event.preventDefault();
}

// Stretches of the curves where an object was probably lost and, above them, where it has no mask. One lane per object.
function bandsOf() {
  const bands = [], indexOf = new Map(DATA.frames.map((frame, index) => [frame.id, index]));
  DATA.objects.forEach(({id}, lane) => {
    const add = (kind, words, first, last) => bands.push({kind, first, last, lane, lanes: DATA.objects.length,
      text: `object ${id} ${words}, frames ${DATA.frames[first].name} to ${DATA.frames[last].name}`});
    for (const span of DATA.lost) {
      if (span.id === id) add('lost', 'probably lost', indexOf.get(span.first), indexOf.get(span.last));
    }
    const areas = DATA.curves.areas[id];
    for (let first = 0, after; first < count; first = after) {
      for (after = first + 1; after < count && !areas[after] === !areas[first];) after++;
      if (!areas[first]) add('empty', 'without a mask', first, after - 1);
    }
  });
  return bands;
}

function showCharts() {
  const lines = name => DATA.objects.map(({id, color}) => ({label: `object ${id}`, color, values: DATA.curves[name][id]}));
  const given = DATA.frames.flatMap((frame, index) => frame.given ? [index] : []);
  const bands = bandsOf();
  for (const kind of ['lost', 'empty']) byId(`key-${kind}`).hidden = !bands.some(band => band.kind === kind);
  const add = (name, options) => {
    const series = lines(name).filter(line => line.values.some(isNumber));
    if (!series.length) return;
    const chart = lineChart({series, given, bands, labels: DATA.frames.map(frame => frame.id), onPick: jump, ...options});
    charts.push(chart);
    byId('charts').append(chart.node);
  };
  add('scores', {title: 'J', note: 'overlap with the ground truth', range: [0, 1]});
  add('areas', {title: 'Area', note: 'pixels', format: whole});
  add('confidences', {title: 'Confidence', note: 'mean probability inside the mask', range: [null, 1]});
  add('changes', {title: 'Change', note: '1 − IoU with the frame before'});
  const losses = DATA.objects.filter(({id}) => (DATA.losses[id] || []).length);
  if (losses.length) {
    byId('charts').append(lineChart({
      title: 'Fine-tuning', note: 'loss over the steps',
      series: losses.map(({id, color}) => ({label: [`object ${id}`, DATA.gains[id], 'loss'].filter(Boolean).join(', '), color, values: DATA.losses[id]}))}).node);
  }
}

function showThumbnails() {
  byId('changed').hidden = !DATA.thumbnails.length;
  for (const {index, picture} of DATA.thumbnails) {
    const name = DATA.frames[index].name;
    const change = Math.max(...DATA.objects.map(({id}) => DATA.curves.changes[id][index] ?? 0));
    const button = el('button', {type: 'button', 'aria-label': `Show frame ${name}`, onclick: () => {
      jump(index);
      byId('video').scrollIntoView({block: 'nearest', behavior: 'smooth'});
    }}, el('img', {src: picture, alt: `Frame ${name}`}),
    el('div', {class: 'caption'}, el('span', {}, `frame ${name}`), el('span', {}, `change ${fixed(change, 2)}`)));
    thumbnails.push([index, button]);
    byId('thumbnails').append(button);
  }
}

function factsOfAll() {
  const scored = DATA.objects.map(({id}) => mean(DATA.curves.scores[id].filter((_, i) => !DATA.frames[i].given))).filter(isNumber);
  const facts = [['frames', String(count)], ['objects', String(DATA.objects.length)], ['frames per second', String(+DATA.fps.toFixed(2))]];
  if (scored.length) facts.push(['mean J', fixed(mean(scored))]);
  return facts;
}

slider.max = count - 1;
showFacts(factsOfAll());
showNotices();
showCharts();
showThumbnails();
showTables();
show(0);
slider.addEventListener('input', () => jump(Number(slider.value)));
byId('back').addEventListener('click', () => jump(current - 1));
byId('forward').addEventListener('click', () => jump(current + 1));
play.addEventListener('click', toggle);
video.addEventListener('click', toggle);
video.addEventListener('loadedmetadata', () => { wanted = current; catchUp(); });
video.addEventListener('seeked', catchUp);
video.addEventListener('error', tellTrouble);
video.addEventListener('ended', () => show(count - 1));
for (const state of ['play', 'pause']) {
  video.addEventListener(state, () => {
    play.textContent = video.paused ? '▶' : '❚❚';
    play.setAttribute('aria-label', video.paused ? 'Play' : 'Pause');
    follow();
  });
}
document.addEventListener('keydown', pressed);
video.src = URL.createObjectURL(videoBlob());
