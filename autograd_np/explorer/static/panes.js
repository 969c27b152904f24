// The explanation of a step, and all there is to say about a node.

const line_ = (spot) => (spot ? `line ${spot[1]}` : "");
const lines_ = (spots) => (spots.length === 1 ? line_(spots[0]) : `lines ${Math.min(...spots.map((spot) => spot[1]))} to ${Math.max(...spots.map((spot) => spot[2]))}`);
const small = (...words) => h("p", { class: "small" }, words);
const some = (names) => (names.length > 8 ? `${names.slice(0, 6).join(", ")} and ${names.length - 6} more` : names.join(", "));
const alike = (of) => of.like && small(`As in ${of.like}:`);
const formula = (tree) => h("div", { class: "equation", tabindex: 0, role: "group", "aria-label": "equation" }, math(tree));

function describe(step) {
  const node = nodes.get(step.node);
  const told = step.phase === "forward" && step.math && !step.inner;
  const children = [
    h("span", { class: `phase ${step.phase === "start" ? "" : phaseOf(step)}` }, position()),
    step.at && h("span", { class: "small spot" }, step.spots ? lines_(step.spots) : line_(step.at)),
    h("h2", { class: step.phase === "hand" ? "code" : undefined }, told && !node.expressed ? node.name : step.title),
    told && alike(step),
    told && formula(step.math),
    at === 0 && data.notice && h("p", { class: "notice" }, data.notice),
    (step.phase !== "hand" || step.inner) && step.text.map((line) => h("p", {}, prose(line))),
    step.inner && ofTurns(step),
  ];
  if (step.phase === "start") {
    if (data.sizes && data.sizes.length) children.push(h("p", { id: "sizes" }, "In the equations, ", data.sizes.map(([letter, text], i) => [i ? ", " : "", math(letter), " is ", h("code", {}, text)]), "."));
    if (data.leftOut) children.push(h("p", { class: "small", id: "left-out" }, data.leftOut));
    children.push(small("Next step: → or the button. Back: ←. Click a node or a line to see its values. Drag to move, scroll to zoom."));
    children.push(h("p", { class: "small", id: "how-live" }, hook ? "Click an input and change a number: type, or drag sideways. Python computes the rest." : "This page is one run. To change numbers, and to follow your file while you write: autograd-np explore FILE.py:loss, or graph.explore(live=True)."));
  }
  if (step.phase === "forward" && !step.inner) {
    children.push(h("div", { class: "numbers" }, h("div", {}, titled(node.name, node.value)), step.from.map((id) => h("div", {}, titled(`from ${nodes.get(id).name}`, nodes.get(id).value, nodes.get(id))))));
  }
  if (step.phase === "seed" && node.gradient) children.push(titled(d(node), node.gradient));
  if (step.phase === "backward" && !step.inner) {
    children.push(titled(`Arrives: ${d(node)}`, node.gradient));
    if (step.rules) children.push(step.rules.map((line) => h("div", { class: "math" }, h("span", { class: "tag" }, "rule of this operation; y is its result, G what arrives"), line)));
    children.push(step.parts.map((part) => contribution(part, node)));
    if (!step.parts.length) children.push(h("p", {}, "It ends here: none of the inputs needs a gradient."));
  }
  if (step.phase === "hand" && !step.inner) children.push(byHand(step));
  if (step.phase === "end") children.push(step.leaves.slice(0, 40).map((id) => [titled(d(nodes.get(id)), nodes.get(id).gradient, null, step.verdicts && step.verdicts[id] && verdict(step.verdicts[id][0])), step.verdicts && step.verdicts[id] && step.verdicts[id][1] && small(step.verdicts[id][1])]));
  if (picked) children.unshift(h("div", { id: "picked" }, picked.ids.length === 1 ? inspect(nodes.get(picked.ids[0])) : inspectLine()), h("hr"));
  panel.replaceChildren(...children.flat(9).filter(Boolean));
}
const verdict = (ok) => (ok === undefined ? null : h("span", { class: `verdict ${ok === null ? "" : ok ? "ok" : "wrong"}` }, ok === null ? "not judged" : ok ? "✓ right" : "✗ wrong"));

