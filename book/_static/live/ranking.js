// Reorder a ranking by hand and watch the measures: the chapter's query and its ten results.
"use strict";

bookLive.figure("fig-ranking", ["small-ranking"], async (panel, data) => {
  const { element, tr } = bookLive;
  const SIDE = 28;
  const PIXELS = SIDE * SIDE;
  const N = data.labels.length;
  const levels = await bookLive.unpack(data.packed); // the query, then the results
  const image = (at) => [...levels.subarray(at * PIXELS, (at + 1) * PIXELS)].map((l) => l / 255);
  const hit = (result) => data.labels[result] === data.digit;
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

  let order = [...data.labels.keys()]; // which result stands at each rank
  let k = N;
  let chosen = null; // the rank that a tap has taken up

  // Precision so far at every rank, and the measures of the first k; R counts all that exist.
  function measures() {
    const hits = order.map((result) => (hit(result) ? 1 : 0));
    const sofar = hits.map((_, j) => sum(hits.slice(0, j + 1)) / (j + 1));
    const gain = (list) => sum(list.map((h, j) => h / Math.log2(j + 2)));
    const ideal = Array.from({ length: Math.min(k, data.relevant) }, () => 1);
    const top = hits.slice(0, k);
    return {
      hits,
      sofar,
      precision: sum(top) / k,
      recall: sum(top) / data.relevant,
      ap: sum(top.map((h, j) => h * sofar[j])) / data.relevant,
      ndcg: gain(top) / gain(ideal),
    };
  }

  const asked = element("canvas", { width: SIDE, height: SIDE, role: "img" });
  asked.setAttribute("aria-label", tr(`The query: a ${data.digit}`));
  bookLive.paint(asked, image(0));
  const hint = tr(
    "Drag a result, or tap it and then a place. By keyboard, the arrow keys move the result in focus.",
  );
  const places = order.map((_, rank) => {
    const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    const tile = element("button", { type: "button", "aria-pressed": "false" }, canvas);
    const [number, bar, mark] = ["b", "i", "span"].map((tag) => element(tag, { "aria-hidden": true }));
    const column = element("span", { class: "live-column" }, number, bar);
    tile.addEventListener("keydown", (event) => byKey(event, rank));
    tile.addEventListener("click", () => tap(rank));
    return { canvas, tile, number, bar, mark, item: element("li", {}, column, tile, mark) };
  });
  const list = element("ol", { "aria-label": tr(`Results. ${hint}`) }, ...places.map((p) => p.item));
  const NAMES = {
    precision: () => `P@${k}`,
    recall: () => tr(`recall@${k}`),
    ap: () => `AP@${k}`,
    ndcg: () => `nDCG@${k}`,
  };
  const dials = Object.keys(NAMES).map((name) => {
    const [title, value, length] = [element("span"), element("output"), element("i")];
    const bar = element("span", { class: "live-bar" }, length);
    return { name, title, value, length, row: element("p", {}, title, value, bar) };
  });
  const voice = bookLive.announcer();

  function draw() {
    const found = measures();
    places.forEach(({ canvas, tile, number, bar, mark, item }, rank) => {
      const good = found.hits[rank] === 1;
      bookLive.paint(canvas, image(1 + order[rank]));
      const digit = data.labels[order[rank]];
      tile.setAttribute("aria-label", good ? tr(`Rank ${rank + 1}: a ${digit}, hit`) : tr(`Rank ${rank + 1}: a ${digit}, miss`));
      tile.setAttribute("aria-pressed", rank === chosen);
      number.textContent = found.sofar[rank].toFixed(2);
      bar.style.height = `${6 * found.sofar[rank]}rem`;
      mark.textContent = `${rank + 1}\u2009${good ? "\u2713" : "\u2717"}`;
      item.className = `${good ? "live-right" : "live-wrong"}${rank < k ? "" : " live-after"}`;
    });
    for (const { name, title, value, length } of dials) {
      title.textContent = NAMES[name]();
      value.textContent = found[name].toFixed(3);
      length.style.width = `${100 * found[name]}%`;
    }
    const right = sum(found.hits.slice(0, k));
    const terms = found.sofar.filter((_, j) => j < k && found.hits[j]).map((p) => p.toFixed(2));
    const added = terms.length ? `(${terms.join(" + ")})` : "0";
    const shares = tr(`P@${k} = ${right}/${k}, recall@${k} = ${right}/${data.relevant}`);
    const words = tr(`${shares}, AP@${k} = ${added} / ${data.relevant} = ${found.ap.toFixed(3)}.`);
    voice.say(words);
  }

  // Take the result at one rank out and put it in at another; those between make room.
  function move(from, to) {
    order.splice(to, 0, ...order.splice(from, 1));
    draw();
  }

  function byKey(event, rank) {
    const step = { ArrowLeft: rank - 1, ArrowRight: rank + 1, Home: 0, End: N - 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(N - 1, Math.max(0, step));
    chosen = null;
    move(rank, to);
    places[to].tile.focus();
  }

  let dragged = false; // a drag ends with a click, which is no tap
  function tap(rank) {
    if (dragged) return void (dragged = false);
    const from = chosen;
    chosen = from === null ? rank : null;
    if (from === null) draw();
    else move(from, rank);
  }

  let held = null; // the rank under the pointer that drags
  let hand = null;
  const rankAt = ({ clientX }) => {
    const box = list.getBoundingClientRect();
    const rank = Math.floor((N * (clientX - box.left)) / box.width);
    return Math.min(N - 1, Math.max(0, rank));
  };
  list.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.button !== 0 || hand !== null || !event.target.closest("button")) return;
    [hand, held] = [event.pointerId, rankAt(event)];
  });
  list.addEventListener("pointermove", (event) => {
    if (event.pointerId !== hand) return;
    const to = rankAt(event);
    if (to === held) return;
    list.setPointerCapture(hand);
    [dragged, chosen] = [true, null];
    move(held, to);
    held = to;
    places.forEach(({ item }, rank) => item.classList.toggle("live-held", rank === held));
  });
  for (const end of ["pointerup", "pointercancel"])
    list.addEventListener(end, (event) => {
      if (event.pointerId !== hand) return;
      hand = null;
      places.forEach(({ item }) => item.classList.remove("live-held"));
    });

  function arrange(by) {
    order = [...data.labels.keys()].sort(by);
    chosen = null;
    draw();
  }
  const button = (words, by) =>
    element("button", { type: "button", onclick: () => arrange(by) }, words);
  const cut = (value) => {
    k = value;
    draw();
  };
  const slider = bookLive.slider(tr("first k results"), { min: 1, max: N, step: 1, value: N, change: cut });
  panel.classList.add("live-ranking");
  panel.append(
    element("div", { class: "live-asked" }, asked, element("p", {}, tr(`The query. ${hint}`))),
    list,
    slider.row,
    element("div", { class: "live-dials" }, ...dials.map((dial) => dial.row)),
    voice.text,
    element(
      "p",
      { class: "live-buttons" },
      button(tr("As found"), (a, b) => a - b),
      button(tr("Best order"), (a, b) => hit(b) - hit(a)),
      button(tr("Worst order"), (a, b) => hit(a) - hit(b)),
    ),
  );
  draw();
  bookLive.ranking = {
    order: () => [...order],
    set: (next, cutAt) => {
      order = [...next];
      k = cutAt;
      slider.set(k);
      draw();
    },
    measures,
  };
});
