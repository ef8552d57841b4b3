// ---- Shows what is kept.

const RECENT = 10;        // answers that a percentile of the tiles covers
const NEARLY_FULL = 0.9;  // of a limit
const NOT_KNOWN = "Not known for the last interval.";
const EVENTS = {
  created: "a new one began",
  deleted: "a client ended it",
  expired: "idle for too long, or its lifetime was over",
  restarted: "begun anew under its name",
  evicted: "left memory, is in the store",
  restored: "came back from the store",
  moved: "another server has it",
  adopted: "goes on with a new version",
  went_back: "its server ended without saving",
  abandoned: "idle, and its place was needed",
};
const TITLES = {ready: "● ready", waiting: "▲ not ready", away: "✕ no answer", paused: "❚❚ paused"};

function showStatus(name, text) {
  byId("status").dataset.state = name;
  write(byId("status-text"), text);
  document.title = `${TITLES[name]} – Rondo ${location.host}`;
  document.body.classList.toggle("old", name === "away");
  if (name === "ready" || name === "waiting") write(byId("asked"), `Numbers of ${clock(state.time)}`);
}

function showAway(error) {
  const since = state.time ? ` The numbers are those of ${clock(state.time)}.` : "";
  showStatus("away", "The server does not answer.");
  write(
      byId("asked"),
      `Tried at ${clock(new Date())} (${
          error.name === "AbortError" ? "no answer in 5 s" : error.message}); goes on trying.${since}`);
}

function show() {
  const busy = showLoops();
  showTiles(busy);
  showConcerns(busy);
  showCounters("events", "rondo_session_events_total", ["event"], ({event}) => EVENTS[event]);
  const refused = showCounters("refusals", "rondo_rejected_total", ["reason"], () => "", true);
  write(byId("never-refused"), refused ? "" : "Nothing was turned away since the server's start.");
  showCounters("requests", "rondo_request_duration_seconds_count", ["method", "code"], ({code}) => code, true);
  showModelChoice();
  showHeat();
  showModels();
  showVersions();
  const build = (state.metrics.of("rondo_build_info")[0] || {labels: {}}).labels;
  write(
      byId("build"),
      `rondo-server ${build.version}, ${build.compiler}; up for ${
          longTime(state.time / 1000 - startOf(state.metrics))}`);
}

// A row for each value that the labels have, all models together: the first label's, and under it a note. `usedOnly`:
// those that never counted are left out. Returns how many rows there are.
function showCounters(table, name, labels, noteOf, usedOnly = false) {
  const keys = new Map();
  for (const sample of state.metrics.of(name)) {
    const wanted = Object.fromEntries(labels.map((label) => [label, sample.labels[label]]));
    keys.set(Object.values(wanted).join(" "), wanted);
  }
  const rows = [...keys]
                   .map(([key, wanted]) => {
                     const now = rate(name, wanted);
                     const total = state.metrics.sum(name, wanted);
                     return {
                       key,
                       total,
                       note: noteOf(wanted),
                       cells: [wanted[labels[0]], remember(`${table} ${key}`, now), amount(now), whole(total)]
                     };
                   })
                   .filter(({total}) => total > 0 || !usedOnly);
  fill(byId(table), rows);
  byId(table).hidden = rows.length === 0;
  return rows.length;
}

// Returns the busy share of each loop.
function showLoops() {
  const shares = new Map();
  const rows = state.metrics.values("rondo_loop_busy_seconds_total", "loop").map((loop) => {
    const share = rate("rondo_loop_busy_seconds_total", {loop});
    shares.set(loop, share);
    return {
      key: loop,
      top: 1,
      cells: [
        loop, remember(`loop ${loop}`, share), percent(share),
        whole(state.metrics.sum("rondo_active_sequences", {loop})),
        whole(state.metrics.sum("rondo_queued_sequences", {loop}))
      ]
    };
  });
  fill(byId("loops"), rows);
  write(byId("max-sequences"), whole(state.metrics.sum("rondo_max_sequences")));
  return shares;
}

