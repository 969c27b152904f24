// Finding nodes, and everything by keyboard.

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
  update(false);
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
  const more = { "/": () => search.focus(), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(), Escape: () => { picked = null; update(false); } };
  const action = actions[event.key] || more[event.key];
  if (!action) return;
  event.preventDefault();
  if (actions[event.key]) stop();
  action();
});
