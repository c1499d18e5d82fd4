'use strict';
// One row per video: a picture, the results and notes, and a link to its own page.

const scored = DATA.rows.some(row => isNumber(row.mean_j));
const finished = DATA.rows.filter(row => !row.fault);
const sum = name => finished.reduce((total, row) => total + row[name], 0);

function pictureOf({name, thumbnail, caption, links}) {
  if (!thumbnail) return el('td');
  const picture = el('img', {src: thumbnail, alt: `${name}, ${caption}`});
  return el('td', {}, el('figure', {}, links.page ? el('a', {href: links.page}, picture) : picture, el('figcaption', {}, caption)));
}

function wordsOn({name, fault, lost, notices, links}) {
  const cell = el('th', {scope: 'row', class: 'video'}, links.page ? el('a', {href: links.page}, name) : el('b', {}, name));
  if (fault) cell.append(el('p', {class: 'fault'}, fault));
  for (const sentence of lost) cell.append(el('p', {class: 'lost'}, sentence));
  if (notices.length) {
    cell.append(el('details', {}, el('summary', {}, notices.length === 1 ? '1 note' : `${notices.length} notes`),
      ...notices.map(notice => el('p', {}, notice))));
  }
  const others = Object.entries(links);
  if (others.length) cell.append(el('p', {class: 'links'}, ...others.map(([title, address]) => el('a', {href: address}, title))));
  return cell;
}

showFacts([
  ['videos', String(DATA.rows.length)], ['frames', whole(sum('frames'))], ['seconds', whole(sum('seconds'))],
  ...(scored ? [['mean J', fixed(mean(DATA.rows.map(row => row.mean_j)))]] : []),
  ['with a lost object', String(finished.filter(row => row.lost.length).length)],
  ['without a result', String(DATA.rows.length - finished.length)]]);
document.querySelector('.score').hidden = !scored;
for (const row of DATA.rows) {
  const cells = [['frames', whole], ['objects', whole], ['seconds', value => fixed(value, 1)]].map(([title, shown]) =>
    el('td', {'data-title': title}, shown(row[title])));
  document.getElementById('rows').append(el('tr', {class: row.fault ? 'failed' : null}, pictureOf(row), wordsOn(row), ...cells,
    el('td', {class: 'score', 'data-title': 'J', hidden: !scored}, fixed(row.mean_j))));
}
