'use strict';
// A table with one body per sequence: its row, and the details that unfold below it. Sorting moves the bodies.

const table = document.getElementById('scores');
const main = DATA.columns[0];
const COLUMNS = [
  {key: 'name', title: 'sequence', value: row => row.name, text: row => row.name},
  ...DATA.columns.map(column => ({
    key: column, title: column.replaceAll('_', ' '), value: row => row.scores[column], text: row => fixed(row.scores[column])})),
  {key: 'frames', title: 'frames', value: row => row.frames, text: row => whole(row.frames)},
  {key: 'seconds', title: 'seconds', value: row => row.seconds, text: row => fixed(row.seconds, 1)},
];
const bodies = new Map();
let sorted = {key: null, down: false};

function compare(a, b) {
  const column = COLUMNS.find(({key}) => key === sorted.key), [x, y] = [column.value(a), column.value(b)];
  const known = value => value !== null && value !== undefined;
  if (!known(x) || !known(y)) return known(y) - known(x) || a.name.localeCompare(b.name);  // unknown values always come last
  const order = typeof x === 'string' ? x.localeCompare(y, 'en', {numeric: true}) : x - y;
  return (sorted.down ? -order : order) || a.name.localeCompare(b.name);
}

function sortBy(key) {
  sorted = {key, down: sorted.key === key && !sorted.down};
  for (const head of document.getElementById('head').children) {
    if (head.dataset.key === key) head.setAttribute('aria-sort', sorted.down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
  table.append(...[...DATA.rows].sort(compare).map(row => bodies.get(row.name)));
}

function unfold(row, open) {
  const body = bodies.get(row.name), has = body.children.length > 1;
  body.querySelector('button').setAttribute('aria-expanded', String(open));
  if (open && !has) body.append(detailOf(row));
  else if (has) body.children[1].hidden = !open;
}

function detailOf(row) {
  const cell = el('div', {class: 'inside'});
  if (row.objects.length) {
    cell.append(el('table', {class: 'objects'}, el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'object'),
      ...DATA.columns.map(column => el('th', {scope: 'col'}, column.replaceAll('_', ' '))))),
      el('tbody', {}, ...row.objects.map(({name, scores}) => el('tr', {}, el('th', {scope: 'row'}, name),
        ...DATA.columns.map(column => el('td', {}, fixed(scores[column]))))))));
  }
  const curves = row.curves.filter(curve => curve.values.some(isNumber));
  // T has no upper bound: in one chart with it, J and F would be flat lines.
  for (const [title, range, series] of [['Scores by frame', [0, 1], curves.filter(({label}) => label !== 'T')],
    ['Instability by frame', [0, null], curves.filter(({label}) => label === 'T')]]) {
    if (series.length) cell.append(lineChart({title, note: 'legend: mean', series, range, summary: mean}).node);
  }
  for (const sentence of row.told) cell.append(el('p', {class: 'hint'}, sentence));
  cell.append(el('div', {class: 'thumbnails'}, ...row.thumbnails.map(({frame, score, picture}) => el('figure', {},
    el('img', {src: picture, alt: `Frame ${frame} of ${row.name}`}),
    el('figcaption', {class: 'caption'}, el('span', {}, `frame ${frame}`), el('span', {}, `J ${fixed(score)}`))))));
  const links = Object.entries(row.links);
  if (links.length) cell.append(el('div', {class: 'links'}, ...links.map(([title, address]) => el('a', {href: address}, title))));
  return el('tr', {class: 'detail'}, el('td', {colspan: COLUMNS.length}, cell));
}

function bodyOf(row) {
  const button = el('button', {type: 'button', 'aria-expanded': 'false', onclick: () =>
    unfold(row, button.getAttribute('aria-expanded') === 'false')}, row.name);
  const cells = COLUMNS.slice(1).map(column => {
    const cell = el('td', {}, column.text(row));
    if (column.key === main && isNumber(row.scores[main])) {
      cell.prepend(el('span', {class: 'bar', 'aria-hidden': 'true'}, el('i', {style: `width: ${100 * Math.min(1, Math.max(0, row.scores[main]))}%`})));
    }
    return cell;
  });
  return el('tbody', {}, el('tr', {class: 'row'}, el('th', {scope: 'row'}, button), ...cells));
}

const frames = DATA.rows.reduce((sum, row) => sum + row.frames, 0), seconds = DATA.rows.reduce((sum, row) => sum + row.seconds, 0);
showFacts([
  ...DATA.columns.filter(column => /^[JFT]_mean$|^J&F$/.test(column)).map(column => [column.replace('_', ' '), fixed(DATA.means[column])]),
  ...Object.keys(DATA.means).filter(name => name !== 'T_all' && !DATA.columns.includes(name)).map(name => [name.replace('_', ' '), fixed(DATA.means[name])]),
  ['sequences', String(DATA.rows.length)], ['frames', whole(frames)], ['seconds', whole(seconds)]]);
showNotices();
for (const {key, title} of COLUMNS) {
  document.getElementById('head').append(
    el('th', {scope: 'col', 'data-key': key}, el('button', {type: 'button', onclick: () => sortBy(key)}, title)));
  const total = {name: 'mean', frames: whole(frames / DATA.rows.length), seconds: fixed(seconds / DATA.rows.length, 1)};
  document.getElementById('foot').append(key === 'name' ? el('th', {scope: 'row'}, total.name) : el('td', {}, total[key] ?? fixed(DATA.means[key])));
}
for (const row of DATA.rows) bodies.set(row.name, bodyOf(row));
sortBy(main ?? 'name');
unfold([...DATA.rows].sort(compare)[0], true);
document.getElementById('unfold').addEventListener('click', event => {
  const open = event.target.getAttribute('aria-expanded') === 'false';
  event.target.setAttribute('aria-expanded', String(open));
  event.target.textContent = open ? 'Fold all' : 'Unfold all';
  for (const row of DATA.rows) unfold(row, open);
});
showTables();