function recentQuantile(quantile) {
  const known =
      state.columns.slice(-RECENT).filter(({histograms}) => histograms).map(({histograms}) => histograms[FAMILIES[0]]);
  if (!known.length) return null;
  const {bounds} = known[known.length - 1];
  const counts = known.map((histogram) => countsOf(histogram, "", bounds));
  return quantileOf(bounds, counts.reduce((sum, more) => sum.map((count, i) => count + more[i])), quantile);
}

// By name: {text, value: for the line under it, limit: of the value, note}.
function tilesOf(busy) {
  const {metrics} = state;
  const of = (name, most) => {
    const [value, limit] = [metrics.sum(name), metrics.sum(most)];
    return {text: whole(value), value, limit, note: limit > 0 ? `of ${whole(limit)} at most` : ""};
  };
  const perSecond = (value, note) => ({text: amount(value), unit: "/s", value, note});
  const latencyTile = (quantile, note) => {
    const value = recentQuantile(quantile);
    return {text: duration(value), value, note};
  };
  const busiest = [...busy.values()].reduce((most, share) => (share === null ? most : Math.max(most, share)), 0);
  return {
    "Steps": perSecond(rate("rondo_steps_total"), "timesteps computed"),
    "Requests": perSecond(rate("rondo_request_duration_seconds_count"), "messages answered"),
    "Turned away": perSecond(rate("rondo_rejected_total"), "for any reason"),
    "Latency, half": latencyTile(0.5, `p50 of the last ${RECENT} answers`),
    "Latency, slow": latencyTile(0.99, `p99 of the last ${RECENT} answers`),
    "Busiest loop": {
      text: state.change ? percent(busiest) : NONE,
      value: state.change ? busiest : null,
      limit: 1,
      note: "100 %: no time left"
    },
    "In flight": {
      text: whole(metrics.sum("rondo_requests_in_flight")),
      value: metrics.sum("rondo_requests_in_flight"),
      note: "messages not answered yet"
    },
    "Sessions": of("rondo_sessions", "rondo_max_sessions"),
    "Streams": of("rondo_streams", "rondo_max_streams"),
    "Connections": of("rondo_connections", "rondo_max_connections"),
    "CPU": {
      text: state.change ? digits(rate("process_cpu_seconds_total"), 2) : NONE,
      unit: "cores",
      value: rate("process_cpu_seconds_total"),
      note: "busy, of the process"
    },
    "Memory": {
      text: bytes(metrics.sum("process_resident_memory_bytes")),
      value: metrics.sum("process_resident_memory_bytes"),
      note: "resident"
    },
  };
}

function showTiles(busy) {
  const build = () => make(
      "div", {class: "tile"}, make("dt"), make("dd", {}, make("b"), " ", make("span")), make("dd", {class: "quiet"}),
      make("dd", {}, sparkline()));
  follow(
      byId("tiles"), Object.entries(tilesOf(busy)), ([name]) => name, build,
      (tile, [name, {text, unit, value, limit, note}]) => {
        write(tile.children[0], name);
        write(tile.children[1].firstChild, text);
        write(tile.children[1].lastChild, unit || "");
        write(tile.children[2], note);
        tile.classList.toggle("full", limit > 0 && value >= NEARLY_FULL * limit);
        trace(tile.children[3].firstChild, remember(`tile ${name}`, value), name === "Busiest loop" ? 1 : undefined);
      });
}

