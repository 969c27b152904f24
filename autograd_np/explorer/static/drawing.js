// The drawing: boxes, edges, and frames that close and open.

/** The forms are those of the drawings that `render` makes. */
function form(kind, w, height, radius, name) {
  const [x, y] = [-w / 2, -height / 2];
  if (kind === "input") return s("ellipse", { class: name, rx: w / 2, ry: height / 2 });
  if (kind === "constant") {
    const c = radius;
    return s("path", { class: name, d: `M${x} ${y}H${-x - c}L${-x} ${y + c}V${-y}H${x}Z` });
  }
  return s("rect", { class: name, x, y, width: w, height, rx: kind === "parameter" ? 0 : radius });
}
function cut(text, width, size) {
  const characters = [...text];
  const room = Math.max(4, Math.floor((width - 18) / size));
  return characters.length <= room ? text : `${characters.slice(0, room - 1).join("")}…`;
}
const frames = s("g", {});
const lines = s("g", {});
const boxes = s("g", {});
const titles = s("g", { "aria-hidden": "true" }); // of frames, above the lines that cross them
world.append(frames, lines, boxes, titles);

function drawNode(node, i) {
  const operation = node.kind === "operation";
  const said = [node.name, operation && node.formula !== node.name ? `= ${node.formula}` : node.kind, `shape ${node.shape}`, node.output ? "result" : "", node.verdict === undefined ? "" : node.verdict ? "its gradient is right" : node.verdict === false ? "its gradient is wrong" : "its gradient was not judged", `${i + 1} of ${data.nodes.length}`].filter(Boolean).join(", ");
  const badge = s("g", { class: "badge" });
  node.element = s("g", { class: `node ${node.kind}${node.output ? " result" : ""}`, tabindex: -1, role: "button", "aria-label": said, "data-id": node.id,
    onclick: () => pick(node.id), onkeydown: (event) => nodeKey(event, node) },
    s("title", {}, said),
    s("rect", { class: "halo", x: -node.w / 2 - 6, y: -node.h / 2 - 6, width: node.w + 12, height: node.h + 12, rx: 14 }),
    form(node.kind, node.w, node.h, 10, "body"),
    node.output && s("rect", { class: "ring", x: -node.w / 2 + 4, y: -node.h / 2 + 4, width: node.w - 8, height: node.h - 8, rx: 7 }),
    !node.expressed && s("text", { class: "name", y: operation ? -10 : -2 }, cut(node.short || node.name, node.w, 10.4)),
    operation && s("text", { class: "formula", y: node.expressed ? -2 : 8 }, cut(node.boxed || node.formula, node.w, 8)),
    s("text", { class: "shape", y: node.expressed ? 16 : operation ? 25 : 17 }, ""),
    badge);
  node.badge = badge;
  node.line_ = node.element.querySelector(".shape");
  boxes.append(node.element);
}
/** Make the elements of all boxes, edges and frames, in the place of those there were. */
function draw() {
  for (const layer of [frames, lines, boxes, titles]) layer.replaceChildren();
  foldedEdges = new Map((data.folded ? data.folded.edges : []).map(([a, b, p]) => [`${a}\n${b}`, p]));
  data.nodes.forEach(drawNode);
  for (const edge of data.edges) {
    edge.path = s("path", {});
    edge.element = s("g", { class: "edge" }, edge.path);
    lines.append(edge.element);
  }
  for (const module of modules.values()) {
    module.nodes = [];
    module.depth = 0;
    for (let p = module.parent; p; p = modules.get(p).parent) module.depth += 1;
    module.frame = s("rect", { class: "frame", rx: 14 });
    module.stack = s("rect", { class: "stack", rx: 14 });
    module.label = s("text", {});
    module.count = s("text", { class: "count" });
    module.element = s("g", { class: `module ${module.kind}`, tabindex: 0, role: "button", "data-path": module.path, onclick: () => toggle(module.path),
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); toggle(module.path); } } },
      module.stack, module.frame);
    module.title_ = s("g", { class: "title" }, module.label, module.count);
    titles.append(module.title_);
  }
  for (const node of nodes.values()) for (let p = node.module; p; p = modules.get(p).parent) modules.get(p).nodes.push(node);
  for (const module of [...modules.values()].sort((a, b) => a.depth - b.depth)) frames.append(module.element);
}

