// Draw a digit and retrieve: the query is moved, encoded and compared with the gallery in the page.
"use strict";

bookLive.figure("fig-draw", ["digit-encoder", "digit-gallery"], async (panel, net, images) => {
  const { element, signed, tr } = bookLive;
  const SIDE = 28;
  const PIXELS = SIDE * SIDE;
  const K = 10;
  const METHODS = ["pixels", "vae"];
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
    const distances = { pixels: pixelDistances(query), vae: latentDistances(encoder(query)) };
    const found = { pixels: nearest(distances.pixels), vae: nearest(distances.vae), far: {} };
    for (const name of METHODS) found.far[name] = found[name].map((place) => distances[name][place]);
    found.distance = found.far.vae.reduce((sum, distance) => sum + distance, 0) / K;
    found.milliseconds = performance.now() - started;
    return found;
  }

  // -- The query: strokes, scaled and centred as MNIST's; then shifted and turned ------------------

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

  const WIDE = 280; // of the drawing pad, in its own units: ten to a pixel of the query
  const PEN = 24; // gives drawings the ink of MNIST (benchmarks/drawn.py)
  const MOST = 4; // a drawing is enlarged at most so much, which leaves a dot a dot

  function trace(pen, strokes) {
    Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    pen.fillStyle = pen.strokeStyle = "white";
    for (const points of strokes) {
      pen.beginPath();
      pen.arc(...points[0], PEN / 2, 0, 2 * Math.PI); // a line without a length leaves no mark
      pen.fill();
      pen.beginPath();
      for (const point of points) pen.lineTo(...point);
      pen.stroke();
    }
  }

  // The strokes are scaled to a box of 20 pixels, and not their picture: the pen keeps its width.
  const board = element("canvas", { width: WIDE, height: WIDE });
  function prepared(strokes) {
    const [xs, ys] = [0, 1].map((axis) => strokes.flat().map((point) => point[axis]));
    const middle = [xs, ys].map((all) => (Math.min(...all) + Math.max(...all)) / 2);
    const long = Math.max(...[xs, ys].map((all) => Math.max(...all) - Math.min(...all)));
    const scale = Math.min(((20 * WIDE) / SIDE - PEN) / long, MOST);
    const centred = ([x, y]) => [
      (x - middle[0]) * scale + WIDE / 2,
      (y - middle[1]) * scale + WIDE / 2,
    ];
    const pen = board.getContext("2d", { willReadFrequently: true });
    pen.clearRect(0, 0, WIDE, WIDE);
    trace(pen, strokes.map((points) => points.map(centred)));
    const { data } = pen.getImageData(0, 0, WIDE, WIDE);
    return standardised(
      Float32Array.from({ length: WIDE * WIDE }, (_, i) => data[4 * i + 3] / 255),
      WIDE,
    );
  }

  // Ink on a board becomes 28 x 28 pixels, and its centre of mass goes to pixel (14, 14).
  function standardised(ink, width) {
    const marked = [...ink.keys()].filter((i) => ink[i] > 0);
    const left = marked.reduce((least, i) => Math.min(least, i % width), width);
    const top = Math.floor(marked[0] / width);
    const scale = SIDE / width;
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

  const titled = (words, ...children) =>
    element("div", {}, element("p", { class: "live-title" }, words), ...children);
  const button = (words, onclick) => element("button", { type: "button", onclick }, words);
  const picture28 = (attributes) => element("canvas", { width: SIDE, height: SIDE, ...attributes });

  const pad = element("canvas", { width: 2 * WIDE, height: 2 * WIDE, class: "live-pad" });
  pad.setAttribute("role", "img");
  pad.setAttribute(
    "aria-label",
    tr("Drawing area, for mouse, pen or finger. By keyboard, choose an example above."),
  );
  const picture = picture28({ class: "live-picture", role: "img" });
  const voice = bookLive.announcer();
  const FAR = tr(
    "This query resembles nothing here: its ten nearest images, by the VAE, are farther away than those of 98 in 100 held-out digits.",
  );
  const warning = element("p", { class: "live-far" }, FAR);
  const note = element("p", { class: "live-note" });
  const rows = {};
  const shown = [
    ["pixels", tr("By pixels")],
    ["vae", tr("By the view-trained VAE")],
  ].map(([name, title]) => {
    const places = Array.from({ length: K }, () => {
      const canvas = picture28({ role: "img" });
      const label = element("span", { "aria-hidden": "true" });
      const length = element("i");
      const bar = element("span", { class: "live-bar", "aria-hidden": "true" }, length);
      return { canvas, label, length, item: element("li", {}, canvas, label, bar) };
    });
    const score = element("span", { class: "live-score" });
    rows[name] = { places, score };
    const list = element("ol", {}, ...places.map((place) => place.item));
    return element(
      "div",
      { class: "live-found", role: "group", "aria-label": title },
      element("p", { class: "live-title" }, title, score),
      list,
    );
  });

  // What is on the pad: a picture or strokes, the example that it is, its digit, if known, and when
  // a finger last touched it, if it was one that drew the last stroke.
  const EMPTY = { pixels: null, strokes: [], example: null, digit: null, touched: null };
  let drawing = EMPTY;
  const past = []; // what was on the pad before, for Undo
  const move = { right: 0, down: 0, turn: 0 };
  let query = null;
  let found = null;

  let hand = null; // the pointer that draws; whatever else changes the pad ends its stroke
  function put(next) {
    hand = null;
    past.push(drawing);
    drawing = next;
    refresh();
  }

  function undo() {
    hand = null;
    if (past.length) drawing = past.pop();
    refresh();
  }

  function refresh() {
    const pen = pad.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, pad.width, pad.height);
    if (drawing.pixels) {
      const small = picture28();
      bookLive.paint(small, drawing.pixels);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(small, 0, 0, pad.width, pad.height);
    }
    pen.scale(2, 2);
    trace(pen, drawing.strokes);
    update();
  }

  // Everything that depends on the query changes here, in one breath: pictures, scores and words.
  function update(aloud = true) {
    const { pixels, strokes, digit } = drawing;
    const base = pixels ?? (strokes.length ? prepared(strokes) : null);
    panel.dataset.empty = base === null;
    query = moved(base ?? new Float32Array(PIXELS), move);
    found = base === null ? null : search(query);
    bookLive.paint(picture, query);
    const what = base === null ? tr("nothing yet") : digit === null ? tr("your drawing") : tr(`a ${digit}`);
    picture.setAttribute("aria-label", tr(`The query as the search sees it: ${what}`));
    ask();
    warning.hidden = !found || found.distance <= images.far.vae;
    for (const name of METHODS) show(rows[name], found?.[name] ?? [], name);
    note.textContent = found
      ? tr(
          `Bars are distances. The notch: for 98 of 100 held-out digits the mean distance of the ten nearest lies within it. ` +
            `${size.toLocaleString("en")} images, compared both ways in ${found.milliseconds.toFixed(0)} ms.`,
        )
      : "";
    if (!found) return voice.say(tr("The pad is empty. Draw a digit, or choose an example."));
    const words = tr(`By pixels, the ten nearest show ${summary(found.pixels)}; by the VAE, ${summary(found.vae)}.`);
    const parts = [scores(), words, warning.hidden ? "" : FAR].filter(Boolean);
    const all = parts.reduce((before, part) => tr(`${before} ${part}`));
    voice.say(words, aloud ? all : "");
  }

  const agreeing = (name) =>
    found[name].filter((place) => images.labels[place] === drawing.digit).length;
  const scores = () =>
    drawing.digit === null
      ? ""
      : tr(`Of ten, pixels find ${agreeing("pixels")} of the digit ${drawing.digit}, the VAE ${agreeing("vae")}.`);

  function show({ places, score }, result, name) {
    result.forEach((place, rank) => {
      const { canvas, label, length, item } = places[rank];
      const digit = images.labels[place];
      const distance = found.far[name][rank];
      bookLive.paint(canvas, image(place));
      canvas.setAttribute(
        "aria-label",
        tr(`Rank ${rank + 1}: a ${digit}, distance ${distance.toFixed(2)}`),
      );
      const right = drawing.digit === null ? null : digit === drawing.digit;
      label.textContent = digit + (right === null ? "" : right ? " \u2713" : " \u2717");
      item.className = right === null ? "" : right ? "live-right" : "live-wrong";
      // The notch of a bar stands at two thirds.
      length.style.width = `${Math.min(100, (200 / 3) * (distance / images.far[name]))}%`;
      length.className = distance > images.far[name] ? "live-beyond" : "";
    });
    score.textContent =
      result.length && drawing.digit !== null ? tr(`${agreeing(name)} of ${K}`) : "";
  }

  // "8 times 7 and 2 times 9"
  function summary(result) {
    const counts = new Map();
    for (const place of result)
      counts.set(images.labels[place], (counts.get(images.labels[place]) ?? 0) + 1);
    const parts = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([digit, n]) => tr(`${n}\u00d7 ${digit}`));
    return parts.join(tr(", "));
  }

  // The question. Of an example the answer is known.
  const question = element("p", { class: "live-title", id: "live-question" });
  const answers = Array.from({ length: 10 }, (_, digit) =>
    button(String(digit), () => {
      drawing = { ...drawing, digit };
      update();
    }),
  );
  function ask() {
    const { example, digit, pixels, strokes } = drawing;
    const own = example === null && (pixels !== null || strokes.length > 0);
    const known = example === null ? tr(`You drew a ${digit}`) : tr(`An example: a ${digit}`);
    question.textContent = digit === null ? tr("What did you draw?") : known;
    question.parentElement.dataset.asks = own && digit === null;
    answers.forEach((answer, i) => {
      answer.disabled = !own;
      answer.setAttribute("aria-pressed", i === digit);
    });
    examples.forEach((other, i) => other.setAttribute("aria-pressed", i === example));
    back.disabled = past.length === 0;
  }

  // Drawing, with one pointer at a time. A stroke is searched while it grows, once a frame.
  let penSeen = false; // from then on a touch is a palm
  const JUST_NOW = 1000; // milliseconds: a touch that ended so long before the first pen was a palm, too
  function penComes(now) {
    if (penSeen) return;
    penSeen = true;
    while (drawing.touched !== null && (hand !== null || now - drawing.touched < JUST_NOW)) undo();
  }
  let waiting = false;
  const point = (event) => {
    const box = pad.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * WIDE) / box.width,
      ((event.clientY - box.top) * WIDE) / box.height,
    ];
  };
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      refresh();
    });
  }
  pad.addEventListener("pointerdown", (event) => {
    const touch = event.pointerType === "touch";
    if (event.button !== 0 || event.ctrlKey || (penSeen && touch)) return;
    if (event.pointerType === "pen") penComes(event.timeStamp);
    if (hand !== null) return;
    const { strokes, example, digit } = drawing;
    const kept = example === null && strokes.length > 0;
    const begun = [...(kept ? strokes : []), [point(event)]];
    put({
      ...EMPTY,
      strokes: begun,
      digit: kept ? digit : null,
      touched: touch ? event.timeStamp : null,
    });
    hand = event.pointerId;
    pad.setPointerCapture(hand);
  });
  pad.addEventListener("pointermove", (event) => {
    // A pen in the air, too: the palm is often there first.
    if (event.pointerType === "pen") penComes(event.timeStamp);
    if (event.pointerId !== hand) return;
    const between = event.getCoalescedEvents?.() ?? [];
    drawing.strokes.at(-1).push(...(between.length ? between : [event]).map(point));
    soon();
  });
  pad.addEventListener("pointerup", (event) => {
    if (event.pointerId !== hand) return;
    if (drawing.touched !== null) drawing.touched = event.timeStamp;
    hand = null;
  });
  pad.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== hand) return;
    undo(); // the finger turned out to scroll or to pinch
  });
  const back = button(tr("Undo"), undo);
  const clear = button(tr("Clear"), () => put(EMPTY));

  // Examples: held-out images, one a button.
  const examples = images.examples.map((digit, i) => {
    const canvas = picture28({ "aria-hidden": "true" });
    const pixels = image(size + i);
    bookLive.paint(canvas, pixels);
    const names = { type: "button", "aria-label": tr(`Example: a ${digit}`), "aria-pressed": "false" };
    const chosen = element("button", names, canvas);
    chosen.addEventListener("click", () => put({ ...EMPTY, pixels, example: i, digit }));
    return chosen;
  });

  const RANGES = {
    right: [tr("shift right"), 6, 1, (v) => `${signed(v, 0)} px`],
    down: [tr("shift down"), 6, 1, (v) => `${signed(v, 0)} px`],
    turn: [tr("turn clockwise"), 45, 5, (v) => `${signed(v, 0)}\u00b0`],
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
  function setMove(values, aloud = true) {
    Object.assign(move, values);
    Object.keys(RANGES).forEach((name, i) => sliders[i].set(move[name]));
    update(aloud);
  }

  // The shift, step by step; whatever the reader does ends it.
  const SHIFT = 3;
  let playing = null;
  function stop() {
    clearTimeout(playing);
    playing = null;
  }
  function play(right = 0) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) right = SHIFT;
    setMove({ right, down: 0, turn: 0 }, right === SHIFT);
    playing = right < SHIFT ? setTimeout(play, 700, right + 1) : null;
  }
  for (const kind of ["pointerdown", "keydown", "input"])
    panel.addEventListener(kind, stop, { capture: true });

  const zero = () => setMove({ right: 0, down: 0, turn: 0 });
  const choice = element(
    "div",
    { class: "live-examples", role: "group", "aria-label": tr("Example queries") },
    ...examples,
  );
  const digits = { class: "live-answers", role: "group", "aria-labelledby": "live-question" };
  const area = (name, ...children) => element("div", { class: `live-${name}` }, ...children);
  panel.classList.add("live-draw");
  panel.append(
    area(
      "board",
      area("hero", titled(tr("Draw a digit here"), pad)),
      area("tools", back, clear),
      area("seen", titled(tr("The query"), picture)),
      area("choice", titled(tr("or take an example"), choice)),
      area("ask", question, element("div", digits, ...answers)),
      area(
        "moves",
        ...sliders.map((slider) => slider.row),
        element(
          "p",
          { class: "live-buttons" },
          button(tr("Play the shift"), () => play()),
          button(tr("Sliders to zero"), zero),
        ),
      ),
      area("rows", ...shown, warning, voice.text, note),
    ),
  );
  await encodeGallery();
  examples[images.first].click();
  past.length = 0;
  ask();
  // Once, when the rows are in sight, the reader sees what a shift does.
  const untouched = () => drawing.example === images.first && move.right === 0;
  const watcher = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      if (untouched()) play();
    },
    { threshold: 0.9 },
  );
  watcher.observe(shown[0]);
  for (const kind of ["pointerdown", "keydown"])
    panel.addEventListener(kind, () => watcher.disconnect(), { capture: true });
  const still = (act) => (...asked) => {
    watcher.disconnect();
    stop();
    act(...asked);
  };
  bookLive.draw = {
    // (784 grey levels in [0, 1], digit or null): what is searched for
    setQuery: still((pixels, digit = null) =>
      put({ ...EMPTY, pixels: pixels && Float32Array.from(pixels), digit }),
    ),
    setMove: still(setMove), // ({ right, down, turn }): as the sliders
    query: () => query, // after the move
    found: () => found, // places by both methods, distances, mean of the ten latents', time it took
    encode: encoder,
    standardised,
    prepared, // (strokes: lists of [x, y] on a pad 280 wide): the query, before it is moved
  };
});
