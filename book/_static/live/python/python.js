// What exercises and cells share: Python in its worker, what this browser keeps, how outputs look.
"use strict";

(() => {
  const HERE = document.currentScript.src;
  const parts = { ...window.bookParts, base: new URL("../../python/", HERE).href };
  const page = (window.bookPage = {});
  // Marks words that tools/site_words.py puts into the language of the edition.
  const tr = (page.tr = (words) => words);
  const WAITING = tr("Python was ended before it came to this.");

  // -- Building the page ----------------------------------------------------------------------------

  page.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };
  const { element } = page;

  page.button = (text, onclick, attributes = {}) =>
    element("button", { type: "button", onclick, ...attributes }, text);

  // -- What a browser must have, and how much it will load --------------------------------------------

  page.isFile = location.protocol === "file:";
  page.able = window.WebAssembly && window.Worker && window.bookParts;
  const size = (file) => parts.bytes[file];
  const files = (groups) => [...new Set(groups.flatMap((group) => parts.groups[group]))];
  page.bytes = (groups) => files(groups).reduce((sum, file) => sum + size(file), 0);
  page.megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

  const NEEDS = {
    digits: /\b(datasets|folders|PIL)\b/,
    figures: /\b(matplotlib|plotting)\b/,
    emoji: /\bload\(["']emoji["']/,
    results: /\bread_results\b/,
    scores: /\bread_scores\b/,
  };
  page.needs = (code) => ["start", ...Object.keys(NEEDS).filter((group) => NEEDS[group].test(code))];

  // -- Python: one worker, ended and started again where a loop never ends ------------------------------

  const python = (page.python = {
    ready: false, // loaded, as far as the page knows
    runs: 0, // how often it was started
    busy: false,
    memory: 0,
    fetched: 0, // bytes that came over the network
  });
  let worker = null;
  let program; // the worker's own file: Python starts again without a network
  let last = 0;
  let onprogress = () => {};
  const waiting = new Map();

  async function start() {
    program ??= await fetch(new URL("worker.js", HERE)).then((answer) => {
      if (!answer.ok) throw new Error(`worker.js: ${answer.status}`);
      return answer.text();
    });
    const address = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    worker = new Worker(address);
    URL.revokeObjectURL(address);
    python.runs += 1;
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = (event) => end({ failed: event.message || tr("it stopped") });
    worker.postMessage({ id: 0, parts });
  }

  function hear({ id, progress, begun, ...answer }) {
    if (progress) {
      python.fetched += progress.fetched;
      return onprogress(progress);
    }
    if (id === 0) python.ready = !answer.failed;
    const asked = waiting.get(id);
    if (!asked) return;
    if (begun) {
      if (asked.limit) asked.timer = setTimeout(() => end({ late: true }), asked.limit);
      return;
    }
    clearTimeout(asked.timer);
    waiting.delete(id);
    python.memory = answer.memory ?? python.memory;
    if (answer.failed) end({ failed: answer.failed });
    asked.done(answer);
  }

  // Ends Python; what it was at ends with ``first``, and what waited behind that with a reason.
  function end(first) {
    worker?.terminate();
    worker = null;
    python.ready = false;
    const all = [...waiting.values()];
    waiting.clear();
    all.forEach(({ done, timer }, place) => {
      clearTimeout(timer);
      done(place === 0 ? first : { failed: WAITING });
    });
  }

  // Resolves with {outputs}, or {failed: why}, {late: true} after limit ms, {stopped: true}.
  python.ask = async (message, limit = 0) => {
    try {
      if (!worker) await start();
    } catch (error) {
      worker = null;
      return { failed: error.message };
    }
    const id = ++last;
    return new Promise((done) => {
      waiting.set(id, { done, limit });
      worker.postMessage({ ...message, id });
    });
  };

  // Asks for one thing at a time, and says on the way how far loading is.
  python.work = async (message, limit, say) => {
    hold(true);
    say(python.ready ? tr("Python runs …") : tr("Python is loading …"));
    let told = 0; // a screen reader says each of these: not more than one for two megabytes
    onprogress = ({ done, total }) => {
      if (done < total && done - told < 2e6) return;
      told = done;
      const loading = tr(`Python is loading: ${page.megabytes(done)} of ${page.megabytes(total)}`);
      say(done < total ? loading : tr("Python starts …"));
    };
    const answer = await python.ask(message, limit);
    hold(false);
    if (answer.failed) say(tr(`Python cannot run here now: ${answer.failed}`));
    return answer;
  };

  // After an endless loop: starts again at once, so that it is there when it is wanted.
  python.again = async (say) => {
    say(tr("Python starts again …"));
    onprogress = () => {};
    const answer = await python.ask({});
    if (!python.busy) say(answer.failed ? tr(`Python does not start again: ${answer.failed}`) : tr("Python is ready again."));
  };

  python.stop = () => end({ stopped: true });

  function hold(busy) {
    python.busy = busy;
    document.documentElement.toggleAttribute("data-python-busy", busy);
    // Not "disabled", which would take the focus away from the button that was pressed.
    document.querySelectorAll("button[data-runs]").forEach((one) => one.setAttribute("aria-disabled", busy));
    document.querySelectorAll("button[data-stops]").forEach((one) => (one.hidden = !busy));
    if (python.ready) document.querySelectorAll(".py-note").forEach((note) => note.remove());
  }

  // A button that asks Python for something; while Python is busy it does nothing.
  page.runs = (text, action, attributes = {}) =>
    page.button(text, () => python.busy || action(), { "data-runs": true, ...attributes });
  page.stops = () => page.button(tr("Stop"), python.stop, { "data-stops": true, hidden: true });

  page.note = (groups) =>
    element(
      "p",
      { class: "py-note" },
      tr(`Python runs here, in your browser. The first click loads about ${page.megabytes(page.bytes(groups))}, once.`),
    );

  // -- What is kept in this browser --------------------------------------------------------------------

  const KEY = "book-answer:";
  page.store = {
    read(name) {
      try {
        return JSON.parse(localStorage.getItem(KEY + name)) ?? {};
      } catch {
        return {};
      }
    },
    write(name, entry) {
      try {
        localStorage.setItem(KEY + name, JSON.stringify({ ...this.read(name), ...entry }));
      } catch {
        // A browser that keeps nothing: the answer stays as long as the page does.
      }
    },
    erase(name) {
      try {
        localStorage.removeItem(KEY + name);
      } catch {
        // Nothing was kept.
      }
    },
  };

  // -- How outputs look ----------------------------------------------------------------------------------

  const SAYS = {
    right: tr("Right."),
    "not yet right": tr("Not yet right."),
    "not attempted yet": tr("Not attempted yet. Put your code in place of the dots."),
  };

  page.verdict = (status, text) => {
    const [first, ...rest] = text.split("\n");
    const said = element("p", {}, element("strong", {}, SAYS[status]), first && tr(` ${first}`));
    const verdict = element("div", { class: "py-verdict", "data-status": status }, said);
    if (rest.length) verdict.append(pre("py-text", rest.join("\n")));
    return verdict;
  };

  function pre(kind, text) {
    return element("pre", { class: kind }, text);
  }

  function table(text) {
    const rows = text.trim().split("\n").map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
    const [names, sides, ...body] = rows;
    const row = (cells, tag) =>
      element("tr", {}, ...cells.map((cell, i) => element(tag, { class: sides[i].endsWith(":") ? "text-right" : "text-left" }, cell)));
    const made = element("table", { class: "table" }, element("thead", {}, row(names, "th")));
    made.append(element("tbody", {}, ...body.map((cells) => row(cells, "td"))));
    return element("div", { class: "pst-scrollable-table-container" }, made);
  }

  function markdown(text) {
    if (text.startsWith("|")) return table(text);
    const code = text.match(/^```\w*\n([^]*)\n```\s*$/);
    if (!code) return element("p", {}, text);
    const colours = element("div", { class: "highlight" });
    const block = pre("py-text", "");
    page.colour(block, code[1]);
    colours.append(block);
    return colours;
  }

  const either = (page.either = (names) => names.reduce((some, name) => tr(`${some} or ${name}`)));
  page.view = ({ kind, text, status, png, lacks }) => {
    if (kind === "verdict") return page.verdict(status, text);
    if (kind === "markdown") return markdown(text);
    if (kind === "wanted") return element("p", {}, tr("A right answer gives "), element("code", {}, text));
    if (kind === "passed") return element("div", { class: "py-passed" }, tr(`Python in the page has no ${either(lacks.split(" or "))}. Passed over:`), pre("py-text", text));
    if (kind === "picture") return element("img", { src: `data:image/png;base64,${png}`, alt: tr("Figure drawn by this cell") });
    return pre(kind === "error" ? "py-text py-error" : "py-text", text.replace(/\n$/, ""));
  };

  // Shows outputs; what is too wide for the screen scrolls, by keyboard too.
  page.show = (place, outputs) => {
    place.replaceChildren(...outputs);
    for (const wide of place.querySelectorAll("pre, .pst-scrollable-table-container")) {
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    }
  };
})();
