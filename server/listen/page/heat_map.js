// ---- Histograms over time: a column is the time between two answers, a row a bucket, the shade how many came in a
// second.

const COLUMNS = 120;        // that are kept
const NARROW_COLUMNS = 60;  // that are shown where there is little room
const SHADES = 6;
const SHADE_FACTOR = 4;  // how many times as many a shade stands for as the one before it
const ROW = 14;          // pixels
const EDGE = {
  left: 58,
  right: 42,
  top: 6,
  bottom: 20
};

// The least of 1, 2, 5, 10, ... that is not below `value`, so that the shades do not change with each answer.
function roundUp(value) {
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * ten).find((round) => round >= value * 0.999999);
}

class HeatMap {
  // `figure`: has a canvas, a .reading, a .legend and a table. `words`: {unit: what is counted, bound: a bound as text,
  // exact: true if a bucket holds whole numbers}.
  constructor(figure, words) {
    this.figure = figure;
    this.words = words;
    this.canvas = figure.querySelector("canvas");
    this.reading = figure.querySelector(".reading");
    this.details = figure.querySelector("details");
    this.columns = [];
    this.bounds = [];
    this.read = null;  // {column, row} under the pointer or the keys
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.canvas.addEventListener("pointermove", (event) => this.onPointer(event));
    this.canvas.addEventListener("pointerleave", () => this.readCell(null));
    this.canvas.addEventListener("blur", () => this.readCell(null));
    this.details.addEventListener("toggle", () => this.showTable());
    new ResizeObserver(() => this.draw()).observe(figure);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // `columns`: [{time, seconds, counts, marks}], the oldest first. counts: null if nothing is known of that time.
  // marks: {name: value on the rows' scale, or null}. `limit`: a value to draw a line at; 0: none.
  show(bounds, columns, limit) {
    this.bounds = bounds;
    this.columns = columns;
    this.limit = limit;
    this.findRows();
    this.draw();
    this.showTable();
  }

  // Which rows are worth showing: those with counts, and some around.
  findRows() {
    let low = this.bounds.length;
    let high = this.limit ? this.rowOf(this.limit) : -1;
    for (const {counts} of this.columns) {
      (counts || []).forEach((count, i) => {
        if (count > 0) {
          low = Math.min(low, i);
          high = Math.max(high, i);
        }
      });
    }
    if (high < 0) {
      low = 0;
      high = this.bounds.length - 1;
    }
    const more = Math.max(0, 10 - (high - low + 1));
    this.low = Math.max(0, Math.min(low, high) - Math.ceil(more / 2));
    this.high = Math.min(this.bounds.length - 1, Math.max(high, this.low + 9));
  }

  rowOf(value) { return Math.max(0, this.bounds.findIndex((bound) => value <= bound)); }
  lowerOf(row) { return row === 0 ? 0 : this.bounds[row - 1]; }
  shown() { return this.columns.slice(-this.columnCount); }
  rate(column, row) { return column.counts[row] / column.seconds; }

  rangeOf(row) {
    if (this.bounds[row] === Infinity) return `more than ${this.words.bound(this.lowerOf(row))}`;
    if (!this.words.exact) return `${this.words.bound(this.lowerOf(row))} to ${this.words.bound(this.bounds[row])}`;
    const [from, to] = [this.lowerOf(row) + 1, this.bounds[row]];
    return from === to ? `${to} ${to === 1 ? "row" : "rows"}` : `${from} to ${to} rows`;
  }

  // ---- What is drawn

  draw() {
    const width = this.canvas.parentElement.clientWidth;
    if (!width || !this.bounds.length) return;
    const height = EDGE.top + EDGE.bottom + ROW * (this.high - this.low + 1);
    const scale = window.devicePixelRatio || 1;
    this.columnCount = width < 480 ? NARROW_COLUMNS : COLUMNS;
    this.columnWidth = (width - EDGE.left - EDGE.right) / this.columnCount;
    this.canvas.style.height = height + "px";
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue("--" + name).trim();
    this.drawFrame(pen, color, width, height);
    this.drawCells(pen, color);
    this.drawMarks(pen, color, width);
    this.drawRead(pen, color);
  }

  xOf(i) { return EDGE.left + this.columnWidth * (this.columnCount - this.shown().length + i); }
  yOf(row) { return EDGE.top + ROW * (this.high - row); }
  // Where a value lies: even inside its row.
  heightOf(value) {
    const row = Math.min(this.high, this.rowOf(value));
    const low = this.lowerOf(row);
    const high = this.bounds[row] === Infinity ? value : this.bounds[row];
    return this.yOf(row) + ROW * (1 - (high > low ? Math.max(0, value - low) / (high - low) : 1));
  }

  drawFrame(pen, color, width, height) {
    pen.fillStyle = color("plot");
    pen.fillRect(EDGE.left, EDGE.top, width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom);
    pen.fillStyle = color("quiet");
    pen.textAlign = "right";
    for (let row = this.low; row <= this.high; ++row) {
      if ((this.high - row) % 2) continue;
      const bound = this.bounds[row];
      const text = bound === Infinity ? "> " + this.words.bound(this.lowerOf(row)) : this.words.bound(bound);
      pen.fillText(text, EDGE.left - 6, this.yOf(row) + ROW / 2);
    }
    const columns = this.shown();
    pen.textAlign = "left";
    if (columns.length * this.columnWidth > 120) pen.fillText(clock(columns[0].time), this.xOf(0), height - 8);
    pen.textAlign = "right";
    if (columns.length) pen.fillText(clock(columns[columns.length - 1].time), width - EDGE.right, height - 8);
  }

  drawCells(pen, color) {
    const columns = this.shown();
    let most = 0;
    for (const column of columns) {
      if (column.counts)
        column.counts.forEach((count, row) => {
          most = Math.max(most, this.rate(column, row));
        });
    }
    this.most = most > 0 ? roundUp(most) : 0;
    const shades = Array.from({length: SHADES}, (none, i) => color("heat-" + (i + 1)));
    columns.forEach((column, i) => {
      const x = this.xOf(i);
      if (!column.counts) {
        pen.fillStyle = color("line");
        for (let y = EDGE.top; y < this.yOf(this.low - 1); y += 4) pen.fillRect(x, y, this.columnWidth, 1);
        return;
      }
      for (let row = this.low; row <= this.high; ++row) {
        const rate = this.rate(column, row);
        if (rate === 0) continue;
        pen.fillStyle = shades[this.shadeOf(rate)];
        pen.fillRect(x, this.yOf(row), Math.max(1, this.columnWidth - (this.columnWidth > 4 ? 1 : 0)), ROW - 1);
      }
    });
    this.showLegend();
  }

  // On a scale of powers, so that a single slow request shows beside a thousand fast ones.
  shadeOf(rate) {
    const below = Math.log(this.most / rate) / Math.log(SHADE_FACTOR);
    return Math.max(0, Math.min(SHADES - 1, Math.ceil(SHADES - 1 - below - 1e-9)));
  }

  showLegend() {
    const steps =
        this.most === 0 ? [] : Array.from({length: SHADES}, (none, i) => this.most / SHADE_FACTOR ** (SHADES - 1 - i));
    const legend = this.figure.querySelector(".legend");
    follow(
        legend, steps, (step) => String(steps.indexOf(step) + 1),
        (step) =>
            make("li", {}, make("span", {class: `shade heat-${steps.indexOf(step) + 1}`, "aria-hidden": "true"}), ""),
        (item, step) => {
          item.lastChild.data = `≤ ${amount(step)}${step === this.most ? ` ${this.words.unit}/s` : ""}`;
        });
  }

  drawMarks(pen, color, width) {
    const columns = this.shown();
    const names = [...new Set(columns.flatMap(({marks}) => Object.keys(marks)))];
    const lines =
        names.map((name, i) => ({name, dash: i ? [5, 3] : [], values: columns.map(({marks}) => marks[name] ?? null)}));
    if (this.limit) lines.push({name: "limit", dash: [1, 3], values: columns.map(() => this.limit)});
    let free = Infinity;  // labels stand above each other, the lowest line's first
    pen.textAlign = "left";
    for (const {name, dash, values} of lines) {
      pen.beginPath();
      let on = false;
      values.forEach((value, i) => {
        if (value === null) {
          on = false;
          return;
        }
        const y = this.heightOf(value);
        if (!on) pen.moveTo(this.xOf(i), y);
        pen.lineTo(this.xOf(i), y);
        pen.lineTo(this.xOf(i) + this.columnWidth, y);
        on = true;
      });
      for (const [stroke, thickness] of [[color("plot"), 4], [color("mark"), 2]]) {
        pen.setLineDash(thickness === 4 ? [] : dash);
        pen.strokeStyle = stroke;
        pen.lineWidth = thickness;
        pen.stroke();
      }
      const last = values[values.length - 1];
      if (last === null || last === undefined) continue;
      free = Math.min(this.heightOf(last), free - 12);
      pen.fillStyle = color("mark");
      pen.fillText(name, width - EDGE.right + 4, Math.max(free, EDGE.top + 5));
    }
    pen.setLineDash([]);
  }

  // ---- What is read

  drawRead(pen, color) {
    const i = this.read ? this.shown().indexOf(this.read.column) : -1;
    if (i < 0) return;
    pen.strokeStyle = color("text");
    pen.lineWidth = 2;
    pen.strokeRect(this.xOf(i) - 1, this.yOf(this.read.row) - 1, this.columnWidth + 2, ROW + 1);
  }

  readCell(read) {
    this.read = read;
    this.draw();
    if (!read) return write(this.reading, "");
    const {time, seconds, counts} = read.column;
    const at = `${clock(time)}, ${this.rangeOf(read.row)}: `;
    if (!counts) return write(this.reading, at + "not known");
    const all = counts.reduce((sum, count) => sum + count, 0);
    const share = all ? `, ${percent(counts[read.row] / all)} of all` : "";
    return write(this.reading, `${at}${amount(counts[read.row] / seconds)} ${this.words.unit}/s${share}`);
  }

  onPointer(event) {
    const columns = this.shown();
    const i = Math.floor((event.offsetX - this.xOf(0)) / this.columnWidth);
    const row = this.high - Math.floor((event.offsetY - EDGE.top) / ROW);
    this.readCell(columns[i] && row >= this.low && row <= this.high ? {column: columns[i], row} : null);
  }

  onKey(event) {
    const columns = this.shown();
    const moves = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
      Home: [-COLUMNS, 0],
      End: [COLUMNS, 0]
    };
    if (event.key === "Escape") return this.readCell(null);
    if (!moves[event.key] || !columns.length || event.altKey || event.ctrlKey || event.metaKey) return undefined;
    event.preventDefault();
    if (!this.read || !columns.includes(this.read.column)) {
      const column = columns[columns.length - 1];
      return this.readCell({column, row: this.fullest(column)});
    }
    const [right, up] = moves[event.key];
    const at = columns.indexOf(this.read.column) + right;
    return this.readCell({
      column: columns[Math.max(0, Math.min(columns.length - 1, at))],
      row: Math.max(this.low, Math.min(this.high, this.read.row + up))
    });
  }

  // The row of a column with the most in it.
  fullest({counts}) {
    if (!counts) return this.low;
    return counts.reduce((best, count, row) => (count > counts[best] ? row : best), this.low);
  }

  showTable() {
    if (!this.details.open) return;
    const {counts, seconds} = this.columns[this.columns.length - 1] || {};
    const all = counts ? counts.reduce((sum, count) => sum + count, 0) : 0;
    const rows = [];
    (counts || []).forEach((count, row) => {
      if (count === 0) return;
      const from = this.words.exact ? whole(this.lowerOf(row) + 1) : this.words.bound(this.lowerOf(row));
      const to = this.bounds[row] === Infinity ? "more" : this.words.bound(this.bounds[row]);
      rows.push({key: String(row), cells: [from, to, amount(count / seconds), percent(count / all)]});
    });
    fill(this.figure.querySelector("table"), rows);
  }
}