/** What several turns do, told once, and what there is after the last of them. */
function ofTurns(step) {
  const whole = (one) => (one.phase === "forward" ? [one.math] : one.phase === "hand" ? one.math || [] : one.parts.map((part) => part.math)).filter(Boolean);
  const inside = new Set(step.nodes);
  const given = (ids) => [...new Set(ids)].map((id) => nodes.get(id));
  const results = given(step.nodes).filter((node) => node.users.some((id) => !inside.has(id)));
  return [
    h("p", { class: "jumps" }, h("button", { type: "button", id: "open-turns", onclick: () => toggle(step.path) }, "Open the box to go through them")),
    different(step).map((one) => {
      const equations = whole(one);
      const right = step.phase === "hand" && step.inner.filter((other) => String(other.at) === String(one.at)).every((other) => other.ok);
      return h("section", { class: "line-of" }, h("h3", {}, one.at ? line_(one.at) : one.title, step.phase === "hand" && (right || one.ok === false) && verdict(right)),
        equations.length ? equations.map(formula) : h("div", { class: "math" }, one.title.replace(/^Back through /, "")));
    }),
    step.phase === "forward" && results.map((node) => titled(`Afterwards ${node.name}`, node.value, node)),
    step.phase === "forward" && step.from.length > 0 && small(`Read from outside: ${some(given(step.from).map((node) => node.name))}.`),
    step.phase === "backward" && results.filter((node) => node.gradient).map((node) => titled(`Arrives: ${d(node)}`, node.gradient)),
    step.phase === "backward" && step.parts.map((part) => h("section", { class: "part" },
      h("h3", {}, `Goes to ${part.name}`, part.n > 1 && dots(part.k, part.n)),
      part.n > 1 && small(part.k === part.n ? `The sum of all ${part.n}: ${d(nodes.get(part.to))}, complete.` : `The sum so far, ${part.k} of ${part.n}:`),
      arrayTable(part.k === part.n ? nodes.get(part.to).gradient : part.sum || part.array, d(nodes.get(part.to))))),
  ];
}

/** What a line of the user's backward gave, and what it should have given. */
function byHand(step) {
  return [
    step.findings.map((finding) => h("section", { class: "finding" },
      h("h3", {}, `${finding.variable}: ${finding.kind}`),
      h("p", {}, prose(finding.message), "."),
      finding.where && h("table", { class: "sides" }, h("tbody", {},
        h("tr", {}, h("th", { scope: "row" }, `${finding.where} should be`), h("td", { class: "good" }, finding.expected)),
        h("tr", {}, h("th", { scope: "row" }, "and is"), h("td", { class: "bad" }, finding.actual)))),
      finding.new && h("div", { class: "diff", role: "group", "aria-label": "correction" }, finding.old.map((line) => h("del", {}, `− ${line}`)), finding.new.map((line) => h("ins", {}, `+ ${line}`))),
      finding.consequences && small(`Wrong only because of this: ${finding.consequences.join(", ")}.`),
      finding.call && small(`Called at ${finding.call}`))),
    step.math && step.math.length > 0 && [small(step.like ? `What forward asks for, as in ${step.like}:` : "What forward asks for:"), step.math.map(formula)],
    step.values.map((value, i) => [
      h("h3", {}, value.variable, verdict(value.ok), h("span", { class: "small" }, `  ${value.array.shape}`)),
      step.text[i] && h("p", {}, step.text[i]),
      value.expected && h("h4", {}, "expected", h("span", { class: "small" }, `  ${value.expected.shape}`)),
      value.expected && arrayTable(value.expected, `${value.variable}, expected`),
      value.expected && h("h4", {}, "actual"),
      arrayTable(value.array, value.variable, null, value.expected),
    ]),
  ];
}

function contribution(part, node) {
  const target = nodes.get(part.to);
  const several = part.n > 1;
  return h("section", { class: "part" },
    h("h3", {}, `Goes to ${part.name}`, several && dots(part.k, part.n), several && h("span", { class: "small" }, `  contribution ${part.k} of ${part.n}`)),
    part.math && alike(part),
    part.math && formula(part.math),
    part.simpler && [small("With what is above it, this simplifies to:"), formula(part.simpler)],
    part.local && h("div", { class: "math" }, h("span", { class: "tag" }, "local derivative"), part.local),
    part.rule && !part.math && h("div", { class: "math" }, h("span", { class: "tag" }, several ? "chain rule, this use" : "chain rule"), part.rule),
    part.note && small(part.note),
    !part.local && !part.rule && !part.math && small(`what ${node.name} sends to ${part.name}:`),
    arrayTable(part.array, `contribution to ${part.name}`),
    several && part.k > 1 && [h("h3", {}, part.k === part.n ? `Sum of all ${part.n}: ${d(nodes.get(part.to))}, complete` : `Sum so far (${part.k} of ${part.n})`), arrayTable(part.k === part.n ? target.gradient : part.sum, "running sum")],
    several && part.k === 1 && small(`Still to come: ${part.n - 1}.`));
}

