// What is shown: the data that Python computed, which of it is known at which step, and what the reader has chosen.

let data, nodes, modules, steps, seedAt, forwardCount, backwardCount;

let at = 0; // the step shown
let picked = null; // the node whose values are pinned
let timer = 0; // playing
let hook = null; // whoever wants to know of edits
const closed = new Set(); // collapsed modules

/** Take new data in the place of what there was. */
function load(fresh) {
  data = fresh;
  nodes = new Map(data.nodes.map((node) => [node.id, node]));
  modules = new Map(data.modules.map((module) => [module.path, module]));
  steps = data.steps;
  for (const node of nodes.values()) {
    node.users = [];
    node.gifts = []; // contributions to its gradient, in the order of the reverse sweep
    node.valueAt = node.kind === "operation" ? Infinity : 0;
  }
  for (const edge of data.edges) nodes.get(edge.from).users.push(edge.to);
  seedAt = steps.findIndex((step) => step.phase === "seed");
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
  forwardCount = steps.filter((step) => step.phase === "forward").length;
  backwardCount = steps.filter((step) => step.phase === "backward").length;
}
