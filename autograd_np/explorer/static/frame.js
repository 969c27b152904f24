// The frame of the page: what stands around the drawing and the explanation, and its colours.

const live = h("div", { class: "away", "aria-live": "polite", id: "live" });
const found = h("output", { "aria-live": "polite", id: "found" });
const search = h("input", { type: "search", id: "search", placeholder: "Find a node  ( / )", "aria-label": "Find a node by name or operation", autocomplete: "off", spellcheck: "false", oninput: () => find(), onkeydown: searchKey });
const themeButton = h("button", { id: "theme", type: "button", onclick: () => setTheme(theme === "dark" ? "light" : "dark", true) });
const allButton = h("button", { id: "modules", type: "button", onclick: () => closeAll(closed.size === 0) });
const outline = h("p", { class: "away", id: "outline" });
const world = s("g", { id: "world" });
const canvas = s("svg", { class: "canvas", id: "canvas", role: "group", "aria-describedby": "outline", "aria-label": "Drawing of the computation. Up and Down move between nodes, Enter shows a node, Left and Right step." }, s("defs", {}, ["", "flow", "back"].map(head)), world);
const panel = h("aside", { id: "panel", tabindex: 0, "aria-label": "Explanation" });
const slider = h("input", { type: "range", id: "slider", min: 0, max: 0, value: 0, "aria-label": "Step", oninput: () => { stop(); go(Number(slider.value)); } });
const where = h("output", { id: "where" });
const control = (id, text, label, go) => h("button", { id, type: "button", "aria-label": label, title: label, onclick: go }, text);
const firstButton = control("first", "Start", "First step (Home)", () => { stop(); go(0); });
const backButton = control("back", "← Back", "Step back (Left)", () => { stop(); go(at - 1); });
const nextButton = control("next", "Next →", "Next step (Right)", () => { stop(); go(at + 1); });
nextButton.className = "main";
const speed = h("select", { id: "speed", "aria-label": "Speed of playing", title: "Speed of playing", onchange: () => timer && play() }, [["0.5", "½×"], ["1", "1×"], ["2", "2×"], ["4", "4×"]].map(([value, shown]) => h("option", { value, selected: value === "1" }, shown)));
const finerButton = h("button", { id: "finer", type: "button", title: "A step for each operation, or for each line (o)", onclick: () => { stop(); refine(!finer); } });
const lastButton = control("last", "End", "Last step (End)", () => { stop(); go(steps.length - 1); });
const playButton = control("play", "Play", "Play all steps", () => (timer ? stop() : play()));

function head(kind) {
  return s("marker", { id: `head${kind}`, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, s("path", { d: "M0 1.2L10 5L0 8.8z", class: `head ${kind}` }));
}
/** The picture in words. */
function said() {
  const count = (kind) => data.nodes.filter((node) => node.kind === kind).length;
  const kinds = ["input", "parameter", "constant", "operation"].filter(count).map((kind) => `${count(kind)} ${kind}${count(kind) === 1 ? "" : "s"}`);
  const result = nodes.get(data.result);
  const judged = data.check ? ` ${data.check.headline}.` : "";
  return `A graph of ${kinds.join(", ")}; the result is ${result ? result.name : "not known"}.${judged} Every node says what it is computed from.`;
}
const names = { input: "input", parameter: "parameter", constant: "constant", operation: "operation", result: "result", group: "closed frame" };
const heading = h("h1", {});
const legend = h("ul", { class: "legend", "aria-label": "Forms" });
const ways = h("div", { class: "ways", "aria-hidden": "true" });
const wide = (button) => { button.className = "wide"; return button; };
const zooms = h("div", { class: "zoom" }, control("in", "+", "Zoom in (+)", () => zoom(1.25)), control("out", "−", "Zoom out (−)", () => zoom(0.8)), wide(control("fit", "Fit", "Show everything (0)", () => fit())));
document.body.append(
  h("header", {}, heading, h("div", { class: "find", role: "search" }, found, search), allButton, themeButton),
  code,
  h("main", {}, canvas, legend, zooms),
  panel,
  h("footer", {}, h("div", { class: "go", role: "group", "aria-label": "Steps" }, firstButton, backButton, nextButton, lastButton, playButton, speed, finerButton), h("div", { class: "track" }, slider, ways), where),
  outline,
  live,
);

/** Say what the data are, in what stands around them. */
function label() {
  document.title = heading.textContent = heading.title = data.title;
  allButton.hidden = !modules.size;
  finerButton.hidden = !data.finer;
  finerButton.textContent = finer ? "By line" : "By operation";
  outline.textContent = said();
  slider.max = String(steps.length - 1);
  const present = new Set([...data.nodes.flatMap((node) => (node.output ? [node.kind, "result"] : [node.kind])), ...(modules.size ? ["group"] : [])]);
  legend.replaceChildren(...Object.keys(names).filter((kind) => present.has(kind)).map((kind) =>
    h("li", {}, s("svg", { viewBox: "-12 -7.5 24 15", "aria-hidden": "true" }, kind === "group" ? s("g", { class: "module closed" }, form(kind, 23, 14, 4, "frame")) : s("g", { class: `node ${kind}` }, form(kind, 23, 14, 4, "body"))), names[kind]),
  ));
  const part = (name, count, text) => { const span = h("span", { class: name }, text); span.style.flex = String(count); return span; };
  ways.replaceChildren(part("f", forwardCount + 1, "forward"), ...(backwardCount > 0 ? [part("b", backwardCount + 2, "backward")] : []));
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let theme = "";
let chosen = false; // by the reader
let stands = false; // on something light or dark, which counts for more than the system
function setTheme(name, byUser) {
  theme = name;
  chosen = chosen || byUser;
  document.documentElement.dataset.theme = name;
  themeButton.textContent = name === "dark" ? "Light" : "Dark";
  themeButton.setAttribute("aria-label", `Switch to ${name === "dark" ? "light" : "dark"} colours`);
}
prefersDark.addEventListener("change", () => chosen || stands || setTheme(prefersDark.matches ? "dark" : "light", false));
