// The user's code: lines that light with the steps, and can be selected.

const code = h("section", { id: "code", "aria-label": "Your code. Up and Down move between lines, Enter selects one.", onkeydown: (event) => codeKey(event) });
let rows = new Map(); // "function:line" -> its element

const indent = ([first]) => (first && !first[0] ? first[1].slice(0, first[1].length - first[1].trimStart().length) : "");
const rowKey = (source, line) => `${source}:${line}`;
function* rowsOf([source, first, last]) {
  for (let line = first; line <= last; line++) if (rows.has(rowKey(source, line))) yield rows.get(rowKey(source, line));
}

/** Make the elements of all functions, in the place of those there were. */
function drawCode() {
  rows = new Map();
  document.body.classList.toggle("nocode", !data.sources.length);
  code.replaceChildren(...data.sources.map((source, i) => {
    const lines = source.lines.map((pieces, j) => {
      const line = source.first + j;
      const mark = source.marks[line];
      const row = h("li", { tabindex: -1, role: "button", "data-line": rowKey(i, line), class: mark, onclick: () => pickLine(i, line) },
        h("span", { class: "number", "aria-hidden": "true" }, String(line)),
        h("span", { class: "mark", "aria-hidden": "true" }, mark === "ok" ? "✓" : mark === "wrong" ? "✗" : ""),
        h("code", {}, indent(pieces), h("span", { class: "said" }, pieces.map(([kind, text], k) => (kind ? h("span", { class: kind }, text) : k ? text : text.trimStart())))),
        mark && h("span", { class: "away" }, mark === "ok" ? ", right" : ", wrong"));
      rows.set(rowKey(i, line), row);
      return row;
    });
    return h("div", { class: source.backward ? "function backward" : "function" },
      h("h2", {}, source.name, h("span", { class: "small" }, `  ${source.file}:${source.first}`)), h("ol", {}, lines));
  }));
  const first = rows.values().next().value;
  if (first) first.setAttribute("tabindex", "0");
}

/** Light the lines of a step, and those of what is selected. */
function light(step, follow) {
  const classes = new Map();
  const add = (spot, name) => { for (const row of rowsOf(spot)) classes.set(row, `${classes.get(row) || ""} ${name}`); };
  for (const spot of step.callers || []) add(spot, "call");
  if (step.of) add(step.of, "of");
  for (const spot of step.spots || [step.at]) if (spot) add(spot, step.phase === "hand" && step.ok === false ? "now bad" : step.phase === "forward" ? "now" : "now back");
  if (picked) for (const id of picked.ids) if (nodes.get(id).line) add(nodes.get(id).line, "picked");
  if (picked && picked.line) add([picked.source, picked.line, picked.line], "picked");
  for (const row of rows.values()) {
    const name = `${data.sources[row.dataset.line.split(":")[0]].marks[row.dataset.line.split(":")[1]] || ""}${classes.get(row) || ""}`.trim();
    if (row.className !== name) row.className = name;
    const now = name.includes("now");
    if (now !== row.hasAttribute("aria-current")) now ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current");
  }
  code.querySelector(".remark")?.remove();
  if (step.at && step.findings && step.findings.length) [...rowsOf(step.at)].at(-1)?.after(remark(step.findings));
  if (follow) for (const spot of [step.of, step.at]) if (spot) into(code, [...rowsOf(spot)]);
}

/** What is wrong with a line, and what it should be, below it. */
function remark(findings) {
  return h("li", { class: "remark", role: "note" }, findings.map((finding) => [
    h("p", {}, prose(finding.message), "."),
    finding.new && h("pre", { class: "fix" }, finding.new.join("\n")),
  ]));
}

/** Scroll a pane by as little as brings some of its elements into sight. */
function into(pane, elements) {
  if (!elements.length) return;
  const box = pane.getBoundingClientRect();
  const top = elements[0].getBoundingClientRect().top - box.top;
  const bottom = elements.at(-1).getBoundingClientRect().bottom - box.top;
  if (top < 40) pane.scrollTop += top - 40;
  else if (bottom > box.height - 60) pane.scrollTop += Math.min(top - 40, bottom - box.height + 60);
}

/** Select what a line computes: in backward, what it is the gradient of. */
function pickLine(source, line) {
  const covers = (spot) => spot && spot[0] === source && spot[1] <= line && line <= spot[2];
  let ids = data.nodes.filter((node) => covers(node.line)).map((node) => node.id);
  if (!ids.length) ids = steps.filter((step) => covers(step.at) || (step.callers || []).some(covers)).flatMap(about);
  if (!ids.length) { picked = null; update(false); return; }
  picked = { ids: [...new Set(ids)], source, line };
  update(false);
  panel.scrollTop = 0;
  reveal(picked.ids.map((id) => boxOf(nodes.get(id))), false);
  live.textContent = `Line ${line}: ${picked.ids.map((id) => nodes.get(id).name).join(", ")}. The values are in the explanation.`;
}
function codeKey(event) {
  const row = event.target.closest("li[data-line]");
  if (!row) return;
  const all = [...rows.values()];
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) {
    const next = all[all.indexOf(row) + moves[event.key]];
    if (next) { row.setAttribute("tabindex", "-1"); next.setAttribute("tabindex", "0"); next.focus(); }
  } else if (event.key === "Enter" || event.key === " ") row.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
