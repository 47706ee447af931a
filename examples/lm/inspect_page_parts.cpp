#include "inspect_page.hpp"

namespace lm::inspect_page_parts {

const char* const kStyle = R"css(
main { display: grid; grid-template-columns: 19rem minmax(0, 1fr); gap: 1.5rem; }
@media (max-width: 50rem) { main { grid-template-columns: minmax(0, 1fr); } }
.controls { align-self: start; position: sticky; top: .75rem; display: grid; gap: .5rem; }
@media (max-width: 50rem) { .controls { position: static; } }
label { display: flex; justify-content: space-between; align-items: baseline; gap: .75rem; }
select, input { font: inherit; width: 12rem; color: var(--ink); background: var(--panel);
  border: 1px solid var(--line); border-radius: 4px; padding: .15rem .4rem; }
#list { width: 100%; height: 13rem; font: 13px/1.4 ui-monospace, monospace; }
#legend { height: 1.1rem; border: 1px solid var(--line); border-radius: 3px; }
#legend.unit { background: linear-gradient(to right, rgb(var(--negative)), transparent,
  rgb(var(--positive))); }
#legend.bits { background: linear-gradient(to right, transparent, rgb(var(--positive))); }
#ends { display: flex; justify-content: space-between; font-size: 13px; }
#correlations { width: 100%; font-size: 13px; }
#correlations td { padding-right: 0; }
#correlations td:nth-child(2) { text-align: right; width: 3.5rem; }
#correlations td:nth-child(3) { width: 6rem; padding-left: .6rem; }
.bar { display: block; height: .7rem; margin-top: .3rem; border-radius: 2px; }
#now { position: sticky; top: 0; min-height: 5.6rem; padding: .6rem .8rem; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; display: grid; gap: .1rem;
  grid-template-columns: max-content minmax(0, 1fr); column-gap: .8rem; font-size: 14px; }
#now b, #correlations b { font-weight: 600; }
#now code { font: 14px ui-monospace, monospace; background: var(--paper); padding: 0 .3em;
  border: 1px solid var(--line); border-radius: 3px; margin-right: .25em; }
#text { font: 15px/1.7 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  padding: .75rem .25rem; tab-size: 4; }
#text span { padding: .1em 0; }
#text span, #legend, .bar { forced-color-adjust: none; }
#text .marked { color: color-mix(in srgb, var(--ink) 75%, transparent); }
#text .current { outline: 2px solid var(--ink); border-radius: 2px; }
#error { border: 2px solid rgb(var(--positive)); padding: .5rem .75rem; }
kbd { border: 1px solid var(--line); border-radius: 3px; padding: 0 .3em; font-size: .9em; }
)css";

const char* const kBody = R"html(
<p id="error" role="alert" hidden></p>
<noscript><p>This page colours the text by a script of its own; allow it to run.</p></noscript>
<main>
<div class="controls">
<label>Colour by <select id="mode"><option value="unit">a unit<option value="bits">surprise</select></label>
<label>Unit <input id="search" type="search" inputmode="numeric" autocomplete="off" placeholder="number"></label>
<label>Sort by <select id="sort"></select></label>
<select id="list" size="10" aria-label="units and their correlation with what they are sorted by"></select>
<div>
<div id="legend" aria-hidden="true"></div>
<div id="ends"><span></span><span></span><span></span></div>
</div>
<table id="correlations"></table>
</div>
<div>
<div id="now" aria-live="polite"></div>
<div id="text" tabindex="0" role="group" aria-label="the text; arrow keys move through symbols and units"></div>
</div>
</main>
<h2>How to read this page</h2>
<p>A symbol has the colour of the unit's activation after the model has read it: blue below zero,
orange above, strong where the value is far from zero. Coloured by surprise, a symbol is strong where
the model did not expect it: &minus;log<sub>2</sub> of the probability that it gave the symbol, in
bits. The strongest colour stands for equal probabilities for all symbols, and for more.</p>
<p>The list shows Pearson&rsquo;s correlation of each unit with a property of the symbols of this text,
the one with which it is strongest or the one chosen: at +1 or &minus;1 the unit follows it exactly. Double quotes and brackets count from the opening to the
symbol before the closing one; an empty line ends a quotation; the position in the line is counted in
symbols; upper case is A to Z. Among many units some correlate by chance: look at the text, and at
another text, before you believe it. A dash stands where the property or the unit does not vary.</p>
<p>Keys in the text: <kbd>&larr;</kbd> <kbd>&rarr;</kbd> move by a symbol, <kbd>&uarr;</kbd>
<kbd>&darr;</kbd> to the unit above or below in the list, <kbd>s</kbd> between unit and surprise;
<kbd>/</kbd> searches a unit. The address keeps the unit.</p>
<p>Every activation is stored as a whole number of steps from &minus;127 to 127. A step of a unit is
1/127 of its largest absolute activation in this text, so a value shown is wrong by half a step at most.
Surprise is rounded to 0.01 bits, a probability to 1&nbsp;%.</p>
)html";

const char* const kScript = R"js(
'use strict';
const at = id => document.getElementById(id);
addEventListener('error', event => {
  at('error').hidden = false;
  at('error').textContent = 'This page failed: ' + event.message;
});

const data = JSON.parse(at('data').textContent);
const count = data.symbols.length;
const values = Int8Array.from(atob(data.values), c => c.charCodeAt(0) << 24 >> 24);
const marked = new Set(data.marked);
let row = 0;       // of the unit, in data.units
let current = -1;  // symbol

const number = x => x === null ? '\u2013' : x.toFixed(2).replace('-', '\u2212');
const value = (r, k) => values[r * count + k] * data.steps[r];
const name = symbol => data.table[symbol].trim() || '\u2423';  // a blank

function element(tag, text, style) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

