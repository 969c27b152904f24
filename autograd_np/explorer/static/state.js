// What is shown: the data that Python computed, which of it is known at which step, and what the reader has chosen.

let data, nodes, modules, steps, seedAt, forwardCount, backwardCount;

let at = 0; // the step shown
let picked = null; // what is selected: {ids} of nodes, and of a line its {source, line}
let finer = false; // each operation is a step, where a step is a line otherwise
let timer = 0; // playing
let hook = null; // whoever wants to know of edits
const closed = new Set(); // collapsed modules

/** Take new data in the place of what there was; `walk` is to follow, when it is known what is closed. */
function load(fresh) {
  data = { sources: [], ...fresh };
  nodes = new Map(data.nodes.map((node) => [node.id, node]));
  modules = new Map(data.modules.map((module) => [module.path, module]));
  for (const node of nodes.values()) node.users = [];
  for (const edge of data.edges) nodes.get(edge.from).users.push(edge.to);
}

/** Take the steps, by line or by operation, and say of every node when its value and its gradient are known. */
function walk() {
  finer = finer && Boolean(data.finer);
  steps = gathered(finer ? data.finer : data.steps);
  for (const node of nodes.values()) {
    node.gifts = []; // contributions to its gradient, in the order of the reverse sweep
    node.valueAt = node.kind === "operation" ? Infinity : 0;
    node.backAt = undefined;
    node.verdict = undefined;
  }
  seedAt = steps.findIndex((step) => step.phase === "seed");
  const each = (call) => steps.forEach((step, i) => (step.inner || [step]).forEach((one) => call(one, i)));
  each((step, i) => {
    const node = nodes.get(step.node);
    if (step.phase === "forward") for (const id of about(step)) nodes.get(id).valueAt = i;
    if (step.phase === "seed") node.gifts.push({ at: i, n: 1, k: 1 });
    if (step.phase === "backward") {
      for (const id of about(step)) nodes.get(id).backAt = i;
      for (const part of step.parts) nodes.get(part.to).gifts.push({ ...part, at: i, by: node.id });
    }
    if (step.phase !== "hand") return;
    for (const value of step.values.filter((v) => v.to)) {
      const mine = nodes.get(value.to);
      mine.backAt = i;
      mine.verdict = value.ok === false || mine.verdict === false ? false : value.ok;
      mine.gifts.push({ at: i, n: 1, k: 1 });
    }
  });
  for (const node of nodes.values()) {
    const given = node.gifts.length ? (data.check ? node.backAt ?? node.gifts[0].at : node.gifts.at(-1).at) : node.backAt;
    node.gradientAt = node.gradient && given !== undefined ? given : Infinity;
  }
  forwardCount = steps.filter((step) => step.phase === "forward").length;
  backwardCount = steps.filter((step) => step.phase === "backward" || step.phase === "hand").length;
}

/** The nodes of a step: of a line, all its operations. */
const about = (step) => step.nodes || (step.node ? [step.node] : []);
const isPicked = (id) => picked !== null && picked.ids.includes(id);
