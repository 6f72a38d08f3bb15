"use strict";
(async () => {
  const get = (id) => document.getElementById(id);
  const make = (tag, name, parent) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    return parent.appendChild(made);
  };

  /** Unpack a block: base64 of what zlib packed, in whole numbers with a step or as they are. */
  async function unpack(name) {
    const about = facts.blocks[name];
    if (!about) return null;
    const text = atob(get(`block-${name}`).textContent.trim());
    const packed = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    const kinds = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };
    const codes = new kinds[about.kind](bytes);
    const unknown = about.kind === "int16" ? -32768 : NaN;
    const { step, offset } = about;
    const at = (n) => (codes[n] === unknown ? NaN : codes[n] * step + offset);
    return { at, rounding: about.rounding };
  }

  /** Write a number in as many digits as are known of it: five, or those above its rounding. */
  function written(value, rounding) {
    if (!Number.isFinite(value)) return "not known";
    if (value === 0 || (!rounding && Number.isInteger(value))) return String(value + 0);
    const known = rounding > 0 ? Math.floor(Math.log10(Math.abs(value) / rounding)) + 1 : 5;
    return String(Number(value.toPrecision(Math.min(Math.max(known, 1), 5))));
  }

  const facts = JSON.parse(get("facts").textContent);
  const names = ["scan", "map", "errors", "labels", "atlas"];
  const [scan, map, errors, labels, atlas] = await Promise.all(names.map(unpack));
  const { shape, regions, limit } = facts;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const index = (voxel) => voxel.reduce((sum, place, axis) => sum + place * strides[axis], 0);
  const region = (n) => (labels ? labels.at(n) : -1);
  const entry = (list, n) => { const r = region(n); return r < 0 ? 0 : (list[r] ?? NaN); };
  const value = (n) => (map ? map.at(n) : entry(regions.values, n));
  const error = (n) => (errors ? errors.at(n) : entry(regions.errors, n));
  const hasErrors = Boolean(errors || (regions && regions.errors));
  const sure = (n, v) => {
    if (regions && regions.errors) { const r = region(n); return r >= 0 && regions.certain[r]; }
    return Math.abs(v) > Math.max(facts.z * error(n), facts.least);
  };

  const table = Uint8Array.from(atob(facts.colours), (c) => c.charCodeAt(0));
  const steps = table.length / 4;
  /** Where the colour of a value begins in the table. */
  function colour(v) {
    const share = facts.signed ? (v / limit + 1) / 2 : v / limit;
    return 4 * Math.min(Math.max(Math.floor(share * steps), 0), steps - 1);
  }

  const cross = facts.start.slice();
  let pointed = null;
  const shown = { opacity: 1, threshold: 0, fade: true, low: facts.window[0], high: facts.window[1] };

  function mixed(out, o, grey, v, clear) {
    const c = colour(v), a = Number.isFinite(v) && v !== 0 && Math.abs(v) >= shown.threshold ? table[c + 3] / 255 * clear : 0;
    for (let k = 0; k < 3; k++) out[o + k] = grey * (1 - a) + table[c + k] * a;
    out[o + 3] = 255;
  }

  /** Return the voxel at a row and a column of a plane as it is laid. */
  function voxelAt(plane, row, column) {
    const voxel = cross.slice();
    voxel[plane.down] = plane.up ? shape[plane.down] - 1 - row : row;
    voxel[plane.right] = plane.left ? shape[plane.right] - 1 - column : column;
    return voxel;
  }

  function draw(plane) {
    const height = shape[plane.down], width = shape[plane.right];
    const picture = plane.context.createImageData(width, height);
    const span = shown.high - shown.low || 1;
    for (let row = 0, o = 0; row < height; row++) {
      for (let column = 0; column < width; column++, o += 4) {
        const n = index(voxelAt(plane, row, column)), v = value(n);
        const grey = Math.min(Math.max((scan.at(n) - shown.low) / span, 0), 1) * 255;
        const clear = shown.opacity * (hasErrors && shown.fade && !sure(n, v) ? facts.pale : 1);
        mixed(picture.data, o, grey, v, clear);
      }
    }
    plane.context.putImageData(picture, 0, 0);
    const row = plane.up ? height - 1 - cross[plane.down] : cross[plane.down];
    const column = plane.left ? width - 1 - cross[plane.right] : cross[plane.right];
    plane.across.style.top = `${(row + .5) / height * 100}%`;
    plane.line.style.left = `${(column + .5) / width * 100}%`;
    plane.slider.value = cross[plane.axis];
    plane.told.textContent = planeName(plane);
  }

  const world = (voxel) => facts.affine.slice(0, 3).map((r) => r[0] * voxel[0] + r[1] * voxel[1] + r[2] * voxel[2] + r[3]);
  const places = (list, digits) => list.map((x) => x.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1")).join(", ");

  function planeName(plane) {
    if (facts.planes.length === 1) return "";
    const words = `${plane.name}, plane ${cross[plane.axis]}`;
    return plane.letter ? `${words}, ${plane.letter} = ${places([world(cross)["xyz".indexOf(plane.letter)]], 1)} mm` : words;
  }

  /** Tell what is known of the voxel under the cursor, else of the one at the cross-hair. */
  function tell() {
    const voxel = pointed || cross, n = index(voxel), space = voxel.slice(0, facts.axes);
    get("where").textContent = pointed ? "Under the cursor" : "At the cross-hair";
    const rows = [[facts.axes === 2 ? "pixel" : "voxel", space.join(", ")]];
    if (facts.affine) rows.push(["x, y, z (mm)", places(world(voxel), 1)]);
    rows.push(["value", written(value(n), map ? map.rounding : 0)]);
    if (hasErrors) rows.push(["standard error", written(error(n), errors ? errors.rounding : 0)]);
    if (regions) {
      const r = region(n);
      const name = regions.names && regions.names[r];
      rows.push(["region", r < 0 ? "none" : name ? `${name} (${r})` : String(r)]);
    }
    if (atlas) {
      const number = atlas.at(n);
      rows.push(["atlas", number ? `${facts.atlas[number]} (${number})` : "none"]);
    }
    rows.push([facts.intensity, written(scan.at(n), scan.rounding)]);
    get("told").replaceChildren(...rows.flatMap(([head, words]) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      [dt.textContent, dd.textContent] = [head, words];
      return [dt, dd];
    }));
  }

  function show() { facts.planes.forEach(draw); tell(); }

  function move(axis, place) {
    cross[axis] = Math.min(Math.max(place, 0), shape[axis] - 1);
    pointed = null;
    show();
  }

  function pointedAt(plane, event) {
    const box = plane.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / box.height * shape[plane.down]);
    const column = Math.floor((event.clientX - box.left) / box.width * shape[plane.right]);
    const inside = row >= 0 && column >= 0 && row < shape[plane.down] && column < shape[plane.right];
    return inside ? voxelAt(plane, row, column) : null;
  }

  function key(plane, event) {
    const far = event.shiftKey ? 10 : 1, next = facts.planes.length > 1;
    const steps = {
      ArrowLeft: [plane.right, plane.left ? 1 : -1], ArrowRight: [plane.right, plane.left ? -1 : 1],
      ArrowUp: [plane.down, plane.up ? 1 : -1], ArrowDown: [plane.down, plane.up ? -1 : 1],
      PageUp: next && [plane.axis, plane.toward * far], PageDown: next && [plane.axis, -plane.toward * far],
      Home: next && [plane.axis, -Infinity], End: next && [plane.axis, Infinity],
    };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(step[0], cross[step[0]] + step[1]);
  }

  function lay(plane) {
    const figure = make("figure", "", get("planes"));
    const area = make("div", "plane", figure);
    area.tabIndex = 0;
    area.setAttribute("role", "application");
    area.setAttribute("aria-label", `${plane.name}: arrow keys move the cross-hair, page keys the plane`);
    const ratio = shape[plane.right] / (shape[plane.down] * plane.tall);
    area.style.aspectRatio = String(ratio);
    area.style.maxWidth = `${85 * ratio}vh`;
    plane.canvas = make("canvas", "", area);
    [plane.canvas.width, plane.canvas.height] = [shape[plane.right], shape[plane.down]];
    plane.context = plane.canvas.getContext("2d");
    plane.across = make("div", "line across", area);
    plane.line = make("div", "line down", area);
    (plane.ends || []).forEach((letter, n) => { make("span", `side ${n ? "right" : "left"}`, area).textContent = letter; });
    const caption = make("figcaption", "", figure), label = make("label", "", caption);
    plane.told = make("span", "", label);
    plane.slider = make("input", "", label);
    Object.assign(plane.slider, { type: "range", min: 0, max: shape[plane.axis] - 1 });
    plane.slider.hidden = facts.planes.length === 1;
    plane.slider.addEventListener("input", () => move(plane.axis, Number(plane.slider.value)));
    listen(plane, area);
  }

  function listen(plane, area) {
    area.addEventListener("click", (event) => {
      const voxel = pointedAt(plane, event);
      if (!voxel) return;
      voxel.forEach((place, axis) => { cross[axis] = place; });
      pointed = null;
      show();
    });
    area.addEventListener("pointermove", (event) => { pointed = event.pointerType === "touch" ? null : pointedAt(plane, event); tell(); });
    area.addEventListener("pointerleave", () => { pointed = null; tell(); });
    area.addEventListener("keydown", (event) => key(plane, event));
    let turned = 0;
    area.addEventListener("wheel", (event) => {
      if (facts.planes.length === 1 || event.ctrlKey) return;
      event.preventDefault();
      turned += event.deltaMode ? event.deltaY * 40 : event.deltaY;
      const steps = Math.trunc(turned / 100);
      turned -= steps * 100;
      if (steps) move(plane.axis, cross[plane.axis] - plane.toward * steps);
    }, { passive: false });
  }

  function drawBar() {
    const bar = get("bar").getContext("2d"), picture = bar.createImageData(512, 2);
    for (let row = 0, o = 0; row < 2; row++) {
      for (let column = 0; column < 512; column++, o += 4) {
        const share = column / 511;
        mixed(picture.data, o, row ? 230 : 26, facts.signed ? (2 * share - 1) * limit : share * limit, shown.opacity);
      }
    }
    bar.putImageData(picture, 0, 0);
  }

  const [lowest, highest] = facts.range, reach = highest - lowest || 1;
  const numbers = { level: (n) => lowest + n / 1000 * reach, width: (n) => n / 1000 * reach };
  get("level").value = Math.round(((shown.low + shown.high) / 2 - lowest) / reach * 1000);
  get("width").value = Math.round((shown.high - shown.low) / reach * 1000);

  function tellSliders() {
    get("opacity_told").textContent = `${get("opacity").value} %`;
    get("threshold_told").textContent = written(shown.threshold, 0);
    get("level_told").textContent = written((shown.low + shown.high) / 2, 0);
    get("width_told").textContent = written(shown.high - shown.low, 0);
  }

  function set(name, change) {
    get(name).addEventListener("input", () => { change(get(name)); tellSliders(); drawBar(); show(); });
  }
  const window_ = () => {
    const [level, width] = ["level", "width"].map((name) => numbers[name](Number(get(name).value)));
    [shown.low, shown.high] = [level - width / 2, level + width / 2];
  };
  set("opacity", (input) => { shown.opacity = input.value / 100; });
  set("threshold", (input) => { shown.threshold = input.value / 1000 * limit; });
  set("fade", (input) => { shown.fade = input.checked; });
  set("level", window_);
  set("width", window_);

  get("fading").hidden = !hasErrors;
  const ends = facts.beyond ? ["≤ ", "≥ "] : ["", ""]; // what lies beyond the limit has its colour
  get("least").textContent = facts.signed ? ends[0] + written(-limit, 0) : "";
  get("least").hidden = !facts.signed;
  get("most").textContent = ends[1] + written(limit, 0);
  get("planes").style.setProperty("--across", facts.planes.length);
  facts.planes.forEach(lay);
  tellSliders();
  drawBar();
  show();
  document.documentElement.dataset.ready = "yes";
})().catch((fault) => {
  const line = document.getElementById("fault");
  line.hidden = false;
  line.textContent = `This page can't be shown here: ${fault.message}. It needs a browser of 2023 or later.`;
  document.documentElement.dataset.ready = "no";
});
