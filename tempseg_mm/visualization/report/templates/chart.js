'use strict';
// Curves over the number of a frame or step, as SVG. They are drawn again when the width changes.

const SVG = 'http://www.w3.org/2000/svg';
const LEFT = 46, RIGHT = 10, TOP = 12, BOTTOM = 22;

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function inkOf(color) {
  return `color-mix(in oklab, rgb(${color.join(' ')}) var(--ink-share), var(--ink))`;
}

function last(values) { return values.findLast(isNumber); }

function ticksBetween(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

// Draw a line chart.
// series: [{label, color, values}]; values by index, null for a missing value. range: [low, high]; null fits the data.
// bands: [{kind, first, last, lane, lanes, text}]; first and last are indices; each band fills one lane of the height.
// onPick(index) is called for clicks and drags. Without it, the legend shows summary(values) of each line.
// Returns {node, setCursor(index)}.
function lineChart({title, note = '', series, labels, given = [], bands = [], range = [0, null], format = fixed, onPick = null, summary = last}) {
  const count = Math.max(...series.map(line => line.values.length));
  const known = series.flatMap(line => line.values.filter(isNumber));
  const low = range[0] ?? Math.floor(10 * known.reduce((a, b) => Math.min(a, b), 1)) / 10;
  let high = range[1] ?? known.reduce((a, b) => Math.max(a, b), 0);
  if (!(high > low)) high = low + 1;
  const yTicks = ticksBetween(low, high, 3);
  if (range[1] === null && yTicks.at(-1) < high) yTicks.push(Number((2 * yTicks.at(-1) - yTicks.at(-2)).toPrecision(12)));
  const top = Math.max(high, yTicks.at(-1));

  const values = series.map(() => el('b'));
  const legend = el('div', {class: 'legend'}, ...series.map((line, k) => el('span', {},
    el('i', {class: 'swatch', style: `background: rgb(${line.color.join(' ')})`}), `${line.label} `, values[k])));
  const picture = svg('svg', {role: 'img', 'aria-label': `${title}: ` + series.map(line =>
    `${line.label} ${format(Math.min(...line.values.filter(isNumber)))} to ${format(Math.max(...line.values.filter(isNumber)))}`
  ).join(', ')});
  const node = el('section', {class: onPick ? 'chart card pick' : 'chart card'},
    el('div', {class: 'head'}, el('h2', {}, title, el('span', {class: 'note'}, note)), legend), picture);
  const cursor = svg('line', {class: 'cursor'}), hover = svg('line', {class: 'hover', visibility: 'hidden'});
  let at = 0, width = 0;
  const height = 116;
  const x = index => LEFT + (width - LEFT - RIGHT) * (count > 1 ? index / (count - 1) : 0.5);
  const y = value => TOP + (height - TOP - BOTTOM) * (top - value) / (top - low);

  function draw() {
    width = picture.clientWidth;
    if (!width) return;
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.replaceChildren();
    for (const band of bands) drawBand(band);
    for (const tick of yTicks) {
      picture.append(svg('line', {class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick)}));
      const text = svg('text', {x: LEFT - 7, y: y(tick) + 4, 'text-anchor': 'end'});
      text.textContent = tick >= 1e4 ? `${tick / 1000}k` : tick;
      picture.append(text);
    }
    for (const tick of ticksBetween(0, Math.max(1, count - 1), Math.max(2, width / 80))) {
      if (!Number.isInteger(tick) || tick >= count) continue;
      const text = svg('text', {x: x(tick), y: height - 6, 'text-anchor': 'middle'});
      text.textContent = labels ? labels[tick] : tick;
      picture.append(text);
    }
    for (const index of given) {
      const mark = svg('path', {class: 'given', d: `M${x(index) - 4.5} ${height - BOTTOM}l4.5-7l4.5 7z`});
      const name = svg('title', {});
      name.textContent = 'given mask';
      mark.append(name);
      picture.append(mark);
    }
    for (const line of series) drawLine(line);
    picture.append(hover);
    if (onPick) picture.append(cursor);
    place(cursor, at);
  }

  // Half a frame to either side, so that a single frame can be seen.
  function drawBand({kind, first, last, lane, lanes, text}) {
    const left = Math.max(LEFT, x(first - 0.5)), right = Math.min(width - RIGHT, x(last + 0.5));
    const tall = (height - TOP - BOTTOM) / lanes, above = kind === 'empty' ? Math.min(5, tall / 3) : 0;  // keeps 'lost' visible
    const band = svg('rect', {
      class: kind, x: left, y: TOP + lane * tall + above, width: Math.max(1, right - left), height: tall - above});
    const title = svg('title', {});
    title.textContent = text;
    band.append(title);
    picture.append(band);
  }

  function drawLine({values, color}) {
    let path = '', alone = '';
    values.forEach((value, i) => {
      if (!isNumber(value)) return;
      const before = isNumber(values[i - 1]), after = isNumber(values[i + 1]);
      path += `${before ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      if (!before && !after) alone += `M${x(i).toFixed(1)} ${y(value).toFixed(1)}h0`;
    });
    const style = `stroke: ${inkOf(color)}`, plain = {fill: 'none', stroke: `rgb(${color})`, style};
    picture.append(svg('path', {...plain, d: path, 'stroke-width': 1.8, 'stroke-linejoin': 'round'}));
    picture.append(svg('path', {...plain, d: alone, 'stroke-width': 6, 'stroke-linecap': 'round'}));
  }

  function place(line, index) {
    for (const [name, value] of Object.entries({x1: x(index), x2: x(index), y1: TOP - 6, y2: height - BOTTOM})) line.setAttribute(name, value);
  }

  function read(index) { series.forEach((line, k) => { values[k].textContent = format(line.values[index]); }); }

  function indexAt(event) {
    const share = (event.clientX - picture.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT);
    return Math.min(count - 1, Math.max(0, Math.round(share * (count - 1))));
  }

  function rest() {
    hover.setAttribute('visibility', 'hidden');
    if (onPick) read(at);
    else series.forEach((line, k) => { values[k].textContent = format(summary(line.values)); });
  }

  if (onPick) {
    picture.addEventListener('pointerdown', event => { picture.setPointerCapture(event.pointerId); onPick(indexAt(event)); });
  }
  picture.addEventListener('pointermove', event => {
    const index = indexAt(event);
    if (onPick && event.buttons) onPick(index);
    hover.setAttribute('visibility', 'visible');
    place(hover, index);
    read(index);
  });
  picture.addEventListener('pointerleave', rest);
  new ResizeObserver(draw).observe(picture);
  rest();
  return {node, setCursor(index) { at = index; place(cursor, index); read(index); }};
}
