'use strict';
// Code that all pages share. Texts become only text nodes or attributes, so a file name is never read as markup.

const DATA = JSON.parse(document.getElementById('data').textContent);

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

function isNumber(value) { return typeof value === 'number'; }

function fixed(value, digits = 3) { return isNumber(value) ? value.toFixed(digits) : '–'; }

function whole(value) { return isNumber(value) ? Math.round(value).toLocaleString('en').replaceAll(',', '\u202f') : '–'; }

function mean(values) {
  const known = values.filter(isNumber);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

function showFacts(facts) {
  const list = document.getElementById('facts');
  for (const [term, value] of facts) list.append(el('div', {}, el('dt', {}, term), el('dd', {}, value)));
}

function showNotices() {
  const list = document.getElementById('notices');
  list.hidden = !DATA.notices.length;
  for (const notice of DATA.notices) list.append(el('li', {}, notice));
}

function showTables() {
  for (const table of DATA.tables) {
    const rows = table.rows.map(([name, value]) => el('tr', {}, el('th', {scope: 'row'}, name), el('td', {}, value)));
    document.getElementById('tables').append(
      el('details', {class: 'card'}, el('summary', {}, table.title),
        el('table', {class: 'rows'}, el('tbody', {}, ...rows))));
  }
}
