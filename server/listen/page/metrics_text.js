// ---- Reads Prometheus' text format, as /metrics answers it.

const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function numberOf(text) { return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text); }

function labelsOf(text) {
  const labels = Object.create(null);
  for (const [, name, value] of text.matchAll(LABEL)) {
    labels[name] = value.replace(/\\(.)/g, (all, escaped) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

// One answer of /metrics.
class Metrics {
  constructor(text) {
    this.samples = new Map();  // by name: [{labels, value}]
    for (const line of text.split("\n")) {
      const found = line.startsWith("#") ? null : SAMPLE.exec(line);
      if (!found) continue;
      if (!this.samples.has(found[1])) this.samples.set(found[1], []);
      this.samples.get(found[1]).push({labels: labelsOf(found[2] || ""), value: numberOf(found[3])});
    }
  }

  of(name) { return this.samples.get(name) || []; }

  // The sum of the samples with these labels; 0 if there is none, as a series that is not there yet would say.
  sum(name, wanted = {}) {
    let sum = 0;
    for (const {labels, value} of this.of(name)) {
      if (Object.keys(wanted).every((label) => labels[label] === wanted[label])) sum += value;
    }
    return sum;
  }

  // The values of a label, in the order that they come in.
  values(name, label) { return [...new Set(this.of(name).map(({labels}) => labels[label]))]; }

  // A histogram: its bounds, the last one infinite, and for each model the counts between them. All other labels are
  // summed up; a family without models has the model "".
  histogram(family) {
    const bounds = [];
    const at = new Map();
    const byModel = new Map();
    for (const {labels, value} of this.of(family + "_bucket")) {
      if (!at.has(labels.le)) {
        at.set(labels.le, bounds.length);
        bounds.push(numberOf(labels.le));
      }
      const model = labels.model === undefined ? "" : labels.model;
      if (!byModel.has(model)) byModel.set(model, []);
      const counts = byModel.get(model);
      counts[at.get(labels.le)] = (counts[at.get(labels.le)] || 0) + value;
    }
    for (const counts of byModel.values()) {
      for (let i = counts.length - 1; i > 0; --i) counts[i] -= counts[i - 1];
    }
    return {bounds, byModel};
  }
}

// What happened between two answers of one process.
class Change {
  constructor(before, after, seconds) {
    this.before = before;
    this.after = after;
    this.seconds = seconds;
  }

  growth(name, wanted) { return this.after.sum(name, wanted) - this.before.sum(name, wanted); }
  rate(name, wanted) { return this.growth(name, wanted) / this.seconds; }

  // As Metrics.histogram, but the counts that came in between.
  histogram(family) {
    const {bounds, byModel} = this.after.histogram(family);
    const earlier = this.before.histogram(family).byModel;
    for (const [model, counts] of byModel) {
      const old = earlier.get(model) || [];
      byModel.set(model, Float64Array.from(counts, (count, i) => Math.max(0, count - (old[i] || 0))));
    }
    return {bounds, byModel};
  }
}

// Where in a histogram's counts the quantile lies, as Prometheus has it: even inside a bucket, and the last finite
// bound in the infinite one. Null: nothing was counted.
function quantileOf(bounds, counts, quantile) {
  let rank = quantile * counts.reduce((sum, count) => sum + count, 0);
  if (!(rank > 0)) return null;
  let i = 0;
  while (i < counts.length - 1 && rank > counts[i]) rank -= counts[i++];
  const low = i === 0 ? 0 : bounds[i - 1];
  return bounds[i] === Infinity ? low : low + (bounds[i] - low) * rank / counts[i];
}
