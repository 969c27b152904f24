// The explanation of a step, and all there is to say about a node.

function describe(step) {
  const node = nodes.get(step.node);
  const children = [
    h("span", { class: `phase ${step.phase === "start" ? "" : phaseOf(step)}` }, position()),
    h("h2", {}, step.title),
    at === 0 && data.notice && h("p", { class: "notice" }, data.notice),
    step.text.map((line) => h("p", {}, line)),
  ];
  if (step.phase === "start") children.push(h("p", { class: "small" }, "Next step: → or the button. Back: ←. Click any node to see all its values. Drag to move, scroll to zoom."), h("p", { class: "small", id: "how-live" }, hook ? "Click an input and change a number: type, or drag sideways. Python computes the rest." : "This page is one run. To change numbers, and to follow your file while you write: autograd-np explore FILE.py:loss, or graph.explore(live=True)."));
  if (step.phase === "forward") {
    children.push(titled(`${node.name}`, node.value));
    const seen = new Set();
    for (const operand of node.operands) {
      if (!operand.id || seen.has(operand.id)) continue;
      seen.add(operand.id);
      children.push(titled(`from ${operand.name}`, nodes.get(operand.id).value, nodes.get(operand.id)));
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
  update(false);
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
    h("p", {}, jump("Forward step", node.kind === "operation" && node.valueAt), " ", jump("Backward step", node.backAt), " ", h("button", { type: "button", id: "unpick", onclick: () => { picked = null; update(false); } }, "Close")),
    titled("Value", node.value, node),
    node.gradient ? titled(`Gradient ${d(node.name)}`, node.gradient) : h("p", { class: "small" }, data.notice || "No gradient flows to it."),
    gifts.length > 1 && h("p", { class: "small" }, `The gradient is the sum of ${gifts.length} contributions:`),
    gifts.slice(0, 12).map((gift) => titled(`from ${nodes.get(gift.by).name}`, gift.array)),
  ];
}
