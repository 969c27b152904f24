// Finding nodes, and everything by keyboard.

let matches = [];
let current = -1;

/** How well a node is what was typed: its name, the beginning of it, its operation, or anything with that in it; 0 if it is not. */
function rank(node, words) {
  const name = node.name.toLowerCase();
  const last = name.split(".").at(-1);
  if (name === words || node.key.toLowerCase() === words) return 6; // as it is read here, or as it is called in Python
  if (last === words) return 5;
  if (name.startsWith(words) || last.startsWith(words)) return 4;
  if (node.op && node.op.toLowerCase() === words) return 3;
  if (name.includes(words) || (node.op && node.op.toLowerCase().startsWith(words))) return 2;
  return [node.op, node.formula, node.module, node.kind].some((t) => t && t.toLowerCase().includes(words)) ? 1 : 0;
}
function find() {
  const words = search.value.trim().toLowerCase();
  const ranked = words ? data.nodes.map((node) => [rank(node, words), node]).filter(([r]) => r > 0) : [];
  matches = ranked.sort(([a], [b]) => b - a).map(([, node]) => node);
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
    rewalk();
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
    if (next) { reveal([next], false); next.element.focus({ preventScroll: true }); }
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === search || event.target === slider || event.target === speed) return;
  const actions = { ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), Home: () => go(0), End: () => go(steps.length - 1) };
  const more = { "/": () => search.focus(), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(), Escape: unpick, p: () => playButton.click(), o: () => !finerButton.hidden && finerButton.click() };
  const action = actions[event.key] || more[event.key];
  if (!action) return;
  event.preventDefault();
  if (actions[event.key]) stop();
  action();
});
addEventListener("hashchange", () => { if (goToAddress()) { stop(); update(true); } });