function concerns(busy) {
  const {metrics} = state;
  const found = [];
  if (metrics.of("rondo_store_up").some(({value}) => value === 0)) found.push("The session store does not answer.");
  for (const {labels, value} of metrics.of("rondo_model_loaded")) {
    if (value !== 0) continue;
    const {reason} = modelOf(labels) || {};
    found.push(`Model ${labels.model}, version ${labels.version}: its newest file could not be loaded${
        reason ? `: ${reason}` : "."}`);
  }
  for (const [loop, share] of busy)
    if (share >= NEARLY_FULL) found.push(`Serving loop ${loop} is busy for 90 % of the time or more.`);
  for (const [what, name, most] of [
           ["sessions", "rondo_sessions", "rondo_max_sessions"], ["streams", "rondo_streams", "rondo_max_streams"],
           ["connections", "rondo_connections", "rondo_max_connections"],
           ["descriptors", "process_open_fds", "process_max_fds"]]) {
    const limit = metrics.sum(most);
    if (limit > 0 && metrics.sum(name) >= NEARLY_FULL * limit)
      found.push(`Nearly full: ${what}, 90 % or more of what there may be.`);
  }
  const reasons =
      metrics.values("rondo_rejected_total", "reason").filter((reason) => rate("rondo_rejected_total", {reason}) > 0);
  if (reasons.length) found.push(`Requests are turned away: ${reasons.join(", ")}.`);
  const expiry = metrics.sum("rondo_tls_certificate_expiry_timestamp_seconds");
  if (expiry > 0 && expiry - state.time / 1000 < 14 * 86400)
    found.push(`The TLS certificate expires on ${new Date(1000 * expiry).toISOString().slice(0, 10)}.`);
  if (metrics.sum("rondo_store_damaged_bytes_total") > 0)
    found.push("A part of the session store's log was damaged and left out at the start.");
  return found;
}

function showConcerns(busy) {
  const found = concerns(busy);
  const items = found.length ? found : ["Nothing."];
  byId("concerns").classList.toggle("some", found.length > 0);
  follow(byId("concerns"), items, (text) => text, (text) => make("li", {}, text), () => {});
}

function showModelChoice() {
  const names = state.metrics.values("rondo_batch_size_count", "model");
  follow(
      byId("model"), ["", ...names], (name) => "model " + name, (name) => make("option", {value: name}, name || "all"),
      () => {});
}

function showHeat() {
  const family = byId("family").value;
  const known = [...state.columns].reverse().find(({histograms}) => histograms);
  if (!known) return;
  const model = byId("model").value;
  const columnsOf = (name, marksOf) => state.columns.map(({time, seconds, histograms, rows}) => {
    if (!histograms) return {time, seconds, counts: null, marks: {}};
    const {bounds} = known.histograms[name];
    const counts = countsOf(histograms[name], model, bounds);
    return {time, seconds, counts, marks: marksOf(counts, bounds, rows)};
  });
  latency.words.unit = {
    rondo_request_duration_seconds: "requests",
    rondo_queue_duration_seconds: "sequences"
  }[family] ||
      (family.includes("turn") ? "turns" : "calls");
  const times = columnsOf(
      family, (counts, bounds) => ({p50: quantileOf(bounds, counts, 0.5), p99: quantileOf(bounds, counts, 0.99)}));
  latency.show(known.histograms[family].bounds, times, 0);
  const newest = times[times.length - 1];
  if (!newest.counts)
    write(byId("latency-now"), NOT_KNOWN);
  else
    write(
        byId("latency-now"),
        newest.marks.p50 === null ?
            "Nothing in the last interval." :
            `Half within ${duration(newest.marks.p50)}, 99 % within ${duration(newest.marks.p99)}.`);
  showBatches(columnsOf, known, model);
}

// The mean is of the sum that the metrics have, not of the buckets.
function showBatches(columnsOf, known, model) {
  const limits =
      state.metrics.of("rondo_batch_size_limit").filter(({labels}) => model === "" || labels.model === model);
  const limit = Math.max(0, ...limits.map(({value}) => value));
  const columns = columnsOf("rondo_batch_size", (counts, bounds, rows) => {
    const calls = counts.reduce((sum, count) => sum + count, 0);
    const some = model === "" ? [...rows.values()] : [rows.get(model) || 0];
    return {mean: calls ? some.reduce((sum, more) => sum + more) / calls : null};
  });
  batches.show(known.histograms.rondo_batch_size.bounds, columns, limit);
  const {counts, marks: {mean}} = columns[columns.length - 1];
  if (!counts) return write(byId("batches-now"), NOT_KNOWN);
  if (!mean) return write(byId("batches-now"), "No kernel call in the last interval.");
  return write(
      byId("batches-now"),
      `${amount(mean)} rows a kernel call, of ${whole(limit)} at most: ${percent(mean / limit)} full.`);
}
