"use strict";
/** The table of cases, and the way from it to a case and back. */
(() => {
  const { get, held, facts, make, named, wrong, show } = report, index = held("index");
  const PRINTED = 300;

  index.forEach((row, n) => { row.n = n; row.text = [row.case, row.subject, row.label, row.predicted].join("\n").toLowerCase(); });
  const urgency = (row) => (row.failures ? 1e6 : 0) + row.caveats.length * 10 + (wrong(row) ? 1 : 0);
  const words = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a.localeCompare(b, undefined, { numeric: true }));
  const numbers = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a - b);
  const COLUMNS = [
    { name: "case", title: "Case", compare: (a, b) => words(a.case, b.case) },
    { name: "subject", title: "Subject", wide: true, compare: (a, b) => words(a.subject, b.subject) },
    { name: "label", title: "Own class", wide: true, compare: (a, b) => words(a.label, b.label) },
    { name: "predicted", title: "Predicted", compare: (a, b) => words(a.predicted, b.predicted) },
    { name: "probability", title: "Probability", wide: true, number: true, compare: (a, b) => numbers(a.probability, b.probability) },
    { name: "urgency", title: "To be looked at", compare: (a, b) => urgency(b) - urgency(a) },
  ];
  const KINDS = [
    ["all", "all cases", () => true],
    ["failures", "failures", (row) => row.failures > 0],
    ["caveats", "with caveats", (row) => row.caveats.length > 0],
    ["wrong", "predicted wrong", wrong],
    ["clear", "neither", (row) => !row.failures && !row.caveats.length && !wrong(row)],
  ];
  let sorted = { name: "urgency", down: false }, shown = [], all = false, height = 0;
  const kept = new Map();

  function notes(row, cell) {
    const told = [];
    if (row.failures) told.push(["failed", "bad"]);
    if (wrong(row)) told.push(["predicted wrong", "bad"]);
    if (row.caveats.length) told.push([row.caveats.map((n) => facts.caveats[n]).join(", "), "warn"]);
    told.forEach(([what, name], n) => { if (n) cell.append("; "); make("span", cell, what, name); });
    cell.title = row.failure || told.map(([what]) => what).join("; ");
  }

  function rowOf(row, place) {
    const made = document.createElement("tr");
    made.setAttribute("aria-rowindex", place + 2);
    const head = make("th", made);
    head.scope = "row";
    const link = make("a", head);
    link.href = `#case-${row.n}`;
    named(link, row.case);
    head.title = row.case;
    for (const { name, wide, number } of COLUMNS.slice(1)) {
      const cell = make("td", made, null, [wide ? "wide" : "", number ? "number" : ""].join(" ").trim());
      if (name === "urgency") notes(row, cell);
      else if (name === "probability") cell.textContent = row.probability === null ? "" : row.probability.toFixed(3);
      else { named(cell, row[name] === null ? (name === "predicted" ? "no map" : "not known") : row[name]); cell.title = row[name] || ""; }
    }
    return made;
  }

  /** Put the rows that can be seen into the table, and room for the others; the one with the focus stays. */
  function draw() {
    const frame = get("window"), body = get("rows");
    if (!height) height = measured(body);
    const first = all ? 0 : Math.max(0, Math.floor(frame.scrollTop / height) - 12);
    const last = all ? Math.min(shown.length, PRINTED) : Math.min(shown.length, first + Math.ceil(frame.clientHeight / height) + 24);
    const wanted = new Set(shown.slice(first, last));
    const focused = document.activeElement && body.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
    for (const row of kept.keys()) if (!wanted.has(row)) kept.delete(row);
    const across = [...get("heads").children].filter((head) => head.offsetParent !== null).length || COLUMNS.length;
    const before = space(first, across), after = space(shown.length - last, across);
    const rows = shown.slice(first, last).map((row, n) => {
      if (!kept.has(row)) kept.set(row, rowOf(row, first + n));
      return kept.get(row);
    });
    const anew = [before, ...rows, after];
    if (focused && rows.includes(focused)) place(body, anew, focused);
    else body.replaceChildren(...anew);
  }

  /** Lay rows around one that must not be taken out, as it would lose the focus. */
  function place(body, anew, focused) {
    [...body.children].forEach((each) => { if (each !== focused) each.remove(); });
    const middle = anew.indexOf(focused);
    focused.before(...anew.slice(0, middle));
    focused.after(...anew.slice(middle + 1));
  }

  function measured(body) {
    const made = body.appendChild(rowOf(shown[0] || index[0], 0));
    const found = made.getBoundingClientRect().height;
    made.remove();
    return found || 42;
  }

  function space(count, across) {
    const made = make("tr", null, null, "space");
    made.setAttribute("aria-hidden", "true");
    const cell = make("td", made);
    cell.colSpan = across;
    cell.style.height = all ? "0" : `${count * height}px`;
    return made;
  }

  /** Choose and sort the rows as the form says. */
  function choose() {
    const search = get("search").value.trim().toLowerCase();
    const kind = KINDS.find(([name]) => name === get("kind").value)[2];
    const [label, predicted] = ["label", "predicted"].map((name) => get(name).value);
    shown = index.filter((row) => kind(row) && (!search || row.text.includes(search))
      && (!label || row.label === facts.classes[label]) && (!predicted || row.predicted === facts.classes[predicted]));
    const column = COLUMNS.find(({ name }) => name === sorted.name);
    shown.sort((a, b) => (sorted.down ? -1 : 1) * column.compare(a, b) || a.n - b.n);
    heads();
    get("order").value = sorted.name;
    get("told").textContent = shown.length === index.length ? `${index.length.toLocaleString("en")} cases.`
      : `${shown.length.toLocaleString("en")} of ${index.length.toLocaleString("en")} cases.`;
    get("table").setAttribute("aria-rowcount", shown.length + 1);
    get("printed").textContent = shown.length > PRINTED ? `The first ${PRINTED} of ${shown.length.toLocaleString("en")} cases are printed: choose fewer by the filters to print others.` : "";
    kept.clear();
    get("window").classList.toggle("short", shown.length < 12);
    get("window").scrollTop = 0;
    draw();
  }

  function heads() {
    get("heads").querySelectorAll("th").forEach((head, n) => {
      const own = COLUMNS[n].name === sorted.name;
      head.setAttribute("aria-sort", own ? (sorted.down ? "descending" : "ascending") : "none");
      head.querySelector(".way").textContent = own ? (sorted.down ? " ▼" : " ▲") : "";
    });
  }

  function option(parent, value, told) {
    const made = make("option", parent, told);
    made.value = value;
  }

  function begin() {
    for (const { name, title, wide, number } of COLUMNS) {
      const head = make("th", get("heads"), null, [wide ? "wide" : "", number ? "number" : ""].join(" ").trim());
      head.scope = "col";
      const button = make("button", head, title);
      button.type = "button";
      make("span", button, "", "way").setAttribute("aria-hidden", "true");
      button.addEventListener("click", () => {
        sorted = { name, down: sorted.name === name && !sorted.down };
        choose();
      });
      option(get("order"), name, title);
    }
    KINDS.forEach(([name, told, test]) => option(get("kind"), name, `${told} (${index.filter(test).length.toLocaleString("en")})`));
    for (const id of ["label", "predicted"]) {
      option(get(id), "", "any");
      facts.classes.forEach((name, n) => option(get(id), String(n), name));
    }
    get("filters").hidden = get("window").hidden = false;
    get("filters").addEventListener("input", (event) => { if (event.target.id !== "order") choose(); });
    get("order").addEventListener("change", (event) => { sorted = { name: event.target.value, down: false }; choose(); });
    get("filters").addEventListener("submit", (event) => event.preventDefault());
    get("window").addEventListener("scroll", draw, { passive: true });
    get("window").addEventListener("keydown", keys);
    addEventListener("resize", () => { height = 0; kept.clear(); get("rows").replaceChildren(); draw(); });
    addEventListener("beforeprint", () => { all = true; get("printed").hidden = !get("printed").textContent; draw(); });
    addEventListener("afterprint", () => { all = false; get("printed").hidden = true; draw(); });
    addEventListener("hashchange", route);
    choose();
  }

  /** Arrow keys go from row to row; the links of rows are in the order of the tab key, too. */
  function keys(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const own = document.activeElement.closest("#rows tr");
    if (!step || !own || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = step > 0 ? own.nextElementSibling : own.previousElementSibling;
    const link = next && next.querySelector("a");
    if (!link) return;
    event.preventDefault();
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  let opened = null, back = 0, title = document.title;

  function route() {
    const found = /^#case-(\d+)$/.exec(location.hash);
    const row = found ? index[Number(found[1])] : null;
    const panel = get("panel"), was = opened;
    if (row && opened === null) back = scrollY;
    opened = row ? row.n : null;
    panel.hidden = !row;
    get("overview").hidden = Boolean(row);
    document.body.classList.toggle("one", Boolean(row));
    document.title = row ? `${row.case}: ${title}` : title;
    if (row) {
      show(panel, held(`case-${row.n}`), row, steps(row));
      scrollTo(0, 0);
      get("panel-title").focus({ preventScroll: true });
    } else {
      panel.replaceChildren();
      if (was !== null) returned(was);
    }
  }

  /** Go back to the row that was left. */
  function returned(was) {
    height = 0;
    const place = shown.findIndex((row) => row.n === was);
    draw();
    if (place >= 0) get("window").scrollTop = Math.max(0, (place - 3) * height);
    draw();
    const link = get("rows").querySelector(`a[href="#case-${was}"]`);
    if (location.hash === "" || location.hash === "#cases") scrollTo(0, back);
    if (link && (location.hash === "" || location.hash === "#cases")) link.focus({ preventScroll: true });
  }

  /** Return the links to the table, and to the cases before and after this one as they are sorted. */
  function steps(row) {
    const bar = make("nav", null, null, "steps"), place = shown.indexOf(row);
    bar.setAttribute("aria-label", "Cases");
    make("a", bar, "← All cases").href = "#cases";
    const [before, after] = [shown[place - 1], shown[place + 1]];
    if (place >= 0 && before) make("a", bar, "Previous case").href = `#case-${before.n}`;
    if (place >= 0 && after) make("a", bar, "Next case").href = `#case-${after.n}`;
    if (place >= 0) make("span", bar, `${place + 1} of ${shown.length}`, "faint");
    return bar;
  }

  begin();
  route();
  document.documentElement.dataset.ready = "";
})();