/** The outermost collapsed module around a node or a module, if there is one. */
function hiddenIn(path) {
  let outermost = "";
  for (let p = path; p; p = modules.get(p).parent) if (closed.has(p)) outermost = p;
  return outermost;
}

const KINDS = { module: "module ", call: "function ", turn: "", turns: "" };
const PAD = 14;
const TOP = 22; // the title of a frame
let foldedEdges = new Map();
let bounds = { x0: 0, y0: 0, x1: 1, y1: 1 };

/** Map one axis so that the room of hidden things between visible ones is given back. */
function squeeze(visible, hidden, room) {
  if (!hidden.length) return (v) => v;
  const spans = [];
  for (const [a, b] of visible.sort((p, q) => p[0] - q[0])) {
    if (spans.length && a <= spans.at(-1)[1]) spans.at(-1)[1] = Math.max(spans.at(-1)[1], b);
    else spans.push([a, b]);
  }
  const knots = [];
  let shift = 0;
  spans.forEach(([a, b], i) => {
    if (i > 0) {
      const before = spans[i - 1][1];
      if (hidden.some(([p, q]) => q > before && p < a)) shift += Math.max(0, a - before - room);
    }
    knots.push([a, a - shift], [b, b - shift]);
  });
  return (v) => {
    if (!knots.length || v <= knots[0][0]) return v;
    for (let i = 1; i < knots.length; i++) {
      const [[a, m], [b, n]] = [knots[i - 1], knots[i]];
      if (v <= b) return b === a ? m : m + ((v - a) / (b - a)) * (n - m);
    }
    return v - shift;
  };
}

/** Graphviz also laid out the drawing with these modules collapsed; any other state moves the boxes of the open one together. */
const foldedWell = () => data.folded && closed.size === data.folded.closed.length && data.folded.closed.every((path) => closed.has(path));
const curve = (p) => `M${p[0]} ${p[1]}C${p.slice(2).join(" ")}`;

function layout() {
  for (const module of modules.values()) {
    const [xs, ys] = [module.nodes.map((n) => [n.x - n.w / 2, n.x + n.w / 2]).flat(), module.nodes.map((n) => [n.y - n.h / 2, n.y + n.h / 2]).flat()];
    module.x = (Math.min(...xs) + Math.max(...xs)) / 2;
    module.y = (Math.min(...ys) + Math.max(...ys)) / 2;
  }
  const shown = [];
  const hidden = [];
  for (const node of nodes.values()) {
    node.within = hiddenIn(node.module);
    (node.within ? hidden : shown).push(node);
  }
  for (const path of closed) if (hiddenIn(modules.get(path).parent) === "") shown.push(modules.get(path));
  const mapX = squeeze(shown.map((b) => [b.x - b.w / 2, b.x + b.w / 2]), hidden.map((b) => [b.x - b.w / 2, b.x + b.w / 2]), 60);
  const mapY = squeeze(shown.map((b) => [b.y - b.h / 2, b.y + b.h / 2]), hidden.map((b) => [b.y - b.h / 2, b.y + b.h / 2]), 64 + 40 * Math.min(1, modules.size - closed.size));
  const folded = foldedWell();
  for (const box of shown) [box.cx, box.cy] = folded ? data.folded.boxes[box.path || box.id] : [mapX(box.x), mapY(box.y)];
  for (const node of nodes.values()) {
    node.element.toggleAttribute("hidden", Boolean(node.within));
    if (!node.within) place(node.element, node.cx, node.cy);
  }
  const deepest = [...modules.values()].sort((a, b) => b.depth - a.depth);
  for (const module of deepest) drawModule(module, shown);
  const known = new Set();
  for (const edge of data.edges) drawEdge(edge, mapX, mapY, known, hidden.length > 0, folded);
  const extents = [...shown.map((b) => [b.cx - b.w / 2, b.cy - b.h / 2, b.cx + b.w / 2, b.cy + b.h / 2]), ...deepest.filter((m) => m.box).map((m) => m.box)];
  bounds = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const [x0, y0, x1, y1] of extents) bounds = { x0: Math.min(bounds.x0, x0), y0: Math.min(bounds.y0, y0), x1: Math.max(bounds.x1, x1), y1: Math.max(bounds.y1, y1) };
  allButton.textContent = closed.size ? "Open all frames" : "Collapse frames";
  cull();
}

