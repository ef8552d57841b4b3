// ---- Asks, and keeps what was answered.

const FAMILIES = [...byId("family").options].map((option) => option.value);
const PATIENCE = 5000;  // milliseconds for one answer
const state = {
  metrics: null,  // the last answer, and when
  at: 0,
  time: null,
  columns: [],        // of the heat maps: {time, seconds, histograms, rows of all kernel calls by model}
  traces: new Map(),  // name: numbers, one an answer
  models: [],         // of /models.json
  modelsNote: "",
  modelsSign: null,  // of what /models.json was last asked for
  turn: 0,           // the number of the newest question: what answers an older one is dropped
  timer: 0,
};
const latency = new HeatMap(byId("latency"), {unit: "requests", bound: duration});
const batches = new HeatMap(byId("batches"), {unit: "calls", bound: (rows) => whole(rows), exact: true});

// ---- Asking

async function ask(path) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const answer = await fetch(path, {cache: "no-store", signal: patience.signal});
    return {ok: answer.ok, status: answer.status, text: await answer.text()};
  } finally {
    clearTimeout(timer);
  }
}

async function turn() {
  const number = ++state.turn;
  clearTimeout(state.timer);
  try {
    const [metrics, ready] = await Promise.all([ask("metrics"), ask("readyz")]);
    if (number !== state.turn) return;
    if (!metrics.ok) throw new Error(`/metrics answers ${metrics.status}`);
    take(new Metrics(metrics.text), performance.now(), new Date());
    await askForModels();
    if (number !== state.turn) return;
    showStatus(
        ready.ok ? "ready" : "waiting", ready.ok ? "Ready: takes requests" : ready.text.trim().replace(/^n/, "N"));
    show();
  } catch (error) {
    if (number !== state.turn) return;
    keep({time: new Date(), seconds: 1, histograms: null});
    showAway(error);
    showHeat();
  }
  state.timer = setTimeout(turn, 1000 * byId("every").value);
}

// Models change seldom: they are asked for when the metrics say that one has come, gone or been loaded anew.
async function askForModels() {
  const of = (name) => state.metrics.of(name).map(({labels, value}) => JSON.stringify([labels, value]));
  const sign = [
    startOf(state.metrics), ...of("rondo_model_info"), ...of("rondo_model_loaded"),
    ...of("rondo_model_load_failures_total"), ...of("rondo_model_load_duration_seconds_count")
  ].join();
  if (sign === state.modelsSign) return;
  try {
    const answer = await ask("models.json");
    state.models = answer.ok ? JSON.parse(answer.text).models : [];
    state.modelsNote = answer.ok ? "" : answer.text.trim();
    state.modelsSign = sign;
  } catch (error) {
    state.modelsNote = `/models.json does not answer: ${error.message}`;
  }
}

// ---- Keeping

function startOf(metrics) { return metrics.sum("process_start_time_seconds"); }

function keep(column) { state.columns = [...state.columns, column].slice(-COLUMNS); }

function take(metrics, at, time) {
  const goesOn = state.metrics && startOf(state.metrics) === startOf(metrics);
  state.change = goesOn ? new Change(state.metrics, metrics, (at - state.at) / 1000) : null;
  if (state.change) {
    const histograms =
        Object.fromEntries([...FAMILIES, "rondo_batch_size"].map((family) => [family, state.change.histogram(family)]));
    const rows = new Map(metrics.values("rondo_batch_size_sum", "model")
                             .map((model) => [model, state.change.growth("rondo_batch_size_sum", {model})]));
    keep({time, seconds: state.change.seconds, histograms, rows});
  } else if (state.metrics) {
    keep({time, seconds: 1, histograms: null});
  }
  state.metrics = metrics;
  state.at = at;
  state.time = time;
}

// Adds to what is known of `name` over time, and returns it.
function remember(name, value) {
  const values = [...(state.traces.get(name) || []), value].slice(-COLUMNS);
  state.traces.set(name, values);
  return values;
}

function rate(name, wanted) { return state.change ? state.change.rate(name, wanted) : null; }

// The counts of a histogram of one column between `bounds`: of one model; of all, if it is "" or the family has none.
function countsOf({byModel}, model, bounds) {
  const some = model === "" || byModel.has("") ? [...byModel.values()] : [byModel.get(model) || []];
  return bounds.map((bound, i) => some.reduce((sum, counts) => sum + (counts[i] || 0), 0));
}

// ---- Controls

byId("where").textContent = location.host;
byId("family").addEventListener("change", showHeat);
byId("model").addEventListener("change", showHeat);
byId("every").addEventListener("change", () => {
  if (byId("pause").getAttribute("aria-pressed") === "false") turn();
});
byId("pause").addEventListener("click", () => {
  const pauses = byId("pause").getAttribute("aria-pressed") === "false";
  byId("pause").setAttribute("aria-pressed", String(pauses));
  write(byId("pause"), pauses ? "Go on" : "Pause");
  if (!pauses) return turn();
  clearTimeout(state.timer);
  ++state.turn;
  showStatus("paused", "Paused: the numbers stand still");
});
turn();