// --- one node ----------------------------------------------------------------------------------

function pick(id) {
  picked = { ids: [id] };
  update(false);
  panel.scrollTop = 0;
  const node = nodes.get(id);
  if (node.line) into(code, [...rowsOf(node.line)]);
  live.textContent = `${node.name}: ${node.kind}, shape ${node.shape}. Its values are in the explanation.`;
}
const unpick = () => { picked = null; update(false); };
const close = () => h("button", { type: "button", id: "unpick", onclick: unpick }, "Close");
const jump = (label, i) => Number.isFinite(i) && i > 0 && i !== at && h("button", { type: "button", onclick: () => { stop(); picked = null; go(i); } }, label);

function inspect(node) {
  const where = node.line && `${data.sources[node.line[0]].name}, line ${node.line[1]}`;
  const facts = [["kind", node.output ? `${node.kind}, result` : node.kind], ["computed as", node.formula], ["operation", node.op && (node.attributes ? `${node.op}, ${node.attributes}` : node.op)], ["shape", node.shape], ["dtype", node.value.dtype], ["inside", node.module && (modules.get(node.module).kind === "module" ? node.module : modules.get(node.module).title)], ["written at", where || node.site], ["used by", [...new Set(node.users)].map((id) => nodes.get(id).name).slice(0, 12).join(", ")]];
  const gifts = node.gifts.filter((gift) => gift.array && gift.n > 1 && gift.at <= at);
  const known = node.gradientAt <= at;
  return [
    h("span", { class: "phase" }, "Selected node"), h("h2", {}, node.name, verdict(known ? node.verdict : undefined)),
    h("dl", {}, facts.filter(([, value]) => value).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])),
    h("p", { class: "jumps" }, jump("Forward step", node.kind === "operation" && node.valueAt), " ", jump("Backward step", node.backAt), " ", node.backAt === undefined && jump("Where its gradient comes from", node.gradientAt), " ", close()),
    node.valueAt <= at ? titled("Value", node.value, node) : small("Its value is not computed yet at this step."),
    node.gradient && known ? titled(`Gradient ${d(node)}`, node.gradient)
      : small(!node.gradient ? data.notice || "No gradient flows to it." : Number.isFinite(node.gradientAt) ? "Its gradient is not known yet at this step." : `${data.check ? data.check.function : "The way back"} gives no gradient of it.`),
    known && madeOf(node),
    gifts.length > 1 && small(`The gradient is the sum of ${node.gifts[0].n} contributions:`),
    gifts.slice(0, 12).map((gift) => titled(`from ${nodes.get(gift.by).name}`, gift.array)),
  ];
}
/** What a gradient is made of: the chain rule, or where no equation says it, what each use sends back. */
function madeOf(node) {
  const given = node.gifts.filter((gift) => gift.by && gift.at <= at);
  const whole = given.findLast((gift) => gift.math);
  if (whole) return [alike(whole), formula(whole.math), whole.simpler && formula(whole.simpler)];
  return [...new Set(given.map((gift) => gift.rule).filter(Boolean))].slice(0, 12).map((rule) => h("div", { class: "math" }, rule));
}
/** The nodes of the line that is selected. */
function inspectLine() {
  return [
    h("span", { class: "phase" }, "Selected line"), h("h2", {}, `Line ${picked.line}`),
    small(`${picked.ids.length} nodes: their values are a click away.`),
    h("p", { class: "jumps" }, picked.ids.slice(0, 30).map((id) => [h("button", { type: "button", onclick: () => pick(id) }, nodes.get(id).name), " "]), close()),
    picked.ids.slice(-1).map((id) => nodes.get(id).valueAt <= at && titled(nodes.get(id).name, nodes.get(id).value, nodes.get(id))),
  ];
}
