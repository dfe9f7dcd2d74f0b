// The map of chapter 5: the same images laid out by three descriptors, and the ten nearest in each.
"use strict";

const explore = async (panel, data) => {
  const { element, tr } = bookLive;
  const SIZE = 640; // of the map, in its own units
  const SIDE = 28;
  const TILE = 19; // of an image on the map; those that matter are larger
  const LARGE = 34;
  const TIME = 1400; // milliseconds from one layout to the next
  const COLUMNS = 50; // of the sheet of images
  const { methods } = data;
  const words = { pixels: tr("pixels"), "view VAE": tr("view VAE") };
  const names = methods.map((name) => words[name] ?? name);
  const labels = await bookLive.unpack(data.labels);
  const count = labels.length;
  const places = bookLive.halves(await bookLive.unpack(data.places)); // method, image: x, y
  const low = await bookLive.unpack(data.near); // method, image, neighbour
  const near = Array.from({ length: low.length / 2 }, (_, i) => low[i] | (low[low.length / 2 + i] << 8));
  const octets = await bookLive.unpack(data.packed);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let method = 0;
  let chosen = data.start;

  const margin = TILE;
  const spot = (m, i) => {
    const at = 2 * (count * m + i);
    const across = (value) => margin + ((value + 1) * (SIZE - 2 * margin)) / 2;
    return [across(places[at]), across(-places[at + 1])];
  };
  const spots = methods.map((_, m) => Array.from({ length: count }, (_, i) => spot(m, i)));
  const nearest = (m, i) => near.slice(10 * (count * m + i), 10 * (count * m + i + 1));
  const right = (m, i) => nearest(m, i).filter((other) => labels[other] === labels[i]).length;

  // -- The map ---------------------------------------------------------------------------------------

  const canvas = element("canvas", { class: "live-map", tabindex: 0, role: "application" });
  canvas.setAttribute("aria-roledescription", tr("map"));
  canvas.setAttribute("aria-label", tr("Map of digits. Arrow keys go to the nearest image that way."));
  const pen = canvas.getContext("2d");
  const sheet = element("canvas", { width: COLUMNS * SIDE });
  sheet.height = Math.ceil(count / COLUMNS) * SIDE;
  let colours;
  let dressed; // the theme that the sheet is coloured for

  // The ink of each image in the colour of its digit, on nothing.
  function dress() {
    const theme = document.documentElement.dataset.theme;
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    if (dressed === theme + of("--live-0")) return;
    dressed = theme + of("--live-0");
    const names = { good: "bound", bad: "price", line: "line" };
    colours = Object.fromEntries(Object.entries(names).map(([key, n]) => [key, of(`--live-${n}`)]));
    colours.accent = of("--book-accent");
    colours.back = of("--pst-color-background");
    const brush = sheet.getContext("2d");
    const ink = Array.from({ length: 10 }, (_, digit) => {
      const hex = of(`--live-${digit}`).slice(1);
      return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) || 0);
    });
    for (let i = 0; i < count; i++) {
      const tile = new ImageData(SIDE, SIDE);
      for (let k = 0; k < SIDE * SIDE; k++) {
        tile.data.set([...ink[labels[i]], octets[SIDE * SIDE * i + k]], 4 * k);
      }
      brush.putImageData(tile, (i % COLUMNS) * SIDE, Math.floor(i / COLUMNS) * SIDE);
    }
  }

  function tile(i, [x, y], size) {
    const from = [(i % COLUMNS) * SIDE, Math.floor(i / COLUMNS) * SIDE, SIDE, SIDE];
    pen.drawImage(sheet, ...from, x - size / 2, y - size / 2, size, size);
  }

  function framed(i, place, colour, dash, width) {
    pen.fillStyle = colours.back;
    pen.fillRect(place[0] - LARGE / 2, place[1] - LARGE / 2, LARGE, LARGE);
    tile(i, place, LARGE);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.strokeRect(place[0] - LARGE / 2, place[1] - LARGE / 2, LARGE, LARGE);
    pen.setLineDash([]);
  }

  let between = { from: 0, to: 0, part: 1 };
  function draw() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * ratio);
    if (!width) return;
    if (canvas.width !== width) canvas.width = canvas.height = width;
    dress();
    pen.setTransform(width / SIZE, 0, 0, width / SIZE, 0, 0);
    pen.clearRect(0, 0, SIZE, SIZE);
    const { from, to, part } = between;
    const at = (i) => spots[from][i].map((value, k) => value + part * (spots[to][i][k] - value));
    pen.globalAlpha = 0.5;
    for (let i = 0; i < count; i++) tile(i, at(i), TILE);
    pen.globalAlpha = 1;
    const here = at(chosen);
    const found = nearest(method, chosen);
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1.5;
    for (const i of found) {
      pen.beginPath();
      pen.moveTo(...here);
      pen.lineTo(...at(i));
      pen.stroke();
    }
    for (const i of found) {
      const good = labels[i] === labels[chosen];
      framed(i, at(i), good ? colours.good : colours.bad, good ? [] : [5, 4], 3);
    }
    framed(chosen, here, colours.accent, [], 5);
  }

  let frame;
  function show(next) {
    const from = method;
    method = next;
    buttons.forEach((button, m) => button.setAttribute("aria-pressed", String(m === method)));
    rows.forEach(({ box }, m) => box.classList.toggle("live-shown", m === method));
    cancelAnimationFrame(frame);
    tell();
    if (from === method || calm.matches) {
      between = { from: method, to: method, part: 1 };
      return draw();
    }
    const started = performance.now();
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - started) / TIME));
      between = { from, to: method, part: t * t * (3 - 2 * t) };
      draw();
      if (t < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
  }

  // -- What is chosen, and its ten nearest by each method -------------------------------------------

  const picture = (label) => {
    const attributes = { width: SIDE, height: SIDE, role: "img", "aria-label": label };
    return element("canvas", attributes);
  };
  const paint = (onto, i) => {
    const pixels = octets.subarray(SIDE * SIDE * i, SIDE * SIDE * (i + 1));
    bookLive.paint(onto, Float32Array.from(pixels, (value) => value / 255));
  };
  const asked = picture(tr("The chosen image"));
  const called = (m) => (methods[m].includes("VAE") ? tr(`the ${names[m]}`) : names[m]);
  const rows = methods.map((_, m) => {
    const score = element("span", { class: "live-score" });
    const list = element("ol");
    const tiles = Array.from({ length: 10 }, () => {
      const drawn = { canvas: picture(" "), text: element("span") };
      drawn.item = element("li", {}, drawn.canvas, drawn.text);
      list.append(drawn.item);
      return drawn;
    });
    const heading = element("p", { class: "live-title" }, tr(`by ${called(m)}`));
    heading.append(score);
    return { box: element("div", { class: "live-row" }, heading, list), score, tiles };
  });
  const voice = bookLive.announcer();

  function tell() {
    const digit = labels[chosen];
    paint(asked, chosen);
    asked.setAttribute("aria-label", tr(`The chosen image, a ${digit}`));
    rows.forEach(({ score, tiles }, m) => {
      score.textContent = tr(`${right(m, chosen)} of 10`);
      nearest(m, chosen).forEach((i, rank) => {
        const { canvas: drawn, text, item } = tiles[rank];
        const good = labels[i] === digit;
        paint(drawn, i);
        drawn.setAttribute("aria-label", tr(`Rank ${rank + 1}: a ${labels[i]}`));
        text.textContent = `${labels[i]} ${good ? "\u2713" : "\u2717"}`;
        item.className = good ? "live-right" : "live-wrong";
      });
    });
    const scores = methods.map((_, m) => tr(`${right(m, chosen)} by ${called(m)}`));
    const asks = tr(`How many of the ten nearest to this ${digit} show a ${digit}`);
    voice.say(tr(`Laid out by ${called(method)}. ${asks}: ${scores.join(tr(", "))}.`));
  }

  function choose(i) {
    chosen = i;
    tell();
    draw();
  }

  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top].map((v) => (v * SIZE) / box.width);
    let best = Infinity;
    let found = chosen;
    spots[method].forEach(([x, y], i) => {
      const far = Math.hypot(x - at[0], y - at[1]);
      if (far < best) [best, found] = [far, i];
    });
    choose(found);
  });
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const way = KEYS[event.key];
    if (!way) return;
    event.preventDefault();
    const [x, y] = spots[method][chosen];
    let best = Infinity;
    let found = chosen;
    spots[method].forEach((place, i) => {
      const ahead = (place[0] - x) * way[0] + (place[1] - y) * way[1];
      const aside = Math.abs((place[0] - x) * way[1]) + Math.abs((place[1] - y) * way[0]);
      if (ahead <= 0 || aside > ahead) return; // only what lies within 45 degrees of that way
      if (ahead + 2 * aside < best) [best, found] = [ahead + 2 * aside, i];
    });
    choose(found);
  });

  const buttons = names.map((name, m) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, name);
    button.addEventListener("click", () => show(m));
    return button;
  });
  const choice = element("div", { class: "live-buttons", role: "group", "aria-label": tr("Laid out by") });
  choice.append(...buttons);
  const facts = methods.map(
    (_, m) => tr(`${called(m)} ${data.kept[m].toFixed(1)} (P@10 ${data.precision[m].toFixed(2)})`),
  );
  const note = tr(`${count.toLocaleString("en")} gallery images, ${data.each} of each digit, coloured by digit; neighbours by cosine distance among them, the image itself left out. Places: t-SNE, which distorts. Of the ten nearest in the full space the drawing has among its own ten nearest, on average: by ${facts.join(tr(", "))}.`);
  const head = element("div", { class: "live-asked" }, asked, voice.text);
  panel.classList.add("live-atlas");
  panel.append(
    choice,
    canvas,
    head,
    ...rows.map(({ box }) => box),
    element("p", { class: "live-note" }, note),
  );
  new ResizeObserver(draw).observe(canvas);
  const theme = new MutationObserver(draw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  show(0);
  bookLive.map = {
    choose,
    show,
    spot: (i) => spots[method][i].map((value) => value / SIZE),
    state: () => ({
      method: methods[method],
      chosen,
      digit: labels[chosen],
      found: methods.map((_, m) => nearest(m, chosen)),
      still: between.part === 1,
    }),
  };
};
bookLive.figure("fig-map", ["digit-map"], explore, bookLive.tr("Explore this map"));
