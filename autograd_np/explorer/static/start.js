// The one entry: `page.show(data)` shows data, and shows others in their place. The live page also sets `page.onEdit`.

/** Where the reader is, by names, since ids and numbers of steps belong to the data. */
function whereabouts() {
  const step = steps[at];
  const nth = steps.slice(0, at).filter((other) => other.key === step.key).length;
  return { key: step.key, nth, at, picked: picked && { keys: picked.ids.map((id) => nodes.get(id).key) }, closed: [...closed], };
}

/** Go back there, or to what is nearest. */
function goBack(before) {
  const same = steps.flatMap((step, i) => (step.key === before.key ? [i] : []));
  at = same.length ? same[Math.min(before.nth, same.length - 1)] : Math.min(before.at, steps.length - 1);
  const ids = before.picked ? data.nodes.filter((node) => before.picked.keys.includes(node.key)).map((node) => node.id) : [];
  picked = ids.length ? { ids } : null;
}

const page = {
  /** What is shown. */
  get data() { return data; },

  /** Called with `{name, id, at, value}` when the reader changes a number of an input; numbers can be changed where it is set. */
  get onEdit() { return hook; },
  set onEdit(call) { hook = call; update(false); },

  /** Be light or dark as what the page stands on, until the reader chooses. */
  standOn(name) { stands = true; if (!chosen) setTheme(name === "dark" ? "dark" : "light", false); },

  /** Show data, as `Graph.explore` makes them; with `keep`, at the step, selection, zoom and open modules that are shown now. */
  show(fresh, keep = true) {
    const before = keep && data ? whereabouts() : null;
    const [scrolled, read, focused] = [panel.scrollTop, code.scrollTop, document.activeElement?.dataset.edit];
    load(fresh);
    closed.clear();
    for (const path of before ? before.closed : data.closed || []) if (modules.has(path)) closed.add(path);
    walk();
    if (before) goBack(before);
    else {
      stop();
      at = 0;
      picked = null;
    }
    label();
    drawCode();
    room = null;
    size(); // now: afterwards it would take the drawing being laid out
    draw();
    layout();
    find();
    if (before) {
      panel.scrollTop = scrolled;
      code.scrollTop = read;
      if (focused) [...panel.querySelectorAll("[data-edit]")].find((field) => field.dataset.edit === focused)?.focus();
    } else fit(true);
    document.body.dataset.ready = "yes";
  },
};
window.page = page;

setTheme(prefersDark.matches ? "dark" : "light", false);
page.show(JSON.parse(document.getElementById("data").textContent));
if (goToAddress()) update(true);
live.textContent = `${data.title}. ${steps.length} steps. Right arrow: next step.`;
