// ---- Models: a network as a picture, the input on top, each element below all that it takes.

const BOX = {
  width: 148,
  height: 42,
  gap: 20,
  rise: 26,
  bend: 14
};

function shapeOf({channels, length}) { return length > 1 ? `${channels} × ${length}` : String(channels); }

function shortened(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }

// Puts each element on a layer. An edge that passes a layer has a bend there, a node without a box, so that no box
// hides it. Returns the layers, top down: each a list of {name, of: nodes, element}.
function layersOf(elements) {
  const input = {name: "input", of: [], depth: 0};
  const nodes = new Map([["input", input]]);
  const layers = [[input]];
  const put = (node) => {
    (layers[node.depth] = layers[node.depth] || []).push(node);
    return node;
  };
  for (const element of elements) {
    const parents = element.of.map((name) => nodes.get(name)).filter(Boolean);
    const depth = 1 + Math.max(0, ...parents.map((parent) => parent.depth));
    const node = put({name: element.name, of: [], depth, element});
    for (let parent of parents) {
      while (parent.depth < depth - 1) parent = put({of: [parent], depth: parent.depth + 1});
      node.of.push(parent);
    }
    nodes.set(element.name, node);
  }
  return layers;
}

// Gives each node the middle of its parents, as far as its neighbours leave room. Returns the width of all.
function place(layers) {
  const widthOf = (node) => (node.name ? BOX.width : BOX.bend);
  let [left, right] = [0, 0];
  for (const layer of layers) {
    for (const node of layer) {
      node.wish = node.of.length ? node.of.reduce((sum, parent) => sum + parent.x, 0) / node.of.length : 0;
    }
    layer.sort((one, other) => one.wish - other.wish);
    let free = -Infinity;
    for (const node of layer) {
      node.x = Math.max(node.wish, free + widthOf(node) / 2);
      free = node.x + widthOf(node) / 2 + BOX.gap;
    }
    const shift = layer.reduce((sum, node) => sum + node.wish - node.x, 0) / layer.length;
    for (const node of layer) {
      node.x += shift;
      left = Math.min(left, node.x - widthOf(node) / 2);
      right = Math.max(right, node.x + widthOf(node) / 2);
    }
  }
  for (const node of layers.flat()) node.x -= left;
  return right - left;
}

let tips = 0;  // arrow heads so far, each of which has a name of its own

function edge(from, to, tipId) {
  const start = from.y + (from.name ? BOX.height : BOX.height / 2);
  const end = to.name ? to.y - 3 : to.y + BOX.height / 2;
  const middle = (start + end) / 2;
  return draw("path", {
    class: "edge",
    d: `M${from.x} ${start}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${end}`,
    ...(to.name ? {"marker-end": `url(#${tipId})`} : {})
  });
}

function box(node, input) {
  const second = node.element ? `${node.element.type} · ${shapeOf(node.element)}` : input;
  return draw(
      "g", {
        class: node.element ? (node.element.state_size > 0 ? "box keeps" : "box") : "box input",
        transform: `translate(${node.x - BOX.width / 2} ${node.y})`
      },
      draw("title", {}, `${node.name}: ${second}`), draw("rect", {width: BOX.width, height: BOX.height, rx: 5}),
      draw("text", {x: BOX.width / 2, y: 17, class: "name"}, shortened(node.name, 20)),
      draw("text", {x: BOX.width / 2, y: 33}, shortened(second, 24)));
}

