// ---- Numbers as people read them, and pieces of the document. Whatever comes from the server goes in as text.

const NONE = "–";
const UNIT = "\u00a0";  // between a number and its unit, which no line break parts

function digits(number, count) { return String(Number(number.toPrecision(count))); }

// A whole number with its thousands apart.
function whole(number) { return number === null ? NONE : Math.round(number).toLocaleString("en-US"); }

// Any number, to three digits.
function amount(number) {
  if (number === null || !isFinite(number)) return NONE;
  return Math.abs(number) >= 100 ? whole(number) : digits(number, 3);
}

function percent(share) { return share === null || !isFinite(share) ? NONE : digits(100 * share, 3) + UNIT + "%"; }

function duration(seconds) {
  if (seconds === null) return NONE;
  if (seconds === Infinity) return "longer";
  if (seconds < 1e-3) return digits(seconds * 1e6, 3) + UNIT + "µs";
  return seconds < 1 ? digits(seconds * 1e3, 3) + UNIT + "ms" : digits(seconds, 3) + UNIT + "s";
}

function bytes(count) {
  return count >= 2 ** 30 ? digits(count / 2 ** 30, 3) + UNIT + "GiB" : digits(count / 2 ** 20, 3) + UNIT + "MiB";
}

function longTime(seconds) {
  if (seconds < 120) return whole(seconds) + UNIT + "s";
  if (seconds < 7200) return whole(seconds / 60) + " min";
  return seconds < 172800 ? whole(seconds / 3600) + " h" : whole(seconds / 86400) + " days";
}

function clock(date) { return date.toTimeString().slice(0, 8); }

function byId(id) { return document.getElementById(id); }

// An element with attributes and children, which are elements or texts.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

// Only what has changed: a live region that is written again would be read aloud again.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Makes the children of `parent` those of `items`, in order; a child stays with its key, and so do its focus and state.
function follow(parent, items, keyOf, build, update) {
  const children = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, i) => {
    const key = keyOf(item);
    const child = children.get(key) || build(item);
    children.delete(key);
    child.dataset.key = key;
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] || null);
    update(child, item);
  });
  for (const child of children.values()) child.remove();
}

// Rows of a table: {key, cells, note: a word under the first cell, top: see trace}. A cell is a text, or a list of
// numbers over time that becomes a line.
function fill(table, rows) {
  const build = ({cells, note}) => make("tr", {}, ...cells.map((cell, i) => {
    if (i === 0) return make("th", {scope: "row"}, make("span"), ...(note ? [make("small", {}, note)] : []));
    return Array.isArray(cell) ? make("td", {class: "line"}, sparkline()) : make("td", {class: "number"});
  }));
  follow(table.tBodies[0], rows, ({key}) => key, build, (row, {cells, top}) => {
    cells.forEach((cell, i) => {
      if (Array.isArray(cell))
        trace(row.cells[i].firstChild, cell, top);
      else
        write(i === 0 ? row.cells[0].firstChild : row.cells[i], cell);
    });
  });
}

// A small line over time without numbers of its own: they stand beside it.
function sparkline() {
  return draw(
      "svg", {class: "sparkline", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true"},
      draw("path", {class: "ground", d: "M0 19.5H100"}), draw("path", {class: "trace"}));
}

// `values`: the newest last, one a column of the heat maps; null: unknown. `top`: what reaches the upper edge; the
// largest value if it is left out.
function trace(svg, values, top = Math.max(...values.filter((value) => value !== null))) {
  const step = 100 / (COLUMNS - 1);
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = 100 - (values.length - 1 - i) * step;
    path += `${pen}${x.toFixed(1)} ${(19 - 18 * (top > 0 ? Math.min(1, value / top) : 0)).toFixed(1)}`;
    pen = "L";
  });
  svg.lastChild.setAttribute("d", path);
}