const spans = data.symbols.map((symbol, k) => {
  const span = element('span', data.table[symbol], marked.has(symbol) ? 'marked' : '');
  span.index = k;
  return span;
});
at('text').append(...spans);

// From -1 to 1.
const colour = x =>
  `rgb(var(--${x < 0 ? 'negative' : 'positive'}) / ${Math.min(1, Math.abs(x)).toFixed(3)})`;

function paint() {
  const unit = at('mode').value === 'unit';
  spans.forEach((span, k) => {
    span.style.backgroundColor = colour(
      unit ? values[row * count + k] / 127 : (data.bits[k] ?? 0) / data.uniform);
  });
  at('legend').className = at('mode').value;
  const most = 127 * data.steps[row];
  const ends = unit ? [number(-most), '0', number(most)] : ['0', 'bits', data.uniform + ' or more'];
  [...at('ends').children].forEach((end, k) => { end.textContent = ends[k]; });
  showCorrelations();
  showCurrent();
  history.replaceState(null, '', unit ? '#unit-' + data.units[row] : '#surprise');
}

function showCorrelations() {
  const caption = element('caption', 'Unit ' + data.units[row] + ' correlates with');
  at('correlations').replaceChildren(caption, ...data.features.map(feature => {
    const r = feature.r[row];
    const line = element('tr', '');
    const bar = element('span', '', 'bar');
    bar.style.width = 100 * Math.abs(r) + '%';
    bar.style.backgroundColor = colour(Math.sign(r));
    const cell = element('td', '');
    cell.append(bar);
    line.append(element('td', feature.name), element('td', number(r)), cell);
    return line;
  }));
}

function showCurrent() {
  if (current < 0) {
    at('now').replaceChildren(element('span', 'Point at a symbol.', 'quiet'));
    return;
  }
  const fields = [];
  const add = (label, ...parts) => {
    const field = element('span', '');
    field.append(...parts);
    fields.push(element('span', label, 'quiet'), field);
  };
  const bits = data.bits[current];
  add('symbol', element('code', name(data.symbols[current])), ` ${current + 1} of ${count}, `,
      bits === null ? 'not predicted' : `surprise ${bits.toFixed(2)} bits`);
  const guesses = data.guesses[current];
  const parts = [];
  for (let k = 0; k < guesses.length; k += 2)
    parts.push(element('code', name(guesses[k])), (guesses[k + 1] || '< 1') + ' %  ');
  add('expected', ...(parts.length ? parts : ['nothing: it is the first']));
  add('unit ' + data.units[row], number(value(row, current)));
  at('now').replaceChildren(...fields);
}

function point(k) {
  if (k < 0 || k >= count) return;
  if (current >= 0) spans[current].classList.remove('current');
  current = k;
  spans[k].classList.add('current');
  showCurrent();
}

function select(r) {
  row = r;
  at('mode').value = 'unit';
  at('list').value = r;
  paint();
}

// The property that a unit follows best.
const absolute = x => x === null ? -1 : Math.abs(x);
const strongest = data.units.map((unit, r) => data.features.reduce(
  (best, feature) => absolute(feature.r[r]) > absolute(best.r[r]) ? feature : best));

// The units whose number begins with what was typed, in the order chosen.
function fillList() {
  const typed = at('search').value.trim();
  const sort = at('sort').value;
  const feature = r => data.features[sort] ?? strongest[r];
  const rows = data.units.map((unit, r) => r).filter(r => String(data.units[r]).startsWith(typed));
  const strength = r => absolute(feature(r).r[r]);
  if (sort !== 'number') rows.sort((a, b) => strength(b) - strength(a) || a - b);
  at('list').replaceChildren(...rows.map(r => {
    const columns = [String(data.units[r]).padStart(5), number(feature(r).r[r]).padStart(7),
                     data.features[sort] ? '' : '  ' + feature(r).name];
    return new Option(columns.join('').replaceAll(' ', '\u00a0'), r);
  }));
  at('list').value = row;
  return rows;
}

at('search').addEventListener('input', () => {
  const rows = fillList();
  const exact = data.units.indexOf(Number(at('search').value));
  if (at('search').value.trim() !== '' && rows.length) select(exact >= 0 ? exact : rows[0]);
});
at('sort').addEventListener('change', () => select(fillList()[0] ?? row));
at('list').addEventListener('change', () => select(Number(at('list').value)));
at('mode').addEventListener('change', paint);
at('text').addEventListener('pointerover', event => {
  if (event.target.index !== undefined) point(event.target.index);
});
at('text').addEventListener('keydown', event => {
  const list = at('list');
  const move = by => {
    const option = list.options[list.selectedIndex + by];
    if (option) select(Number(option.value));
  };
  const keys = {
    ArrowRight: () => point(current + 1), ArrowLeft: () => point(current - 1),
    ArrowDown: () => move(1), ArrowUp: () => move(-1),
    s: () => { at('mode').value = at('mode').value === 'unit' ? 'bits' : 'unit'; paint(); },
  };
  if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
  spans[current]?.scrollIntoView({block: 'nearest'});
});
addEventListener('keydown', event => {
  if (event.key !== '/' || event.target === at('search')) return;
  event.preventDefault();
  at('search').focus();
});

at('sort').append(new Option('strongest correlation', 'any'), new Option('number', 'number'),
                  ...data.features.map((f, k) => new Option(f.name, k)));
const asked = data.units.indexOf(Number(location.hash.replace('#unit-', '') || NaN));
row = asked >= 0 ? asked : fillList()[0];
if (location.hash === '#surprise') at('mode').value = 'bits';
fillList();
paint();
document.documentElement.dataset.ready = count + ' symbols, ' + data.units.length + ' units';
)js";

}  // namespace lm::inspect_page_parts