// `model`: of /models.json.
function graphPicture(model) {
  const layers = layersOf(model.elements);
  const width = place(layers) + 8;
  layers.forEach((layer, depth) => layer.forEach((node) => {
    node.x += 4;
    node.y = 4 + depth * (BOX.height + BOX.rise);
  }));
  const height = layers.length * (BOX.height + BOX.rise) - BOX.rise + 8;
  const input = model.tokens > 0 ? `a token of ${model.tokens}` : `${model.inputs.length} values a timestep`;
  const nodes = layers.flat();
  const tipId = `tip-${++tips}`;
  const tip = draw(
      "marker", {id: tipId, viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto"},
      draw("path", {class: "tip", d: "M0 0L8 4L0 8z"}));
  return draw(
      "svg", {
        class: "graph",
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "aria-label": `The graph of ${model.name}: ${model.elements.length} elements, which the table lists`
      },
      draw("defs", {}, tip), ...nodes.flatMap((node) => node.of.map((from) => edge(from, node, tipId))),
      ...nodes.filter((node) => node.name).map((node) => box(node, input)));
}

function elementsTable(model) {
  const columns = ["element", "type", "takes", "shape", "parameters", "state", "attributes"];
  const numbers = new Set(["parameters", "state"]);
  const cell = (column, text) => make("td", numbers.has(column) ? {class: "number"} : {}, text);
  const row = (element) => make(
      "tr", {}, make("th", {scope: "row"}, element.name), cell("type", element.type),
      cell("takes", element.of.join(", ")), cell("shape", shapeOf(element)),
      cell("parameters", whole(element.parameters)), cell("state", whole(element.state_size)),
      make(
          "td", {class: "attributes"},
          element.attributes === "{}" ? "" : element.attributes.slice(1, -1).replace(/"/g, "").replace(/,/g, ", ")));
  return make(
      "table", {}, make("caption", {}, "Elements in the order that they run; counts are of floats"),
      make(
          "thead", {},
          make(
              "tr", {},
              ...columns.map(
                  (column) => make("th", {scope: "col", ...(numbers.has(column) ? {class: "number"} : {})}, column)))),
      make("tbody", {}, ...model.elements.map(row)));
}

// ---- All models

function showModels() {
  const rows = state.metrics.values("rondo_batch_size_count", "model").map((model) => {
    const calls = rate("rondo_batch_size_count", {model});
    const rowsPerCall = calls ? rate("rondo_batch_size_sum", {model}) / calls : null;
    const limit = state.metrics.sum("rondo_batch_size_limit", {model});
    return {
      key: model,
      cells: [
        model, amount(rate("rondo_steps_total", {model})), whole(state.metrics.sum("rondo_sessions", {model})),
        amount(calls), amount(rowsPerCall), limit ? whole(limit) : NONE,
        percent(rowsPerCall === null || !limit ? null : rowsPerCall / limit)
      ]
    };
  });
  fill(byId("models"), rows);
}

function modelOf({model, version}) {
  return state.models.find(({name, version: number}) => name === model && String(number) === version);
}

const drawn = new WeakMap();  // of which model each <details> tells

function showVersions() {
  write(byId("graphs-note"), state.modelsNote);
  const infos = new Map(state.metrics.of("rondo_model_info")
                            .filter(({value}) => value === 1)
                            .map(({labels}) => [`${labels.model}\n${labels.version}`, labels]));
  const versions = state.metrics.of("rondo_model_loaded").map(({labels, value}) => {
    const key = `${labels.model}\n${labels.version}`;
    return {key, labels, info: infos.get(key), loaded: value === 1, model: modelOf(labels)};
  });
  const build = () => make(
      "details", {class: "version"},
      make("summary", {}, make("b"), make("span", {class: "tag"}), make("span", {class: "quiet"})), make("div"));
  follow(byId("versions"), versions, ({key}) => key, build, (details, version) => {
    const [name, tag, kind] = details.firstChild.children;
    write(name, `${version.labels.model} version ${version.labels.version}`);
    const live = version.info !== undefined;
    write(tag, version.loaded ? "● live" : live ? "▲ live, newest file refused" : "✕ not live");
    tag.dataset.state = version.loaded ? "good" : "bad";
    write(kind, live ? `${version.info.cell}, ${version.info.kernel}, ${version.info.dtype}` : "");
    if (drawn.has(details) && drawn.get(details) === version.model) return;
    drawn.set(details, version.model);
    const body = details.lastChild;
    body.replaceChildren();
    const unfold = () => {
      if (details.open && !body.hasChildNodes()) body.append(...describe(version));
    };
    details.ontoggle = unfold;
    unfold();
  });
}

function describe({model}) {
  if (!model) return [make("p", {class: "quiet"}, state.modelsNote || "Nothing more is known of it.")];
  const reason =
      model.reason ? [make("p", {class: "reason"}, `Its newest file could not be loaded: ${model.reason}`)] : [];
  if (!model.elements) return reason;
  const inputs = model.tokens > 0 ? `one token of ${whole(model.tokens)}` : model.inputs.join(", ");
  const facts = {
    "Inputs": inputs + (model.needs_times ? ", and a time" : ""),
    "Outputs": model.outputs.join(", ") + (model.horizon > 1 ? `, ${model.horizon} timesteps ahead` : ""),
    "Head": model.head,
    "Parameters": whole(model.parameters) + " floats",
    "State of a session": model.whole_sequence ? "none: takes whole sequences" : `${whole(model.state_size)} floats`,
    "Fingerprint": model.fingerprint,
    "Same bits in any batch": model.deterministic ? "yes" : "no",
  };
  const list = make(
      "dl", {class: "facts"},
      ...Object.entries(facts).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  const scroll = (label, content) =>
      make("div", {class: "scroll", role: "region", "aria-label": label, tabindex: "0"}, content);
  const key = make("p", {class: "quiet"}, "A thick frame: the element keeps a state between timesteps.");
  return [
    ...reason, list, key,
    make(
        "div", {class: "graphs"}, scroll(`Graph of ${model.name}`, graphPicture(model)),
        scroll(`Elements of ${model.name}`, elementsTable(model)))
  ];
}