function drawModule(module) {
  const isClosed = closed.has(module.path);
  const gone = hiddenIn(module.parent) !== "";
  module.element.style.display = module.title_.style.display = gone ? "none" : "";
  module.box = null;
  if (gone) return;
  for (const element of [module.element, module.title_]) element.classList.toggle("closed", isClosed);
  module.element.setAttribute("aria-expanded", String(!isClosed));
  const inside = `${module.nodes.filter((n) => n.kind === "operation").length} operations`;
  module.element.setAttribute("aria-label", `${KINDS[module.kind]}${module.title}, ${inside}, ${isClosed ? "closed" : "open"}`);
  let box;
  if (isClosed) box = [module.cx - module.w / 2, module.cy - module.h / 2, module.cx + module.w / 2, module.cy + module.h / 2];
  else {
    const around = [...module.nodes.filter((n) => !n.within).map((n) => [n.cx - n.w / 2, n.cy - n.h / 2, n.cx + n.w / 2, n.cy + n.h / 2]), ...[...modules.values()].filter((m) => m.parent === module.path && m.box).map((m) => m.box)];
    if (!around.length) return;
    box = [Math.min(...around.map((b) => b[0])) - PAD, Math.min(...around.map((b) => b[1])) - TOP, Math.max(...around.map((b) => b[2])) + PAD, Math.max(...around.map((b) => b[3])) + PAD];
  }
  module.box = box;
  for (const [rect, by] of [[module.frame, 0], [module.stack, 4]]) {
    fill(rect, { x: box[0] + by, y: box[1] + by, width: box[2] - box[0], height: box[3] - box[1] }, []);
  }
  const middle = (box[0] + box[2]) / 2;
  module.label.textContent = isClosed ? `▸ ${cut(module.title, module.w, 7.6)}` : `▾ ${module.title}`;
  fill(module.label, isClosed ? { x: middle, y: module.cy - 4 } : { x: box[0] + 12, y: box[1] + 16 }, []);
  module.count.textContent = isClosed ? inside : "";
  fill(module.count, { x: middle, y: (module.cy || 0) + 13 }, []);
}

const boxOf = (node) => (node.within ? modules.get(node.within) : node);
function drawEdge(edge, mapX, mapY, known, moved, folded) {
  const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
  const [a, b] = [boxOf(from), boxOf(to)];
  const key = `${from.within || from.id}\n${to.within || to.id}`;
  edge.shown = a !== b && ((a === from && b === to && !folded) || !known.has(key));
  known.add(key);
  if (!edge.shown) return;
  let path;
  if (folded) path = curve(foldedEdges.get(key));
  else if (edge.p && a === from && b === to) path = curve(edge.p.map((v, i) => (moved ? (i % 2 ? mapY(v) : mapX(v)) : v).toFixed(1)));
  else {
    const [x0, y0, x1, y1] = [a.cx, a.cy + a.h / 2, b.cx, b.cy - b.h / 2];
    const bend = Math.max(24, Math.abs(y1 - y0) / 2);
    path = `M${x0} ${y0}C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1}`;
  }
  edge.path.setAttribute("d", path);
}

function toggle(path) {
  if (closed.has(path)) closed.delete(path);
  else closed.add(path);
  rewalk();
  layout();
  update(false);
  live.textContent = `${modules.get(path).title} ${closed.has(path) ? "closed" : "opened"}.`;
}
function closeAll(yes) {
  closed.clear();
  if (yes) for (const path of data.folded ? data.folded.closed : data.closed.length ? data.closed : modules.keys()) closed.add(path);
  rewalk();
  layout();
  update(false);
  if (yes || at === 0) fit();
  else follow(steps[at]);
  live.textContent = yes ? "All boxes closed." : "All boxes opened.";
}
