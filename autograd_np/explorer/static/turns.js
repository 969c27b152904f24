// What is repeated. A box that stands for several turns is one step, as it is one in the drawing; where it is opened, there are all.

/** The outermost closed box of turns around a node, if there is one. */
function turnsAround(id) {
  let outermost = "";
  for (let p = nodes.get(id).module; p; p = modules.get(p).parent) if (closed.has(p) && modules.get(p).turns) outermost = p;
  return outermost;
}
/** The box that all nodes of a step are in. */
function turnsOf(step) {
  const [first, ...others] = about(step).map(turnsAround);
  return first && others.every((path) => path === first) ? first : "";
}
/** Put steps that follow each other inside a closed box of turns together. A mistake stays a step of its own, once for each line. */
function gathered(list) {
  const found = [];
  const wrong = new Set();
  let waiting = []; // steps without a node, which belong to the box if it goes on after them
  let open = null;
  const close = () => { found.push(...waiting); waiting = []; open = null; };
  list.forEach((step, number) => {
    step.number = number;
    const line = String(step.at);
    const alone = step.ok === false && !wrong.has(line);
    if (alone) wrong.add(line);
    const path = alone ? "" : turnsOf(step);
    if (open && path === open.path && step.phase === open.phase) {
      open.inner.push(...waiting, step);
      waiting = [];
    } else if (open && !alone && step.phase === open.phase && !about(step).length) waiting.push(step);
    else {
      close();
      if (path) found.push((open = { path, phase: step.phase, number, inner: [step] }));
      else found.push(step);
    }
  });
  close();
  return found.map((step) => (step.inner ? together(step) : step));
}
/** One step for several. */
function together({ path, phase, number, inner }) {
  const all = inner.flatMap(about);
  const mine = new Set(all);
  const parts = new Map(); // of those to what is outside, the last of each
  for (const part of inner.flatMap((step) => step.parts || [])) if (!mine.has(part.to)) parts.set(part.to, part);
  const spots = [...new Map(inner.flatMap((step) => (step.at ? [[String(step.at), step.at]] : []))).values()];
  const { title, turns } = modules.get(path);
  const last = inner.findLast((step) => step.node) || {};
  return {
    phase, number, inner, path, turns, spots, title: phase === "backward" ? `Back through ${title}` : title, node: last.node, nodes: all, key: inner[0].key,
    at: last.at, callers: last.callers, ok: inner.some((step) => step.ok === false) ? false : undefined,
    from: [...new Set(inner.flatMap((step) => step.from || []))].filter((id) => !mine.has(id)), parts: [...parts.values()],
    text: [phase === "hand" ? `${inner.length} steps, which go through ${turns} turns.` : turns > 1 ? `${turns} turns, each with the same operations, one after the other.` : "The same operations once more."],
  };
}
/** The steps inside that are written in other lines than those before. */
const different = (step) => [...new Map(step.inner.map((one) => [String(one.at || one.title), one]).reverse()).values()].reverse();

/** Take the steps anew after boxes were closed or opened, and stay where we are. */
function rewalk() {
  const { number } = steps[at];
  walk();
  at = stepAt(number);
  label();
}
/** The step that has one of the data's numbers. */
const stepAt = (number) => Math.max(0, steps.findLastIndex((step) => step.number <= number));
