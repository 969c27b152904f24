// Steps: which one is shown, and how the drawing shows it.

function go(i) {
  at = Math.min(steps.length - 1, Math.max(0, i));
  update(true);
  try { history.replaceState(null, "", `#${finer ? "operation" : "step"}=${steps[at].number}`); } catch { /* in a frame without an address */ }
}
/** Go to the step that the address names: its number in the data, whatever is closed. */
function goToAddress() {
  const found = /^#(step|operation)=(\d+)$/.exec(location.hash);
  if (!found) return false;
  const [by, number] = [found[1] === "operation" && Boolean(data.finer), Number(found[2])];
  if (by === finer && number === steps[at].number) return false;
  if (by !== finer) { finer = by; walk(); label(); }
  at = stepAt(number);
  return true;
}
function stop() { clearInterval(timer); timer = 0; playButton.textContent = "Play"; }
function play() {
  if (at === steps.length - 1) go(0);
  clearInterval(timer);
  timer = setInterval(() => { go(at + 1); if (at === steps.length - 1) stop(); }, 1800 / Number(speed.value));
  playButton.textContent = "Pause";
}
/** Step by operation, or by line again, from the same place. */
function refine(yes) {
  const node = steps[at].node;
  const phase = steps[at].phase;
  finer = yes;
  walk();
  const same = steps.findIndex((step) => step.phase === phase && (step.node === node || about(step).includes(node)));
  at = phase === "start" ? 0 : phase === "end" ? steps.length - 1 : Math.max(0, same);
  label();
  update(true);
}
const phaseOf = (step) => (step.phase === "start" || step.phase === "forward" ? "forward" : "backward");
function position() {
  const step = steps[at];
  if (step.phase === "start") return "Start";
  if (step.phase === "forward") return `Forward ${at} of ${forwardCount}`;
  if (step.phase === "seed") return data.check ? "Turn" : "Turn: seed";
  if (step.phase === "end") return "End";
  return `Backward ${at - seedAt} of ${backwardCount}`;
}

const text = (element, value) => { if (element.textContent !== value) element.textContent = value; };
/** Whether a gradient is right: of a line by what the line was given, at the end by what was handed out. */
const judged = (node, step) => (step.verdicts?.[node.id] ? step.verdicts[node.id][0] : node.verdict);
function state(node, step, mine) {
  const names = ["node", node.kind];
  if (node.output) names.push("result");
  if (!node.named) names.push("auto");
  if (node.valueAt > at) names.push("later");
  if (node.gradientAt <= at) names.push(judged(node, step) === false ? "done-bad" : "done-back");
  if (mine.has(node.id)) {
    const bad = step.phase === "hand" && step.ok === false;
    names.push(step.phase === "forward" ? "here" : bad ? "here-bad" : "here-back");
    if (step.node !== node.id) names.push("along");
  }
  if (isPicked(node.id)) names.push("picked");
  if (node.match) names.push("match");
  return names;
}
function badge(node, step) {
  const came = node.gifts.filter((gift) => gift.at <= at).length;
  let label = "";
  if (node.gradientAt <= at) {
    const single = node.gradient && node.gradient.ndim === 0 && !data.check;
    const ok = judged(node, step);
    label = single ? `∂ ${node.gradient.rows[0][0]}` : ok === false ? "∂ ✗" : ok === null ? "∂ ?" : "∂ ✓";
  } else if (came && !data.check) label = `∂ ${came}/${node.gifts.length}`;
  if (node.badgeText === label) return;
  node.badgeText = label;
  node.badge.replaceChildren();
  if (!label) return;
  const w = label.length * 7.6 + 12;
  const x = node.w / 2 - w + 10;
  node.badge.append(s("rect", { x, y: -node.h / 2 - 10, width: w, height: 20, rx: 10 }), s("text", { x: x + w / 2, y: -node.h / 2 + 4.5 }, label));
}
/** Show the step: the code, the drawing, the explanation, and what the frame says. */
function update(announce) {
  const step = steps[at];
  const mine = new Set(about(step));
  const feeds = new Set(step.from || []);
  const gets = new Set(step.phase === "backward" ? step.parts.map((part) => part.to) : step.phase === "end" ? step.leaves : []);
  for (const node of nodes.values()) {
    const names = state(node, step, mine);
    if (feeds.has(node.id)) names.push("feeds");
    if (gets.has(node.id)) names.push("gets");
    const all = names.join(" ");
    if (node.classes !== all) { node.classes = all; node.element.setAttribute("class", all); }
    const single = node.value.ndim === 0 && node.valueAt <= at;
    text(node.line_, single ? `= ${node.value.rows[0][0]}` : node.shape);
    badge(node, step);
  }
  for (const module of modules.values()) {
    const inside = closed.has(module.path) && module.nodes.some((n) => mine.has(n.id));
    module.element.classList.toggle("here", inside && step.phase === "forward");
    module.element.classList.toggle("here-back", inside && step.phase !== "forward");
  }
  for (const edge of data.edges) {
    const inside = mine.has(edge.to) && (mine.has(edge.from) || feeds.has(edge.from) || gets.has(edge.from));
    const flow = step.phase === "forward" && inside;
    const back = (step.phase === "backward" && inside) || (step.phase === "hand" && mine.has(edge.from));
    const kind = flow ? "flow" : back ? "back" : "";
    if (edge.kind === kind) continue;
    edge.kind = kind;
    edge.element.setAttribute("class", `edge ${kind}`);
    edge.path.setAttribute(back ? "marker-start" : "marker-end", `url(#head${kind})`);
    edge.path.removeAttribute(back ? "marker-end" : "marker-start");
    if (kind) lines.append(edge.element);
  }
  describe(step);
  light(step, announce);
  slider.value = String(at);
  slider.setAttribute("aria-valuetext", `${position()}: ${step.title}`);
  where.textContent = position();
  document.body.dataset.phase = phaseOf(step);
  document.body.dataset.step = String(step.number);
  firstButton.disabled = backButton.disabled = at === 0;
  nextButton.disabled = lastButton.disabled = at === steps.length - 1;
  const current = step.node || data.nodes[0]?.id;
  for (const node of nodes.values()) {
    const index = node.id === current ? "0" : "-1";
    if (node.tab !== index) { node.tab = index; node.element.setAttribute("tabindex", index); }
  }
  if (!announce) return;
  live.textContent = `${position()}. ${step.title}. ${step.text.join(" ")}`;
  panel.scrollTop = 0;
  follow(step);
}
/** Keep what a step is about in sight. */
function follow(step) {
  const around = [...about(step), ...(step.from || []), ...(step.parts || []).map((part) => part.to)];
  if (step.node) reveal([...new Set(around.map((id) => boxOf(nodes.get(id))))].slice(0, 8), false);
  else if (at === 0) fit(true);
}
