"use strict";
// The live page: shows what Python says, and tells Python what the reader changes. All text from there becomes text content.
(() => {
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== false && value !== undefined) element.setAttribute(key, value);
    }
    element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };

  /** Words with code between backticks. */
  const prose = (words) => words.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));

  let everConnected = false;
  let send = () => {};

  const status = make("span", { id: "live-status", role: "status", hidden: "" });
  const reset = make("button", { id: "reset", type: "button", hidden: "", onclick: () => send({ reset: true }) });
  const told = make("section", { id: "told", "aria-label": "What Python says", "aria-live": "polite" });
  const header = document.querySelector("header");
  header.querySelector("h1").after(status, reset);
  header.append(told);

  // --- what Python says --------------------------------------------------------------------------

  let state = { busy: "read" };
  let waiting = null; // a state that came while a number was being typed
  let shown = null; // the data on the page
  let through = false; // the reader steps through the backward pass that was checked
  let connected = false;

  const typing = () => document.activeElement?.matches("input.edit") && document.activeElement.dataset.typed === "yes";
  function receive(fresh) {
    if ("answered" in fresh) ask();
    state = { ...(waiting || state), ...fresh };
    if (!typing()) return apply();
    waiting = state;
    say();
  }
  function apply() {
    waiting = null;
    const data = through ? state.checked || (state.checks && shown) || state.data : state.data;
    if (data && data !== shown) {
      const first = !shown && document.body.dataset.step === "0";
      shown = data;
      page.show(data, !first);
    }
    say();
  }
  addEventListener("focusout", () => setTimeout(() => waiting && !typing() && apply(), 0));

  const BUSY = { read: "reading the file …", run: "computing …", check: "checking the backward pass …" };
  function say() {
    status.hidden = false;
    const now = !connected ? "lost" : state.busy ? "busy" : state.problem ? "problem" : "live";
    status.dataset.state = document.body.dataset.live = now;
    status.textContent = { lost: "not connected", busy: BUSY[state.busy], problem: "stopped", live: "live" }[now];
    reset.hidden = !state.changed;
    reset.textContent = `Reset ${state.changed} number${state.changed === 1 ? "" : "s"}`;
    const open = told.querySelector("details")?.open ?? false;
    told.replaceChildren(...[
      !connected && everConnected && make("p", { class: "bad" }, "The program that computes has ended. Start it again, and open the address that it prints."),
      state.refused && make("p", { class: "bad" }, state.refused),
      state.problem && problem(state.problem),
      state.checks && verdict(state.verdict, open),
    ].filter(Boolean));
  }
  function problem(found) {
    const place = [found.file && `${found.file}, line ${found.line}`, found.function && `in ${found.function}`].filter(Boolean).join(", ");
    return make("div", { class: "bad", id: "problem", role: "alert" },
      make("p", {}, place && make("b", {}, `${place}: `), found.what),
      found.code && make("pre", {}, found.code),
      make("p", { class: "small" }, state.data ? "Below is the last run that went well. The page goes on when this is mended." : "The page goes on when this is mended."));
  }
  function verdict(report, open) {
    if (!report) return make("p", { id: "verdict", "data-verdict": "", class: "small" }, state.problem ? "The backward pass was not checked." : "Checking the backward pass …");
    const step = make("button", { id: "through", type: "button", "aria-pressed": String(through), onclick: () => { through = !through; apply(); } },
      through ? "Back to the graph" : "Step through backward");
    return make("div", { id: "verdict", "data-verdict": report.verdict },
      make("p", {}, make("b", {}, report.headline), state.checked && step),
      !through && report.mistakes.map((mistake) => make("div", { class: "mistake" }, make("p", {}, `${mistake.where}: `, prose(mistake.what)), mistake.diff.length > 0 && block({ code: mistake.diff }))),
      make("details", open ? { open: "" } : {}, make("summary", {}, "The whole report"), report.blocks.map(block)));
  }
  function block(part) {
    if (part.code) return make("pre", {}, part.code.map(([before, text, style]) => make("span", { class: `row ${{ "-": "old", "+": "new", fail: "old" }[style] || ""}` }, before + text)));
    if (part.rows) {
      const [head, ...rows] = part.rows;
      return make("table", {}, make("tr", {}, head.map((text) => make("th", {}, text))),
        rows.map((row, i) => make("tr", { class: part.styles[i + 1] }, row.map((text) => make("td", {}, text)), part.notes[i + 1] && make("td", { class: "note" }, part.notes[i + 1]))));
    }
    return make("p", { class: `${part.style} ${part.indent ? "inner" : ""}` }, part.text);
  }

  // --- what the reader changes -------------------------------------------------------------------

  let edits = new Map(); // that were not sent yet: of many for one number the last counts
  let asked = false; // Python has edits that it has not answered
  function edited({ name, at, value }) {
    edits.set(`${name}\n${at}`, [name, at, String(value)]);
    if (!asked) ask();
  }
  function ask() {
    asked = edits.size > 0;
    for (const edit of edits.values()) send({ edit });
    edits = new Map();
  }

  // --- to Python and back: a socket, or the notebook around this frame -----------------------------

  let tries = 0;
  function opened() { connected = everConnected = true; tries = 0; asked = false; page.onEdit = edited; say(); }
  function lost() { connected = false; page.onEdit = null; say(); }
  function connect() {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}${location.pathname}live`);
    socket.onopen = opened;
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = () => { lost(); if (++tries <= 5) setTimeout(connect, 1000 * tries); };
    send = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
  }
  function listen() {
    addEventListener("message", (event) => {
      if (event.source !== parent || !event.data) return;
      if (event.data.explorer === "hello") send({ hello: true });
      if (event.data.explorer === "theme") page.standOn(event.data.theme);
      if (event.data.explorer !== "state") return;
      if (!connected) opened();
      receive(event.data.state);
    });
    send = (message) => parent.postMessage({ explorer: "wish", message }, "*");
    send({ hello: true });
  }
  if (location.protocol.startsWith("http")) connect();
  else listen(); // until someone answers, this is a page like any other
})();
