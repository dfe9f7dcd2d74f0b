// Draw a digit and retrieve: the query is moved, encoded and compared with the gallery in the page.
"use strict";

bookLive.figure("fig-draw", ["digit-encoder", "digit-gallery"], async (panel, net, images) => {
  const { element, signed } = bookLive;
  const SIDE = 28;
  const PIXELS = SIDE * SIDE;
  const K = 10;
  const BATCH = 150; // gallery images encoded between two looks at the reader's input
  const encoder = await bookLive.network(net);
  const levels = await bookLive.unpack(images.packed); // gallery images, then the examples
  const grey = Float32Array.from({ length: 256 }, (_, level) => level / 255);
  const size = images.labels.length;
  const image = (at) =>
    Float32Array.from(levels.subarray(at * PIXELS, (at + 1) * PIXELS), (l) => grey[l]);
  const unit = (vector) => {
    const length = Math.sqrt(vector.reduce((sum, v) => sum + v * v, 0));
    return Float64Array.from(vector, (v) => (length ? v / length : 0));
  };

  // -- Search: both methods as ImageIndex ranks them, equal distances in gallery order -------------

  const units = []; // of each gallery image its mean, scaled to length 1,
  const squares = []; // and the sum of its squared grey levels
  async function encodeGallery() {
    while (units.length < size) {
      const end = Math.min(size, units.length + BATCH);
      while (units.length < end) {
        const pixels = image(units.length);
        units.push(unit(encoder(pixels)));
        squares.push(pixels.reduce((sum, level) => sum + level * level, 0));
      }
      await new Promise((resume) => setTimeout(resume));
    }
  }

  function nearest(distances) {
    const best = []; // places in the gallery, nearest first
    distances.forEach((distance, place) => {
      if (best.length === K && distance >= distances[best[K - 1]]) return;
      let at = best.length;
      while (at > 0 && distances[best[at - 1]] > distance) at--;
      best.splice(at, 0, place);
      if (best.length > K) best.pop();
    });
    return best;
  }

  // |q - g|^2 = |q|^2 + |g|^2 - 2 q.g, where only the inked pixels of the query count.
  function pixelDistances(query) {
    const inked = [...query.keys()].filter((i) => query[i] !== 0);
    const square = inked.reduce((sum, i) => sum + query[i] * query[i], 0);
    return Float32Array.from(squares, (other, place) => {
      let product = 0;
      for (const i of inked) product += query[i] * grey[levels[place * PIXELS + i]];
      return Math.sqrt(Math.max(0, square + other - 2 * product));
    });
  }

  function latentDistances(mean) {
    const query = unit(mean);
    return Float32Array.from(units, (vector) => {
      let product = 0;
      for (let i = 0; i < vector.length; i++) product += query[i] * vector[i];
      return 1 - product;
    });
  }

  function search(query) {
    const started = performance.now();
    const pixels = nearest(pixelDistances(query));
    const distances = latentDistances(encoder(query));
    const vae = nearest(distances);
    const distance = vae.reduce((sum, place) => sum + distances[place], 0) / K;
    const milliseconds = performance.now() - started;
    return { pixels, vae, distance, milliseconds };
  }

  // -- The query: strokes, centred and scaled as MNIST's; then shifted and turned ------------------

  // Turn clockwise about the centre, then shift; linear interpolation, black from outside.
  function moved(pixels, { right, down, turn }) {
    const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
    const middle = (SIDE - 1) / 2;
    const level = (x, y) => (x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : pixels[y * SIDE + x]);
    return Float32Array.from({ length: PIXELS }, (_, i) => {
      const [x, y] = [(i % SIDE) - middle - right, Math.floor(i / SIDE) - middle - down];
      const [fromX, fromY] = [cos * x + sin * y + middle, cos * y - sin * x + middle];
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [partX, partY] = [fromX - left, fromY - top];
      const upper = (1 - partX) * level(left, top) + partX * level(left + 1, top);
      const lower = (1 - partX) * level(left, top + 1) + partX * level(left + 1, top + 1);
      return (1 - partY) * upper + partY * lower;
    });
  }

  // The box of the ink becomes 20 pixels long, its centre of mass goes to pixel (14, 14).
  function standardised(ink, width) {
    const marked = ink.flatMap((level, i) => (level > 0 ? [i] : []));
    if (!marked.length) return null;
    const columns = marked.map((i) => i % width).sort((a, b) => a - b);
    const left = columns[0];
    const top = Math.floor(marked[0] / width);
    const wide = columns[columns.length - 1] - left + 1;
    const high = Math.floor(marked[marked.length - 1] / width) - top + 1;
    const scale = 20 / Math.max(wide, high);
    const small = new Float64Array(PIXELS);
    let [mass, sumX, sumY] = [0, 0, 0];
    for (const i of marked) {
      const [x, y] = [
        ((i % width) - left + 0.5) * scale,
        (Math.floor(i / width) - top + 0.5) * scale,
      ];
      small[Math.floor(y) * SIDE + Math.floor(x)] += ink[i] * scale * scale;
      mass += ink[i];
      sumX += ink[i] * x;
      sumY += ink[i] * y;
    }
    const result = new Float32Array(PIXELS);
    const [right, down] = [14 - Math.round(sumX / mass - 0.5), 14 - Math.round(sumY / mass - 0.5)];
    small.forEach((level, i) => {
      const [x, y] = [(i % SIDE) + right, Math.floor(i / SIDE) + down];
      if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) result[y * SIDE + x] = Math.min(1, level);
    });
    return result;
  }

  // -- What the reader sees ------------------------------------------------------------------------

  const WIDE = 280; // of the drawing canvas
  const PEN = 24;
  const pad = element("canvas", { width: WIDE, height: WIDE, class: "live-pad", role: "img" });
  pad.setAttribute(
    "aria-label",
    "Drawing area, for mouse, pen or finger. By keyboard, choose an example above.",
  );
  const pen = pad.getContext("2d", { willReadFrequently: true });
  Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
  const picture = element("canvas", {
    width: SIDE,
    height: SIDE,
    class: "live-picture",
    role: "img",
  });
  const voice = bookLive.announcer();
  const FAR =
    "This query resembles nothing here: its ten nearest images, by the VAE, are farther away than those of 98 in 100 held-out digits.";
  const warning = element("p", { class: "live-far" }, FAR);
  const note = element("p", { class: "live-note" });
  const rows = {};
  const shown = [
    ["pixels", "By pixels"],
    ["vae", "By the view-trained VAE"],
  ].map(([name, title]) => {
    const places = Array.from({ length: K }, () => {
      const canvas = element("canvas", { width: SIDE, height: SIDE, role: "img" });
      const label = element("span", { "aria-hidden": "true" });
      return { canvas, label, item: element("li", {}, canvas, label) };
    });
    const score = element("span", { class: "live-score" });
    rows[name] = { places, score };
    const list = element("ol", {}, ...places.map((place) => place.item));
    return element(
      "section",
      { "aria-label": title },
      element("p", { class: "live-title" }, title, score),
      list,
    );
  });

  let base = null; // the query before it is moved
  let wanted = null; // its digit, if known
  let inked = false;
  const move = { right: 0, down: 0, turn: 0 };
  let query = null;
  let found = null;

  function update() {
    panel.dataset.empty = base === null;
    query = moved(base ?? new Float32Array(PIXELS), move);
    bookLive.paint(picture, query);
    const what = base === null ? "nothing yet" : wanted === null ? "your drawing" : `a ${wanted}`;
    picture.setAttribute("aria-label", `The query as the search sees it: ${what}`);
    warning.hidden = true;
    if (base === null) return voice.say("Draw a digit, or choose an example.");
    found = search(query);
    warning.hidden = found.distance <= images.far;
    for (const name of ["pixels", "vae"]) show(rows[name], found[name]);
    note.textContent = `Query encoded, ${size.toLocaleString("en")} images compared both ways: ${found.milliseconds.toFixed(0)} ms.`;
    const words = `By pixels, the ten nearest show ${summary(found.pixels)}; by the VAE, ${summary(found.vae)}.`;
    voice.say(words, warning.hidden ? words : `${words} ${FAR}`);
  }

  function show({ places, score }, result) {
    result.forEach((place, rank) => {
      const { canvas, label, item } = places[rank];
      const digit = images.labels[place];
      bookLive.paint(canvas, image(place));
      canvas.setAttribute("aria-label", `Rank ${rank + 1}: a ${digit}`);
      const mark = wanted === null ? "" : digit === wanted ? " \u2713" : " \u2717";
      label.textContent = digit + mark;
      item.className = mark && (digit === wanted ? "live-right" : "live-wrong");
    });
    const right = result.filter((place) => images.labels[place] === wanted).length;
    score.textContent = wanted === null ? "" : `${right} of ${K}`;
  }

  // "8 times 7 and 2 times 9"
  function summary(result) {
    const counts = new Map();
    for (const place of result)
      counts.set(images.labels[place], (counts.get(images.labels[place]) ?? 0) + 1);
    const parts = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([digit, n]) => `${n}\u00d7 ${digit}`);
    return parts.join(", ");
  }

  function setQuery(pixels, digit = null) {
    base = pixels === null ? null : Float32Array.from(pixels);
    wanted = digit;
    update();
  }

  // Drawing. A stroke is searched while it grows, at most once a frame.
  let waiting = false;
  const point = (event) => {
    const box = pad.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * WIDE) / box.width,
      ((event.clientY - box.top) * WIDE) / box.height,
    ];
  };
  function stroke(from, to) {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
    inked = true;
    pressed(null);
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (inked) setQuery(standardised(ink(), WIDE));
    });
  }
  function ink() {
    const { data } = pen.getImageData(0, 0, WIDE, WIDE);
    return Array.from({ length: WIDE * WIDE }, (_, i) => data[4 * i + 3] / 255);
  }
  function clear() {
    pen.clearRect(0, 0, WIDE, WIDE);
    inked = false;
    pressed(null);
    setQuery(null);
  }
  let last = null;
  pad.addEventListener("pointerdown", (event) => {
    if (!inked) clear();
    pad.setPointerCapture(event.pointerId);
    last = point(event);
    stroke(last, last);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = point(event);
    stroke(last, next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (last = null));

  // Examples: held-out images, one a button.
  const examples = images.examples.map((digit, i) => {
    const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    const pixels = image(size + i);
    bookLive.paint(canvas, pixels);
    const names = { type: "button", "aria-label": `Example: a ${digit}`, "aria-pressed": "false" };
    const button = element("button", names, canvas);
    button.addEventListener("click", () => {
      pen.clearRect(0, 0, WIDE, WIDE);
      inked = false;
      pen.imageSmoothingEnabled = false;
      pen.drawImage(canvas, 0, 0, WIDE, WIDE);
      pressed(button);
      setQuery(pixels, digit);
    });
    return button;
  });
  function pressed(button) {
    for (const other of examples) other.setAttribute("aria-pressed", other === button);
  }

  const RANGES = {
    right: ["shift right", 6, 1, (v) => `${signed(v, 0)} px`],
    down: ["shift down", 6, 1, (v) => `${signed(v, 0)} px`],
    turn: ["turn clockwise", 45, 5, (v) => `${signed(v, 0)}\u00b0`],
  };
  const sliders = Object.entries(RANGES).map(([name, [label, max, step, format]]) =>
    bookLive.slider(label, {
      min: -max,
      max,
      step,
      format,
      change: (value) => setMove({ [name]: value }),
    }),
  );
  function setMove(values) {
    Object.assign(move, values);
    Object.keys(RANGES).forEach((name, i) => sliders[i].set(move[name]));
    update();
  }

  const zero = () => setMove({ right: 0, down: 0, turn: 0 });
  const buttons = element(
    "p",
    { class: "live-buttons" },
    element("button", { type: "button", onclick: clear }, "Clear"),
    element("button", { type: "button", onclick: zero }, "Sliders to zero"),
  );
  const titled = (words, ...children) =>
    element("div", {}, element("p", { class: "live-title" }, words), ...children);
  const choice = element(
    "div",
    { class: "live-examples", role: "group", "aria-label": "Example queries" },
    ...examples,
  );
  const controls = element(
    "div",
    { class: "live-controls" },
    ...sliders.map((slider) => slider.row),
    buttons,
  );
  panel.classList.add("live-draw");
  panel.append(
    titled("Choose an example", choice),
    element(
      "div",
      { class: "live-input" },
      titled("or draw here", pad),
      titled("The query", picture),
      controls,
    ),
    ...shown,
    warning,
    voice.text,
    note,
  );
  await encodeGallery();
  examples[images.first].click();
  bookLive.draw = {
    setQuery, // (784 grey levels in [0, 1], digit or null): what is searched for
    setMove, // ({ right, down, turn }): as the sliders
    query: () => query, // after the move
    found: () => found, // places by both methods, mean distance of the ten latents, time it took
    encode: encoder,
    standardised,
  };
});
