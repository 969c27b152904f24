// Looking around: zoom, pan, and bringing things into view.

const view = { x: 0, y: 0, k: 1 };
const goal = { ...view }; // where a movement that is under way will end
let wait = 0;
const settle = () => { Object.assign(goal, view); moveTo(); };
const moveTo = () => {
  world.setAttribute("transform", `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`);
  cull();
};
const MANY = 600;
const READABLE = 0.55; // of its size, a drawing can still be read
const COMFORTABLE = 0.72; // where it does not fit in any case
/** Of a large drawing, lay out only what is near the view, and no text where it is too small to be read: that is most of the work. */
function cull() {
  const all = nodes.size <= MANY;
  const { w, h: height } = all ? { w: 0, h: 0 } : size();
  const [x0, x1, y0, y1] = [-w, 2 * w, -height, 2 * height].map((v, i) => (v - (i < 2 ? view.x : view.y)) / view.k);
  world.classList.toggle("far", !all && view.k < 0.25);
  for (const node of nodes.values()) {
    node.away = !all && (node.cx < x0 || node.cx > x1 || node.cy < y0 || node.cy > y1);
    appear(node.element, node, !node.within && !node.away);
  }
  for (const edge of data.edges) {
    const [a, b] = [boxOf(nodes.get(edge.from)), boxOf(nodes.get(edge.to))];
    appear(edge.element, edge, edge.shown && !(a.away && b.away));
  }
}
function appear(element, of, yes) {
  if (of.appears === yes) return;
  of.appears = yes;
  element.style.display = yes ? "" : "none";
}
let room = null; // of the canvas; asking the browser makes it lay everything out
new ResizeObserver(() => { room = null; }).observe(canvas);
function size() {
  const box = (room = room || canvas.getBoundingClientRect());
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
  if (!nodes.size) return;
  const { w, h: height } = size();
  const [bw, bh] = [bounds.x1 - bounds.x0, bounds.y1 - bounds.y0];
  const whole = Math.min((w - 60) / bw, (height - 64) / bh, 1.15);
  const k = now && whole < READABLE ? COMFORTABLE : whole; // at the start, readable
  const top = [...nodes.values()].map(boxOf).sort((a, b) => a.cy - b.cy).slice(0, 3);
  const middle = k > whole ? top.reduce((sum, b) => sum + b.cx / top.length, 0) : (bounds.x0 + bounds.x1) / 2;
  let x = w / 2 - k * middle;
  const y = k > whole ? 50 - k * bounds.y0 : (height + 10) / 2 - (k * (bounds.y0 + bounds.y1)) / 2;
  if (k <= whole) x -= Math.max(0, Math.min(under(x, y, k, w, height), x + k * bounds.x0 - 16));
  if (now) { cancelAnimationFrame(wait); Object.assign(view, { x, y, k }); settle(); } else glide(x, y, k);
}
/** How far to the left the drawing has to go so that no box lies under the buttons in the corner. */
function under(x, y, k, w, height) {
  const low = [...new Set([...nodes.values()].map(boxOf))].filter((b) => y + k * (b.cy + b.h / 2) > height - CORNER[1]);
  return Math.max(0, ...low.map((b) => x + k * (b.cx + b.w / 2) - (w - CORNER[0])));
}
const CORNER = [144, 58]; // of the buttons, and a little around them
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
  const k = Math.max(goal.k, center ? READABLE : 0);
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
/** On paper, which is light, stands the whole drawing, as large as there is room for it. */
addEventListener("beforeprint", () => {
  cancelAnimationFrame(wait);
  document.documentElement.dataset.theme = "light";
  world.removeAttribute("transform");
  world.classList.remove("far");
  for (const node of nodes.values()) appear(node.element, node, !node.within);
  for (const edge of data.edges) appear(edge.element, edge, edge.shown);
  canvas.setAttribute("viewBox", `${bounds.x0 - 20} ${bounds.y0 - 20} ${bounds.x1 - bounds.x0 + 40} ${bounds.y1 - bounds.y0 + 40}`);
});
addEventListener("afterprint", () => { canvas.removeAttribute("viewBox"); document.documentElement.dataset.theme = theme; settle(); });
