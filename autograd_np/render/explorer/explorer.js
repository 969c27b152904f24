"use strict";
// Shows the data that Python computed. Whatever comes from the user's program reaches the page as text content or a number.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const nodes = new Map(data.nodes.map((node) => [node.id, node]));
  const modules = new Map(data.modules.map((module) => [module.path, module]));
  const steps = data.steps;
  const SVG = "http://www.w3.org/2000/svg";

  // --- making elements -------------------------------------------------------------------------

  function fill(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === false || value === null) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat(9)) {
      if (child !== null && child !== undefined && child !== false) element.append(child);
    }
    return element;
  }
  const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  const place = (element, x, y) => element.setAttribute("transform", `translate(${x} ${y})`);

  // --- what is known at which step -------------------------------------------------------------

  for (const node of nodes.values()) {
    node.users = [];
    node.gifts = []; // contributions to its gradient, in the order of the reverse sweep
    node.valueAt = node.kind === "operation" ? Infinity : 0;
  }
  for (const edge of data.edges) nodes.get(edge.from).users.push(edge.to);
  const seedAt = steps.findIndex((step) => step.phase === "seed");
  steps.forEach((step, i) => {
    const node = nodes.get(step.node);
    if (step.phase === "forward") node.valueAt = i;
    if (step.phase === "seed") node.gifts.push({ at: i, n: 1, k: 1 });
    if (step.phase === "backward") {
      node.backAt = i;
      for (const part of step.parts) nodes.get(part.to).gifts.push({ ...part, at: i, by: node.id });
    }
  });
  for (const node of nodes.values()) node.gradientAt = node.gifts.length && node.gradient ? node.gifts.at(-1).at : Infinity;
  const forwardCount = steps.filter((step) => step.phase === "forward").length;
  const backwardCount = steps.filter((step) => step.phase === "backward").length;

  let at = 0; // the step shown
  let picked = null; // the node whose values are pinned
  let timer = 0; // playing
  const closed = new Set(); // collapsed modules

  // --- arrays, as tables -------------------------------------------------------------------------

  const isOdd = (text) => /nan|inf/i.test(text);
  function arrayTable(array, what) {
    const numbers = array.rows.map((row) => row.map((text) => Number(text.replaceAll("−", "-"))));
    const largest = Math.max(...numbers.flat().filter(Number.isFinite).map(Math.abs), 0);
    const cell = (text, r, c) => {
      const td = h("td", { class: isOdd(text) && "odd" }, text);
      const x = numbers[r][c];
      if (largest > 0 && Number.isFinite(x) && x !== 0 && array.dtype !== "bool") {
        td.style.background = `rgb(var(--${x > 0 ? "positive" : "negative"}) / ${(0.05 + (0.3 * Math.abs(x)) / largest).toFixed(3)})`.replace("rgb", "rgba").replace(" / ", ", ");
      }
      return td;
    };
    const more = array.of && array.of[1] > (array.rows[0] || []).length;
    const rows = array.rows.map((row, r) =>
      h("tr", {}, array.labels && h("th", { scope: "row" }, `[${array.labels[r]}]`), row.map((text, c) => cell(text, r, c)), more && h("td", { class: "more" }, "…")),
    );
    if (array.of && array.of[0] > array.rows.length) rows.push(h("tr", {}, h("td", { class: "more", colspan: 99 }, `… ${array.of[0] - array.rows.length} more rows`)));
    const stats = array.stats && !array.whole ? [`min ${array.stats.min}, mean ${array.stats.mean}, max ${array.stats.max}`] : [];
    for (const [kind, count] of Object.entries(array.bad || {})) stats.push(`${count} ${kind}`);
    if (!rows.length) stats.push("empty");
    return [
      h("div", { class: "array", tabindex: rows.length && array.of ? 0 : undefined, role: "group", "aria-label": `${what}, ${array.shape}` }, h("table", {}, h("tbody", {}, rows))),
      stats.length ? h("p", { class: "small stats" }, stats.join("; ")) : null,
    ];
  }
  const titled = (title, array, ...after) => [
    h("h3", {}, title, h("span", { class: "small" }, `  ${array.shape}`), after),
    arrayTable(array, title),
  ];
  const d = (name) => `∂${data.L}/∂${name}`;
  const dots = (k, n) => h("span", { class: "dots", role: "img", "aria-label": `contribution ${k} of ${n}` }, n <= 8 ? Array.from({ length: n }, (_, i) => h("i", { class: i < k && "on" })) : `${k}/${n}`);

  // --- the frame of the page ---------------------------------------------------------------------

  const live = h("div", { class: "away", "aria-live": "polite", id: "live" });
  const found = h("output", { "aria-live": "polite", id: "found" });
  const search = h("input", { type: "search", id: "search", placeholder: "Find a node  ( / )", "aria-label": "Find a node by name or operation", autocomplete: "off", spellcheck: "false", oninput: () => find(), onkeydown: searchKey });
  const themeButton = h("button", { id: "theme", type: "button", onclick: () => setTheme(theme === "dark" ? "light" : "dark", true) });
  const allButton = h("button", { id: "modules", type: "button", onclick: () => closeAll(closed.size === 0) });
  const world = s("g", { id: "world" });
  const canvas = s("svg", { class: "canvas", id: "canvas", role: "group", "aria-label": "Drawing of the computation. Up and Down move between nodes, Enter shows a node, Left and Right step." }, s("defs", {}, ["", "flow", "back"].map(head)), world);
  const panel = h("aside", { id: "panel", tabindex: 0, "aria-label": "Explanation" });
  const slider = h("input", { type: "range", id: "slider", min: 0, max: steps.length - 1, value: 0, "aria-label": "Step", oninput: () => { stop(); go(Number(slider.value)); } });
  const where = h("output", { id: "where" });
  const control = (id, text, label, go) => h("button", { id, type: "button", "aria-label": label, title: label, onclick: go }, text);
  const firstButton = control("first", "Start", "First step (Home)", () => { stop(); go(0); });
  const backButton = control("back", "← Back", "Step back (Left)", () => { stop(); go(at - 1); });
  const nextButton = control("next", "Next →", "Next step (Right)", () => { stop(); go(at + 1); });
  nextButton.className = "main";
  const lastButton = control("last", "End", "Last step (End)", () => { stop(); go(steps.length - 1); });
  const playButton = control("play", "Play", "Play all steps", () => (timer ? stop() : play()));

  function head(kind) {
    return s("marker", { id: `head${kind}`, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, s("path", { d: "M0 1.2L10 5L0 8.8z", class: `head ${kind}` }));
  }
  function legend() {
    const present = new Set(data.nodes.map((node) => node.kind));
    const names = { input: "input", parameter: "parameter", constant: "constant", operation: "operation" };
    return h("ul", { class: "legend", "aria-label": "Forms" }, Object.keys(names).filter((kind) => present.has(kind)).map((kind) =>
      h("li", {}, s("svg", { viewBox: "-12 -7.5 24 15", "aria-hidden": "true" }, s("g", { class: `node ${kind}` }, form(kind, 24, 15, 4, "body"))), names[kind]),
    ));
  }
  function ways() {
    const part = (name, count, text) => { const span = h("span", { class: name }, text); span.style.flex = String(count); return span; };
    return h("div", { class: "ways", "aria-hidden": "true" }, part("f", forwardCount + 1, "forward"), backwardCount > 0 && part("b", backwardCount + 2, "backward"));
  }
  document.body.append(
    h("header", {}, h("h1", { title: data.title }, data.title), h("div", { class: "find", role: "search" }, found, search), modules.size > 0 && allButton, themeButton),
    h("main", {}, canvas, legend(), h("div", { class: "zoom" }, control("in", "+", "Zoom in (+)", () => zoom(1.25)), control("out", "−", "Zoom out (−)", () => zoom(0.8)), (() => { const b = control("fit", "Fit", "Show everything (0)", () => fit()); b.className = "wide"; return b; })())),
    panel,
    h("footer", {}, h("div", { class: "go", role: "group", "aria-label": "Steps" }, firstButton, backButton, nextButton, lastButton, playButton), h("div", { class: "track" }, slider, ways()), where),
    live,
  );

  // --- theme -------------------------------------------------------------------------------------

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  let theme = "";
  let chosen = false;
  function setTheme(name, byUser) {
    theme = name;
    chosen = chosen || byUser;
    document.documentElement.dataset.theme = name;
    themeButton.textContent = name === "dark" ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", `Switch to ${name === "dark" ? "light" : "dark"} colours`);
  }
  prefersDark.addEventListener("change", () => chosen || setTheme(prefersDark.matches ? "dark" : "light", false));

  // --- drawing -----------------------------------------------------------------------------------

  function form(kind, w, height, radius, name) {
    const [x, y] = [-w / 2, -height / 2];
    if (kind === "input") return s("rect", { class: name, x, y, width: w, height, rx: height / 2 });
    if (kind === "parameter") {
      const c = radius * 1.4;
      const corners = [[x + c, y], [-x - c, y], [-x, y + c], [-x, -y - c], [-x - c, -y], [x + c, -y], [x, -y - c], [x, y + c]];
      return s("polygon", { class: name, points: corners.map((p) => p.join(",")).join(" ") });
    }
    return s("rect", { class: name, x, y, width: w, height, rx: kind === "constant" ? 0 : radius });
  }
  function cut(text, width, size) {
    const characters = [...text];
    const room = Math.max(4, Math.floor((width - 18) / size));
    return characters.length <= room ? text : `${characters.slice(0, room - 1).join("")}…`;
  }
  const frames = s("g", {});
  const lines = s("g", {});
  const boxes = s("g", {});
  world.append(frames, lines, boxes);

  function drawNode(node) {
    const operation = node.kind === "operation";
    const said = [node.name, operation ? `= ${node.formula}` : node.kind, `shape ${node.shape}`, node.output ? "result" : ""].filter(Boolean).join(", ");
    const badge = s("g", { class: "badge" });
    node.element = s("g", { class: `node ${node.kind}`, tabindex: -1, role: "button", "aria-label": said, "data-id": node.id,
      onclick: () => pick(node.id), onkeydown: (event) => nodeKey(event, node) },
      s("title", {}, said),
      s("rect", { class: "halo", x: -node.w / 2 - 6, y: -node.h / 2 - 6, width: node.w + 12, height: node.h + 12, rx: 14 }),
      form(node.kind, node.w, node.h, 10, "body"),
      node.output && s("rect", { class: "ring", x: -node.w / 2 + 4, y: -node.h / 2 + 4, width: node.w - 8, height: node.h - 8, rx: 7 }),
      s("text", { class: "name", y: operation ? -10 : -2 }, cut(node.short || node.name, node.w, 10.4)),
      operation && s("text", { class: "formula", y: 8 }, cut(node.shortFormula || node.formula, node.w, 8)),
      s("text", { class: "shape", y: operation ? 25 : 17 }, ""),
      badge);
    node.badge = badge;
    node.line = node.element.querySelector(".shape");
    boxes.append(node.element);
  }
  for (const node of nodes.values()) drawNode(node);
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
    module.element = s("g", { class: "module", tabindex: 0, role: "button", "data-path": module.path, onclick: () => toggle(module.path),
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); toggle(module.path); } } },
      module.stack, module.frame, module.label, module.count);
  }
  for (const node of nodes.values()) for (let p = node.module; p; p = modules.get(p).parent) modules.get(p).nodes.push(node);
  for (const module of [...modules.values()].sort((a, b) => a.depth - b.depth)) frames.append(module.element);

  /** The outermost collapsed module around a node or a module, if there is one. */
  function hiddenIn(path) {
    let outermost = "";
    for (let p = path; p; p = modules.get(p).parent) if (closed.has(p)) outermost = p;
    return outermost;
  }

  const PAD = 14;
  const TOP = 26; // the title of a frame
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
  const foldedEdges = new Map((data.folded ? data.folded.edges : []).map(([a, b, p]) => [`${a}\n${b}`, p]));
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
      node.element.style.display = node.within ? "none" : "";
      if (!node.within) place(node.element, node.cx, node.cy);
    }
    const deepest = [...modules.values()].sort((a, b) => b.depth - a.depth);
    for (const module of deepest) drawModule(module, shown);
    const known = new Set();
    for (const edge of data.edges) drawEdge(edge, mapX, mapY, known, hidden.length > 0, folded);
    const extents = [...shown.map((b) => [b.cx - b.w / 2, b.cy - b.h / 2, b.cx + b.w / 2, b.cy + b.h / 2]), ...deepest.filter((m) => m.box).map((m) => m.box)];
    bounds = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
    for (const [x0, y0, x1, y1] of extents) bounds = { x0: Math.min(bounds.x0, x0), y0: Math.min(bounds.y0, y0), x1: Math.max(bounds.x1, x1), y1: Math.max(bounds.y1, y1) };
    allButton.textContent = closed.size ? "Open all modules" : "Collapse modules";
  }

  function drawModule(module) {
    const isClosed = closed.has(module.path);
    const gone = hiddenIn(module.parent) !== "";
    module.element.style.display = gone ? "none" : "";
    module.box = null;
    if (gone) return;
    module.element.classList.toggle("closed", isClosed);
    module.element.setAttribute("aria-expanded", String(!isClosed));
    const inside = `${module.nodes.filter((n) => n.kind === "operation").length} operations`;
    module.element.setAttribute("aria-label", `module ${module.title}, ${inside}, ${isClosed ? "collapsed" : "open"}`);
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
    fill(module.label, isClosed ? { x: middle, y: module.cy - 3 } : { x: box[0] + 12, y: box[1] + 18 }, []);
    module.count.textContent = isClosed ? inside : "";
    fill(module.count, { x: middle, y: (module.cy || 0) + 16 }, []);
  }

  const boxOf = (node) => (node.within ? modules.get(node.within) : node);
  function drawEdge(edge, mapX, mapY, known, moved, folded) {
    const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
    const [a, b] = [boxOf(from), boxOf(to)];
    const key = `${from.within || from.id}\n${to.within || to.id}`;
    edge.shown = a !== b && ((a === from && b === to && !folded) || !known.has(key));
    known.add(key);
    edge.element.style.display = edge.shown ? "" : "none";
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
    layout();
    show(false);
    live.textContent = `Module ${modules.get(path).title} ${closed.has(path) ? "collapsed" : "opened"}.`;
  }
  function closeAll(yes) {
    closed.clear();
    if (yes) for (const path of data.folded ? data.folded.closed : modules.keys()) closed.add(path);
    layout();
    show(false);
    fit();
    live.textContent = yes ? "Modules collapsed." : "Modules opened.";
  }

  // --- looking around ----------------------------------------------------------------------------

  const view = { x: 0, y: 0, k: 1 };
  const goal = { ...view }; // where a movement that is under way will end
  let wait = 0;
  const settle = () => { Object.assign(goal, view); moveTo(); };
  const moveTo = () => world.setAttribute("transform", `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`);
  function size() {
    const box = canvas.getBoundingClientRect();
    return { w: box.width || 800, h: box.height || 600, left: box.left, top: box.top };
  }
  function glide(x, y, k) {
    cancelAnimationFrame(wait);
    const from = { ...view };
    Object.assign(goal, { x, y, k });
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || nodes.size > 800) { Object.assign(view, goal); moveTo(); return; }
    const start = performance.now();
    const frame = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / 260));
      const e = 1 - (1 - t) ** 3;
      Object.assign(view, { x: from.x + (x - from.x) * e, y: from.y + (y - from.y) * e, k: from.k + (k - from.k) * e });
      moveTo();
      if (t < 1) wait = requestAnimationFrame(frame);
    };
    wait = requestAnimationFrame(frame);
  }
  function fit(now = false) {
    const { w, h: height } = size();
    const [bw, bh] = [bounds.x1 - bounds.x0, bounds.y1 - bounds.y0];
    const whole = Math.min((w - 60) / bw, (height - 110) / bh, 1.15);
    const k = now ? Math.max(whole, 0.8) : whole; // at the start, readable
    const top = [...nodes.values()].map(boxOf).sort((a, b) => a.cy - b.cy).slice(0, 3);
    const middle = k > whole ? top.reduce((sum, b) => sum + b.cx / top.length, 0) : (bounds.x0 + bounds.x1) / 2;
    const x = w / 2 - k * middle;
    const y = k > whole ? 50 - k * bounds.y0 : (height + 10) / 2 - (k * (bounds.y0 + bounds.y1)) / 2;
    if (now) { cancelAnimationFrame(wait); Object.assign(view, { x, y, k }); settle(); } else glide(x, y, k);
  }
  function zoom(by, px, py) {
    cancelAnimationFrame(wait);
    const { w, h: height } = size();
    const [x, y] = [px ?? w / 2, py ?? height / 2];
    const k = Math.min(4, Math.max(0.02, view.k * by));
    view.x = x - ((x - view.x) * k) / view.k;
    view.y = y - ((y - view.y) * k) / view.k;
    view.k = k;
    settle();
  }
  /** Bring boxes into view, moving as little as needed. */
  function reveal(items, center) {
    const { w, h: height } = size();
    const xs = items.flatMap((b) => [b.cx - b.w / 2, b.cx + b.w / 2]);
    const ys = items.flatMap((b) => [b.cy - b.h / 2, b.cy + b.h / 2]);
    const k = Math.max(goal.k, center ? 0.6 : 0);
    if (k === goal.k && goal.x + k * bounds.x0 >= 0 && goal.x + k * bounds.x1 <= w && goal.y + k * bounds.y0 >= 0 && goal.y + k * bounds.y1 <= height) return;
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = center ? 50 : Math.min(150, w / 5, height / 5);
    const nudge = (origin, a, b, length) => {
      if (center || (b - a) * k > length - 2 * room) return length / 2 - (k * (a + b)) / 2;
      return Math.min(Math.max(origin, room - k * a), length - room - k * b);
    };
    const [x, y] = [nudge(goal.x, x0, x1, w), nudge(goal.y, y0, y1, height)];
    if (Math.abs(x - goal.x) > 1 || Math.abs(y - goal.y) > 1 || k !== goal.k) glide(x, y, k);
  }
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => { pointers.set(event.pointerId, [event.clientX, event.clientY]); moved = 0; });
  addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    cancelAnimationFrame(wait);
    const now = [event.clientX, event.clientY];
    const apart = () => { const [p, q] = [...pointers.values()]; return Math.hypot(p[0] - q[0], p[1] - q[1]); };
    const before = pointers.size === 2 ? apart() : 0;
    pointers.set(event.pointerId, now);
    view.x += (now[0] - last[0]) / pointers.size;
    view.y += (now[1] - last[1]) / pointers.size;
    moved += Math.abs(now[0] - last[0]) + Math.abs(now[1] - last[1]);
    if (moved > 4) canvas.classList.add("drag");
    if (before > 0) { const box = size(); zoom(apart() / before, now[0] - box.left, now[1] - box.top); }
    settle();
  });
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, (event) => { pointers.delete(event.pointerId); canvas.classList.remove("drag"); });
  canvas.addEventListener("click", (event) => { if (moved > 4) event.stopPropagation(); }, true); // a drag is not a click
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = size();
    zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) * 0.004), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  // --- steps -------------------------------------------------------------------------------------

  function go(i) {
    at = Math.min(steps.length - 1, Math.max(0, i));
    show(true);
  }
  function stop() { clearInterval(timer); timer = 0; playButton.textContent = "Play"; }
  function play() {
    if (at === steps.length - 1) go(0);
    timer = setInterval(() => { go(at + 1); if (at === steps.length - 1) stop(); }, 1800);
    playButton.textContent = "Pause";
  }
  const phaseOf = (step) => (step.phase === "start" || step.phase === "forward" ? "forward" : "backward");
  function position() {
    const step = steps[at];
    if (step.phase === "start") return "Start";
    if (step.phase === "forward") return `Forward ${at} of ${forwardCount}`;
    if (step.phase === "seed") return "Turn: seed";
    if (step.phase === "end") return "End";
    return `Backward ${at - seedAt} of ${backwardCount}`;
  }

  const text = (element, value) => { if (element.textContent !== value) element.textContent = value; };
  function state(node, step) {
    const names = ["node", node.kind];
    if (!node.named) names.push("auto");
    if (node.valueAt > at) names.push("later");
    if (node.gradientAt <= at) names.push("done-back");
    const me = step.node === node.id;
    if (me) names.push(step.phase === "forward" ? "here" : "here-back");
    if (picked === node.id) names.push("picked");
    if (node.match) names.push("match");
    return names;
  }
  function badge(node) {
    const came = node.gifts.filter((gift) => gift.at <= at).length;
    let label = "";
    if (node.gradientAt <= at) {
      const single = node.gradient && node.gradient.ndim === 0;
      label = single ? `∂ ${node.gradient.rows[0][0]}` : "∂ ✓";
    } else if (came) label = `∂ ${came}/${node.gifts.length}`;
    if (node.badgeText === label) return;
    node.badgeText = label;
    node.badge.replaceChildren();
    if (!label) return;
    const w = label.length * 7.6 + 12;
    const x = node.w / 2 - w + 10;
    node.badge.append(s("rect", { x, y: -node.h / 2 - 10, width: w, height: 20, rx: 10 }), s("text", { x: x + w / 2, y: -node.h / 2 + 4.5 }, label));
  }
  function show(announce) {
    const step = steps[at];
    const feeds = new Set(step.phase === "forward" ? nodes.get(step.node).operands.map((o) => o.id) : []);
    const gets = new Set(step.phase === "backward" ? step.parts.map((part) => part.to) : step.phase === "end" ? step.leaves : []);
    for (const node of nodes.values()) {
      const names = state(node, step);
      if (feeds.has(node.id)) names.push("feeds");
      if (gets.has(node.id)) names.push("gets");
      const all = names.join(" ");
      if (node.classes !== all) { node.classes = all; node.element.setAttribute("class", all); }
      const single = node.value.ndim === 0 && node.valueAt <= at;
      text(node.line, single ? `= ${node.value.rows[0][0]}` : node.shape);
      badge(node);
    }
    for (const module of modules.values()) {
      const inside = closed.has(module.path) && module.nodes.some((n) => n.id === step.node);
      module.element.classList.toggle("here", inside && step.phase === "forward");
      module.element.classList.toggle("here-back", inside && step.phase !== "forward");
    }
    for (const edge of data.edges) {
      const flow = step.phase === "forward" && edge.to === step.node;
      const back = step.phase === "backward" && edge.to === step.node && gets.has(edge.from);
      const kind = flow ? "flow" : back ? "back" : "";
      if (edge.kind === kind) continue;
      edge.kind = kind;
      edge.element.setAttribute("class", `edge ${kind}`);
      edge.path.setAttribute(back ? "marker-start" : "marker-end", `url(#head${kind})`);
      edge.path.removeAttribute(back ? "marker-end" : "marker-start");
      if (kind) lines.append(edge.element);
    }
    describe(step);
    slider.value = String(at);
    slider.setAttribute("aria-valuetext", `${position()}: ${step.title}`);
    where.textContent = position();
    document.body.dataset.phase = phaseOf(step);
    document.body.dataset.step = String(at);
    firstButton.disabled = backButton.disabled = at === 0;
    nextButton.disabled = lastButton.disabled = at === steps.length - 1;
    const current = step.node || data.nodes[0].id;
    for (const node of nodes.values()) {
      const index = node.id === current ? "0" : "-1";
      if (node.tab !== index) { node.tab = index; node.element.setAttribute("tabindex", index); }
    }
    if (announce) {
      live.textContent = `${position()}. ${step.title}. ${step.text.join(" ")}`;
      panel.scrollTop = 0;
      if (step.node) reveal([...new Set([step.node, ...feeds, ...gets].filter(Boolean).map((id) => boxOf(nodes.get(id))))].slice(0, 6), false);
      else if (at === 0) fit(true);
    }
  }

  // --- the explanation ---------------------------------------------------------------------------

  function describe(step) {
    const node = nodes.get(step.node);
    const children = [
      h("span", { class: `phase ${step.phase === "start" ? "" : phaseOf(step)}` }, position()),
      h("h2", {}, step.title),
      at === 0 && data.notice && h("p", { class: "notice" }, data.notice),
      step.text.map((line) => h("p", {}, line)),
    ];
    if (step.phase === "start") children.push(h("p", { class: "small" }, "Next step: → or the button. Back: ←. Click any node to see all its values. Drag to move, scroll to zoom."));
    if (step.phase === "forward") {
      children.push(titled(`${node.name}`, node.value));
      const seen = new Set();
      for (const operand of node.operands) {
        if (!operand.id || seen.has(operand.id)) continue;
        seen.add(operand.id);
        children.push(titled(`from ${operand.name}`, nodes.get(operand.id).value));
      }
    }
    if (step.phase === "seed") children.push(titled(d(node.name), node.gradient));
    if (step.phase === "backward") {
      children.push(titled(`Arrives: ${d(node.name)}`, node.gradient));
      if (step.rules) children.push(step.rules.map((line) => h("div", { class: "math" }, h("span", { class: "tag" }, "rule of this operation; y is its result, G what arrives"), line)));
      children.push(step.parts.map((part) => contribution(part, node)));
      if (!step.parts.length) children.push(h("p", {}, "It ends here: none of the inputs needs a gradient."));
    }
    if (step.phase === "end") children.push(step.leaves.slice(0, 40).map((id) => titled(d(nodes.get(id).name), nodes.get(id).gradient)));
    if (picked) children.unshift(h("div", { id: "picked" }, inspect(nodes.get(picked))), h("hr"));
    panel.replaceChildren(...children.flat(9).filter(Boolean));
  }
  function contribution(part, node) {
    const target = nodes.get(part.to);
    const several = part.n > 1;
    return h("section", { class: "part" },
      h("h3", {}, `Goes to ${part.name}`, several && dots(part.k, part.n), several && h("span", { class: "small" }, `  contribution ${part.k} of ${part.n}`)),
      part.local && h("div", { class: "math" }, h("span", { class: "tag" }, "local derivative"), part.local),
      part.rule && h("div", { class: "math" }, h("span", { class: "tag" }, several ? "chain rule, this use" : "chain rule"), part.rule),
      part.note && h("p", { class: "small" }, part.note),
      !part.local && !part.rule && h("p", { class: "small" }, `what ${node.name} sends to ${part.name}:`),
      arrayTable(part.array, `contribution to ${part.name}`),
      several && part.k > 1 && [h("h3", {}, part.k === part.n ? `Sum of all ${part.n}: ${d(part.name)}, complete` : `Sum so far (${part.k} of ${part.n})`), arrayTable(part.k === part.n ? target.gradient : part.sum, "running sum")],
      several && part.k === 1 && h("p", { class: "small" }, `Still to come: ${part.n - 1}.`));
  }

  // --- one node ----------------------------------------------------------------------------------

  function pick(id) {
    picked = id;
    show(false);
    panel.scrollTop = 0;
    const node = nodes.get(id);
    live.textContent = `${node.name}: ${node.kind}, shape ${node.shape}. Its values are in the explanation.`;
  }
  function inspect(node) {
    const jump = (label, i) => Number.isFinite(i) && i > 0 && h("button", { type: "button", onclick: () => { stop(); picked = null; go(i); } }, label);
    const facts = [["kind", node.output ? `${node.kind}, result` : node.kind], ["computed as", node.formula], ["operation", node.op && (node.attributes ? `${node.op}, ${node.attributes}` : node.op)], ["shape", node.shape], ["dtype", node.value.dtype], ["module", node.module], ["written at", node.site], ["used by", [...new Set(node.users)].map((id) => nodes.get(id).name).slice(0, 12).join(", ")]];
    const gifts = node.gifts.filter((gift) => gift.array && gift.n > 1);
    return [
      h("span", { class: "phase" }, "Selected node"), h("h2", {}, node.name),
      h("dl", {}, facts.filter(([, value]) => value).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])),
      h("p", {}, jump("Forward step", node.kind === "operation" && node.valueAt), " ", jump("Backward step", node.backAt), " ", h("button", { type: "button", id: "unpick", onclick: () => { picked = null; show(false); } }, "Close")),
      titled("Value", node.value),
      node.gradient ? titled(`Gradient ${d(node.name)}`, node.gradient) : h("p", { class: "small" }, data.notice || "No gradient flows to it."),
      gifts.length > 1 && h("p", { class: "small" }, `The gradient is the sum of ${gifts.length} contributions:`),
      gifts.slice(0, 12).map((gift) => titled(`from ${nodes.get(gift.by).name}`, gift.array)),
    ];
  }

  // --- search and keys ---------------------------------------------------------------------------

  let matches = [];
  let current = -1;
  function find() {
    const words = search.value.trim().toLowerCase();
    matches = words ? data.nodes.filter((n) => [n.name, n.op, n.formula, n.module, n.kind].some((t) => t && t.toLowerCase().includes(words))) : [];
    for (const node of nodes.values()) node.match = false;
    for (const node of matches) node.match = true;
    current = -1;
    world.classList.toggle("searching", matches.length > 0);
    found.textContent = !words ? "" : matches.length === 1 ? "1 match" : `${matches.length} matches`;
    show(false);
    if (matches.length) reveal([boxOf(matches[0])], false);
  }
  function searchKey(event) {
    if (event.key === "Enter" && matches.length) {
      current = (current + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
      const node = matches[current];
      while (hiddenIn(node.module)) closed.delete(hiddenIn(node.module));
      layout();
      pick(node.id);
      reveal([node], true);
      found.textContent = `${current + 1} of ${matches.length}`;
    } else if (event.key === "Escape") {
      search.value = "";
      find();
      search.blur();
    }
  }
  function nodeKey(event, node) {
    if (event.key === "Enter" || event.key === " ") pick(node.id);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const shown = data.nodes.filter((n) => !n.within);
      const next = shown[shown.indexOf(node) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { next.element.focus({ preventScroll: true }); reveal([next], false); }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === search || event.target === slider) return;
    const actions = { ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), Home: () => go(0), End: () => go(steps.length - 1) };
    const more = { "/": () => search.focus(), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(), Escape: () => { picked = null; show(false); } };
    const action = actions[event.key] || more[event.key];
    if (!action) return;
    event.preventDefault();
    if (actions[event.key]) stop();
    action();
  });

  setTheme(prefersDark.matches ? "dark" : "light", false);
  if (data.folded && data.startFolded) for (const path of data.folded.closed) closed.add(path);
  layout();
  show(false);
  fit(true);
  live.textContent = `${data.title}. ${steps.length} steps. Right arrow: next step.`;
  document.body.dataset.ready = "yes";
})();
