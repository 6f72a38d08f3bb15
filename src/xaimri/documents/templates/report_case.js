"use strict";
/** The panel of a case, and what the table needs as well. */
const report = (() => {
  const get = (id) => document.getElementById(id);
  const held = (id) => JSON.parse(get(id).textContent);
  const facts = held("facts");

  /** Make an element: its words are words, whatever stands in them. */
  function make(tag, parent, words, name) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (words !== undefined && words !== null) made.textContent = words;
    if (parent) parent.append(made);
    return made;
  }

  /** A name from outside: kept apart from the words around it, as it may run from right to left. */
  const named = (parent, words, name) => make("bdi", parent, words, name);

  /** Where the own class is none of the network's, whether it is right can't be told. */
  const wrong = (row) => facts.classes.includes(row.label) && row.predicted !== null && row.label !== row.predicted;

  const palette = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const COLOURS = { true: palette(facts.signed), false: palette(facts.positive) };

  function answer(panel, known, row) {
    const line = make("p", panel, null, "answer");
    if (known.predicted === null) make("strong", line, "No method has a map of this case.", "bad");
    else {
      line.append("Predicted: ");
      named(make("strong", line), known.predicted);
      line.append(`, probability ${row.probability.toFixed(3)}. `);
      line.append("Own class: ");
      if (known.label === null) line.append("not known.");
      else { named(make("strong", line), known.label); line.append(". "); }
      if (wrong(row)) make("strong", line, "The prediction is wrong.", "bad");
    }
    const who = make("p", panel, "Subject: ", "faint");
    if (known.subject === null) who.append("not known");
    else named(who, known.subject);
    if (known.probabilities) bars(panel, known);
  }

  function bars(panel, known) {
    const list = make("div", panel, null, "bars");
    list.setAttribute("role", "img");
    list.setAttribute("aria-label", `Probabilities: ${facts.classes.map((name, n) => `${name} ${known.probabilities[n].toFixed(3)}`).join(", ")}`);
    known.probabilities.forEach((p, n) => {
      const row = make("div", list, null, "row");
      named(make("span", row), facts.classes[n]);
      make("span", make("span", row, null, "track"), null, "fill").style.width = `${100 * p}%`;
      make("span", row, p.toFixed(3));
    });
    if (facts.sure) make("p", panel, facts.sure, "faint");
  }

  function maps(panel, known) {
    make("h3", panel, "Maps, side by side");
    const state = { opacity: 1, fade: true, draws: [] };
    if (known.methods.some(({ layer }) => layer)) tools(panel, known, state);
    if (known.fault) make("p", panel, `The image is not shown: ${known.fault}`, "bad");
    const list = make("div", panel, null, "maps");
    if (known.picture) image(list, known);
    known.methods.forEach((one) => method(list, known, one, state));
  }

  function tools(panel, known, state) {
    const bar = make("div", panel, null, "tools");
    const slider = make("input", make("label", bar, "Strength of the colours "));
    Object.assign(slider, { type: "range", min: 0, max: 100, value: 100 });
    slider.addEventListener("input", () => { state.opacity = slider.value / 100; state.draws.forEach((each) => each()); });
    if (!known.methods.some(({ layer }) => layer && layer.sure)) return;
    const label = make("label", bar), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    label.append(box, " pale where a value can't be told from 0");
    box.addEventListener("change", () => { state.fade = box.checked; state.draws.forEach((each) => each()); });
  }

  const loaded = async (packed) => {
    const made = new Image();
    made.src = `data:image/webp;base64,${packed}`;
    await made.decode();
    return made;
  };

  /** Return the codes of a picture's plane: one number for each pixel. */
  function codes(picture, plane, top) {
    const scratch = document.createElement("canvas");
    [scratch.width, scratch.height] = [plane.width, plane.height];
    const context = scratch.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, top, plane.width, plane.height, 0, 0, plane.width, plane.height);
    const { data } = context.getImageData(0, 0, plane.width, plane.height);
    return Uint8Array.from({ length: plane.width * plane.height }, (_, n) => data[4 * n]);
  }

  function frame(list, plane, words) {
    const figure = make("figure", list), area = make("div", figure, null, "frame"), canvas = make("canvas", area, null, "plane");
    [canvas.width, canvas.height] = [plane.width, plane.height];
    canvas.style.aspectRatio = String(plane.width / (plane.height * plane.tall));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", words + (plane.name ? `, ${plane.name}` : ""));
    (plane.ends || []).forEach((letter, n) => make("span", area, letter, `side ${n ? "last" : "first"}`));
    if (plane.name) make("figcaption", figure, plane.name);
    return canvas;
  }

  function image(list, known) {
    const own = make("section", list);
    make("h4", own, "Image");
    const drawn = loaded(known.picture);
    known.planes.forEach((plane) => {
      const canvas = frame(own, plane, `The image of ${known.case}`);
      drawn.then((picture) => paint(canvas, plane, codes(picture, plane, plane.top), null));
    });
  }

  /** Draw grey, and over it the colours of a map. */
  function paint(canvas, plane, grey, over) {
    const context = canvas.getContext("2d"), made = context.createImageData(plane.width, plane.height), { data } = made;
    for (let n = 0, o = 0; n < plane.width * plane.height; n++, o += 4) {
      const g = grey ? grey[n] : 90;
      let c = 0, a = 0;
      if (over) { c = over.at(n); a = over.alpha(n, c); }
      for (let k = 0; k < 3; k++) data[o + k] = a ? g * (1 - a) + over.colours[c + k] * a : g;
      data[o + 3] = 255;
    }
    context.putImageData(made, 0, 0);
  }

  function method(list, known, one, state) {
    const own = make("section", list);
    make("h4", own, one.title);
    if (one.failure) {
      const line = make("p", own);
      make("strong", line, one.stage === "read" ? "The image can't be read: " : "No map: ", "bad");
      line.append(one.failure);
      return;
    }
    if (one.layer) layer(own, known, one, state);
    one.words.forEach((each) => make("p", own, each));
    const left = one.caveats.filter((each) => !known.shared.has(caveat(each)));
    if (left.length) caveats(own, left, "Reasons for doubt:");
    else if (!known.shared.size) make("p", own, "No caveats.", "faint");
  }

  function layer(own, known, one, state) {
    const { layer: map } = one, colours = COLOURS[map.signed], steps = colours.length / 4;
    const pictures = Promise.all([known.picture ? loaded(known.picture) : null, loaded(map.picture)]);
    const last = known.planes[known.planes.length - 1], tall = last.top + Math.ceil(last.height / 16) * 16;
    known.planes.forEach((plane) => {
      const canvas = frame(own, plane, `Map by ${one.title} of ${known.case}. ${one.words.join(" ")}`);
      pictures.then(([image, picture]) => {
        const grey = image && codes(image, plane, plane.top), values = codes(picture, plane, plane.top);
        const sure = map.sure ? codes(picture, plane, plane.top + tall) : null;
        const over = {
          colours,
          at: (n) => 4 * Math.min(Math.floor(values[n] / 256 * steps), steps - 1),
          alpha: (n, c) => {
            const far = map.signed ? Math.abs(values[n] - 127.5) / 127.5 : values[n] / 255;
            if (map.empty || far < 0.02) return 0;
            return colours[c + 3] / 255 * state.opacity * (sure && state.fade && sure[n] < 128 ? facts.pale : 1);
          },
        };
        const again = () => paint(canvas, plane, grey, over);
        state.draws.push(again);
        again();
      });
    });
    legend(own, one);
  }

  function legend(own, one) {
    const { layer: map } = one, box = make("div", own, null, "scale"), bar = make("canvas", box);
    [bar.width, bar.height] = [256, 2];
    const colours = COLOURS[map.signed], steps = colours.length / 4, over = {
      colours, at: (n) => 4 * Math.floor((n % 256) / 256 * steps), alpha: (n, c) => colours[c + 3] / 255,
    };
    const grey = Uint8Array.from({ length: 512 }, (_, n) => (n < 256 ? 26 : 230));
    paint(bar, { width: 256, height: 2 }, grey, over);
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", "Colours of the map, on dark and on bright ground");
    const ends = make("p", box, null, "ends"), limit = Number(map.limit.toPrecision(3));
    make("span", ends, map.signed ? `−${limit}` : "0");
    if (map.signed) make("span", ends, "0");
    make("span", ends, `+${limit}`);
    const line = make("p", box, `Of the ${one.of} of `, "faint");
    named(line, one.question);
    line.append(`, in ${one.unit}. ${map.signed ? "Above 0 speaks for it, below 0 against it." : "No value is below 0."}`);
  }

  const caveat = (one) => `${one.name}: ${one.text}`;

  /** Tell once what is odd by every method: it is about the case. */
  function doubts(panel, known) {
    const made = known.methods.filter(({ failure }) => !failure);
    known.shared = new Set(made.length > 1 ? made[0].caveats.map(caveat).filter((each) => made.every((one) => one.caveats.map(caveat).includes(each))) : []);
    if (known.shared.size) caveats(panel, made[0].caveats.filter((each) => known.shared.has(caveat(each))), "Reasons for doubt, by every method:");
  }

  function caveats(own, found, words) {
    make("p", own, words, "warn");
    const list = make("ul", own);
    found.forEach((each) => {
      const item = make("li", list), name = each.link ? make("a", item) : item;
      make("b", name, each.name);
      if (each.link) { name.href = each.link; name.rel = "noopener noreferrer"; }
      item.append(`: ${each.text}`);
    });
  }

  function alike(panel, known) {
    make("h3", panel, "Similar training cases");
    if (!known.near) {
      make("p", panel, facts.similar.length ? facts.similar[0] : "None are known of this case.");
      return;
    }
    const pair = make("div", panel, null, "pair");
    [["same", "Of the predicted class"], ["other", "Of another class"]].forEach(([side, words]) => {
      const own = make("section", pair);
      make("h4", own, side === "same" ? `${words}: ` : words);
      if (side === "same") named(own.lastChild, known.predicted);
      if (!known.near[side].length) make("p", own, "There are none.");
      const list = make("ul", own, null, "alike");
      known.near[side].forEach((near) => neighbour(list, near));
      if (!list.children.length) list.remove();
    });
    const notes = make("ul", panel, null, "faint");
    facts.similar.forEach((each) => make("li", notes, each));
  }

  function neighbour(list, near) {
    const item = make("li", list), packed = get(`near-${near.picture}`);
    if (packed && packed.textContent) {
      const picture = make("img", item);
      picture.alt = `Training case ${near.case}, ${near.label}`;
      picture.src = `data:image/webp;base64,${packed.textContent}`;
    } else make("p", item, "can't be read");
    named(item, near.label, "name");
    named(item, near.case, "name faint");
    const who = make("span", item, near.subject === null ? "subject not known" : "subject ", "name faint");
    if (near.subject !== null) named(who, near.subject);
    make("span", item, near.distance === 0 ? "distance 0: the network sees no difference" : `distance ${Number(near.distance.toPrecision(3))}`, "name faint");
  }

  /** Show a case in the panel, under what leads to others. */
  function show(panel, known, row, steps) {
    panel.replaceChildren(steps);
    const head = make("h2", panel);
    head.id = "panel-title";
    head.tabIndex = -1;
    named(head, known.case);
    answer(panel, known, row);
    doubts(panel, known);
    maps(panel, known);
    alike(panel, known);
  }

  return { get, held, facts, make, named, wrong, show };
})();
