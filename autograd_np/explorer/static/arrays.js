// Arrays, as tables.

const isOdd = (text) => /nan|inf/i.test(text);
/** Let a number be typed or dragged; Enter, or leaving the field, tells whoever hooked in. */
function editing(td, of, place, whole) {
  const shown = td.textContent.replaceAll("−", "-");
  let last = shown;
  const tell = (text) => { if (text.trim() !== last) hook({ name: of.key, id: of.id, at: place, value: (last = text.trim()) }); };
  const field = h("input", { class: "edit", inputmode: "decimal", "aria-label": `${of.name}, element ${place}; type a number, or drag sideways`, title: "Type a number, or drag sideways",
    "data-edit": `${of.key}\n${place}`, size: Math.max(4, shown.length), autocomplete: "off", spellcheck: "false",
    oninput: () => { field.dataset.typed = "yes"; },
    onkeydown: (event) => {
      event.stopPropagation();
      if (event.key === "Escape") field.value = last;
      if (event.key === "Enter") tell(field.value);
      if (event.key === "Enter" || event.key === "Escape") delete field.dataset.typed;
      if (event.key === "Escape") field.blur();
    },
    onblur: () => { delete field.dataset.typed; tell(field.value); } });
  field.value = shown;
  field.addEventListener("pointerdown", (event) => dragging(event, field, whole, tell));
  td.replaceChildren(field);
}
/** Follow a drag that began in a field. It goes on where new data take the place of the field: so the window is listened to. */
function dragging(start, field, whole, tell) {
  const from = Number(field.value);
  if (!Number.isFinite(from) || start.button !== 0) return;
  let drags = false;
  const move = (event) => {
    const way = event.clientX - start.clientX;
    if (!drags && Math.abs(way) < 4) return;
    drags = true;
    event.preventDefault();
    getSelection().removeAllRanges();
    const value = from + (way * Math.max(0.1, Math.abs(from))) / 100;
    const text = whole ? String(Math.round(from + way / 10)) : String(Number(value.toPrecision(4)));
    field.value = text;
    tell(text);
  };
  const end = () => { for (const [kind, call] of [["pointermove", move], ["pointerup", end], ["pointercancel", end]]) removeEventListener(kind, call); };
  for (const [kind, call] of [["pointermove", move], ["pointerup", end], ["pointercancel", end]]) addEventListener(kind, call);
}

/** A table of an array; of an input of the page's that can be edited, a table of fields. */
function arrayTable(array, what, of, beside) {
  const editable = hook && of && of.kind !== "operation" && of.edit !== false;
  const numbers = array.rows.map((row) => row.map((text) => Number(text.replaceAll("−", "-"))));
  const largest = Math.max(...numbers.flat().filter(Number.isFinite).map(Math.abs), 0);
  const cell = (text, r, c) => {
    const off = beside && beside.rows[r] && beside.rows[r][c] !== text;
    const td = h("td", { class: isOdd(text) ? "odd" : off && "off" }, text);
    const x = numbers[r][c];
    if (largest > 0 && Number.isFinite(x) && x !== 0 && array.dtype !== "bool") {
      td.style.background = `rgb(var(--${x > 0 ? "positive" : "negative"}) / ${(0.05 + (0.3 * Math.abs(x)) / largest).toFixed(3)})`.replace("rgb", "rgba").replace(" / ", ", ");
    }
    if (editable) editing(td, of, r * (array.of ? array.of[1] : numbers[r].length) + c, /^u?int/.test(array.dtype));
    return td;
  };
  const more = array.of && array.of[1] > (array.rows[0] || []).length;
  const rows = array.rows.map((row, r) =>
    h("tr", {}, array.labels && h("th", { scope: "row" }, `[${array.labels[r]}]`), row.map((text, c) => cell(text, r, c)), more && h("td", { class: "more" }, "…")),
  );
  if (array.of && array.of[0] > array.rows.length) rows.push(h("tr", {}, h("td", { class: "more", colspan: 99 }, `… ${array.of[0] - array.rows.length} more rows`)));
  const stats = array.stats && !array.whole ? [`min ${array.stats.min}, mean ${array.stats.mean}, max ${array.stats.max}`] : [];
  for (const [kind, count] of Object.entries(array.bad || {})) stats.push(`${count} ${kind}`);
  if (!rows.length) stats.push("empty");
  return [
    h("div", { class: "array", tabindex: rows.length && array.of ? 0 : undefined, role: "group", "aria-label": `${what}, ${array.shape}` }, h("table", {}, h("tbody", {}, rows))),
    stats.length ? h("p", { class: "small stats" }, stats.join("; ")) : null,
  ];
}
const titled = (title, array, of, ...after) => [
  h("h3", {}, title, h("span", { class: "small" }, `  ${array.shape}`), after),
  arrayTable(array, title, of),
];
const d = (node) => `∂${data.L}/∂${node.bracketed || node.name}`;
const dots = (k, n) => h("span", { class: "dots", role: "img", "aria-label": `contribution ${k} of ${n}` }, n <= 8 ? Array.from({ length: n }, (_, i) => h("i", { class: i < k && "on" })) : `${k}/${n}`);
