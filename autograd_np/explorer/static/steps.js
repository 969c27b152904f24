// Steps: which one is shown, and how the drawing shows it.

function go(i) {
  at = Math.min(steps.length - 1, Math.max(0, i));
  update(true);
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
/** Show the step: the drawing, the explanation, and what the frame says. */
function update(announce) {
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
  const current = step.node || data.nodes[0]?.id;
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
