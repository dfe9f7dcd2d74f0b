// Exercises and cells that Python answers in the page. Python itself runs in worker.js.
"use strict";

(() => {
  const HERE = document.currentScript.src;
  const BASE = new URL("../../python/", HERE).href;
  const LIMIT = 10_000; // milliseconds that a check may compute
  const KEY = "book-answer:"; // in this browser's storage, one entry an exercise
  const parts = { ...window.bookParts, base: BASE };
  const size = (group) => parts.groups[group].reduce((sum, file) => sum + parts.bytes[file], 0);
  const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  // -- Python ---------------------------------------------------------------------------------------

  const python = {
    worker: null,
    program: null, // the worker's own file, kept so that it starts again without a network
    ready: false,
    waiting: new Map(),
    last: 0,
    onprogress: () => {},

    async start() {
      this.program ??= await fetch(new URL("worker.js", HERE)).then((answer) => {
        if (!answer.ok) throw new Error(`worker.js: ${answer.status}`);
        return answer.blob();
      });
      const address = URL.createObjectURL(new Blob([this.program], { type: "text/javascript" }));
      this.worker = new Worker(address);
      URL.revokeObjectURL(address);
      this.worker.onmessage = ({ data }) => this.hear(data);
      this.worker.onerror = (event) => this.end(event.message || "Python stopped");
      this.worker.postMessage({ id: 0, parts });
    },

    // Ends with {outputs}, {failed: why} or {late: true}.
    async ask(message, limit = 0) {
      if (!this.worker) {
        try {
          await this.start();
        } catch (error) {
          this.worker = null;
          return { failed: String(error.message) };
        }
      }
      const id = ++this.last;
      return new Promise((done) => {
        this.waiting.set(id, { done, limit });
        this.worker.postMessage({ ...message, id });
      });
    },

    hear(data) {
      if (data.progress) return this.onprogress(data.progress);
      const asked = this.waiting.get(data.id);
      if (data.id === 0) this.ready = !data.failed;
      if (!asked) return;
      if (data.begun) {
        if (asked.limit) asked.timer = setTimeout(() => this.stop(data.id), asked.limit);
        return;
      }
      clearTimeout(asked.timer);
      this.waiting.delete(data.id);
      if (data.memory) this.memory = data.memory;
      asked.done(data);
    },

    // A loop that never ends leaves no other way than to end Python and to start it again.
    stop(id) {
      const late = id ?? [...this.waiting.keys()][0];
      this.worker.terminate();
      this.worker = null;
      this.ready = false;
      const all = [...this.waiting.entries()];
      this.waiting.clear();
      for (const [number, asked] of all) {
        clearTimeout(asked.timer);
        asked.done(number === late ? { late: true } : { failed: "Python was started again." });
      }
    },

    end(why) {
      this.worker?.terminate();
      this.worker = null;
      this.ready = false;
      const all = [...this.waiting.values()];
      this.waiting.clear();
      all.forEach((asked) => asked.done({ failed: why }));
    },
  };
  window.bookPython = python;

  // -- What is kept in this browser ---------------------------------------------------------------------

  const store = {
    read(name) {
      try {
        return JSON.parse(localStorage.getItem(KEY + name)) ?? {};
      } catch {
        return {};
      }
    },
    write(name, entry) {
      try {
        localStorage.setItem(KEY + name, JSON.stringify(entry));
      } catch {
        // A browser that keeps nothing: the answer stays as long as the page does.
      }
    },
    erase(name) {
      try {
        localStorage.removeItem(KEY + name);
      } catch {
        // Nothing is kept.
      }
    },
  };

  // -- The editor: a text area that knows what a Tab and a line break mean in Python -----------------

  function editor(code, label, help, changed) {
    const area = element("textarea", {
      "aria-label": label,
      "aria-describedby": help,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      autocorrect: "off",
      wrap: "off",
    });
    area.value = code;
    let leaving = false; // after Escape a Tab leaves the editor
    const fit = () => (area.rows = Math.max(4, area.value.split("\n").length + 1));
    // So that the browser can undo it; execCommand is the only way that does.
    const insert = (text) => document.execCommand("insertText", false, text);
    area.addEventListener("input", () => {
      fit();
      changed(area.value);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leaving = true;
      else if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey) {
        event.preventDefault();
        indent(area, event.shiftKey, insert);
      } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing) {
        const before = area.value.slice(0, area.selectionStart);
        const line = before.slice(before.lastIndexOf("\n") + 1);
        const space = line.match(/^ */)[0] + (line.replace(/#.*/, "").trimEnd().endsWith(":") ? "    " : "");
        event.preventDefault();
        insert(`\n${space}`);
      }
      if (!["Escape", "Shift"].includes(event.key)) leaving = false;
    });
    fit();
    return area;
  }

  function indent(area, back, insert) {
    const { selectionStart: from, selectionEnd: to, value } = area;
    if (!back && !value.slice(from, to).includes("\n")) return insert("    ");
    const first = value.lastIndexOf("\n", from - 1) + 1;
    const after = value.indexOf("\n", Math.max(to - (to > from && value[to - 1] === "\n"), from));
    const last = after < 0 ? value.length : after;
    const lines = value.slice(first, last).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^ {1,4}/, "") : line && `    ${line}`));
    area.setSelectionRange(first, last);
    insert(moved.join("\n"));
    area.setSelectionRange(lines.length > 1 ? first : Math.max(first, from - (lines[0].length - moved[0].length)), first + moved.join("\n").length);
    if (lines.length === 1) area.setSelectionRange(area.selectionStart, area.selectionStart);
  }

  // -- What Python shows --------------------------------------------------------------------------------

  const WORDS = { right: "Right.", "not yet right": "Not yet right.", "not attempted yet": "Not attempted yet: put your code in place of the dots." };

  function view({ kind, text, status, png }) {
    if (kind === "verdict") {
      return element("div", { class: "py-verdict", "data-status": status }, element("strong", {}, WORDS[status]), element("p", {}, text));
    }
    if (kind === "wanted") return element("p", { class: "py-wanted" }, "The example gives ", element("code", {}, text), " where it is right.");
    if (kind === "picture") return element("img", { src: `data:image/png;base64,${png}`, alt: "The figure that this cell draws" });
    return element("pre", { class: kind === "error" ? "py-error" : "py-text", tabindex: "0" }, text);
  }

  const LATE = `Your function was not done after ${LIMIT / 1000} s of computing. Does a loop never end? Python was ended`;

  // -- An exercise -----------------------------------------------------------------------------------------

  const CHECK = /^exercises\.check\("(\w+)", \1\)$/m;
  const exercises = [];

  function makeExercise(cell) {
    const given = cell.querySelector(".cell_input pre").textContent.trimEnd();
    const name = given.match(CHECK)[1];
    const stub = given.replace(/^from vae_tutorial import exercises\s*/, "").replace(CHECK, "").trimEnd() + "\n";
    const title = cell.closest("section").querySelector("h2, h3, h4").firstChild.textContent;
    const hints = hintsAfter(cell);
    const known = store.read(name);
    let asked = 0;

    const help = element("p", { class: "py-help", id: `py-help-${name}` }, "Tab indents; Esc, then Tab, leaves the editor. Ctrl and Enter check.");
    const area = editor(known.code ?? stub, `Your answer to: ${title}`, help.id, () => keep({ status: "" }));
    const state = element("p", { class: "py-state", role: "status" });
    const result = element("div", { class: "py-result", "aria-live": "polite" });
    const button = (text, action, attributes = {}) => element("button", { type: "button", onclick: action, ...attributes }, text);
    const stop = button("Stop", () => python.stop(), { hidden: true });
    const run = button("Run", () => work("attempt"));
    const check = button("Check", () => work("check"), { class: "py-main" });
    const hint = button("Hint", showHint);
    const reset = button("Reset", () => {
      area.focus();
      area.select();
      document.execCommand("insertText", false, stub);
      store.erase(name);
      result.replaceChildren();
      say("The answer is as it was at first.");
      tell();
    });
    const buttons = element("div", { class: "py-buttons" }, check, run, hint, reset, stop);
    const box = element("div", { class: "py", "data-exercise": name }, area, help, buttons, state, result);
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        work("check");
      }
    });

    const say = (text) => (state.textContent = text);
    const keep = (more) => {
      store.write(name, { ...store.read(name), code: area.value, ...more });
      tell();
    };

    function showHint() {
      const next = hints[Math.min(asked++, hints.length - 1)];
      if (!next) return;
      next.open = true;
      next.scrollIntoView({ block: "nearest" });
      next.querySelector("summary").focus();
    }

    async function work(call) {
      if (busy()) return;
      lock(true);
      result.replaceChildren();
      say(python.ready ? "Python runs …" : "Python is loading …");
      python.onprogress = ({ done, total }) => say(`Python is loading: ${megabytes(done)} of ${megabytes(total)} MB`);
      const answer = await python.ask({ call, given: [name, area.value] }, LIMIT);
      lock(false);
      if (answer.late) {
        result.replaceChildren(view({ kind: "verdict", status: "not yet right", text: `${LATE}, and is started again.` }));
        if (call === "check") keep({ status: "not yet right" });
        python.onprogress = () => {};
        say("Python starts again …");
        const again = await python.ask({});
        if (!busy()) say(again.failed ? `Python did not start again: ${again.failed}` : "Python is ready again.");
        return;
      }
      if (answer.failed) {
        say(`Python cannot run here now: ${answer.failed}`);
        return;
      }
      say("");
      result.replaceChildren(...answer.outputs.map(view));
      const verdict = answer.outputs.find((output) => output.kind === "verdict");
      if (verdict) keep({ status: verdict.status });
      else if (call === "check") keep({ status: "not yet right" });
    }

    function lock(on) {
      document.documentElement.toggleAttribute("data-python-busy", on);
      document.querySelectorAll(".py-buttons button").forEach((other) => (other.disabled = on));
      stop.hidden = !on;
      stop.disabled = false;
    }

    cell.before(box);
    cell.classList.add("py-replaced");
    if (known.status) say(`Here before: ${known.status}.`);
    exercises.push({ name, title, stub, area, status: () => store.read(name).status || "" });
  }

  const busy = () => document.documentElement.hasAttribute("data-python-busy");

  // The folded hints below a stub, up to its solution.
  function hintsAfter(cell) {
    const found = [];
    for (let next = cell.nextElementSibling; next?.tagName === "DETAILS"; next = next.nextElementSibling) {
      if (next.querySelector("summary").textContent.trim().startsWith("Hint")) found.push(next);
    }
    return found;
  }

  const tell = () => document.dispatchEvent(new CustomEvent("book-answers"));

  // -- The page ---------------------------------------------------------------------------------------------

  const cells = document.querySelectorAll(".cell.python-exercise");
  if (!cells.length) return;
  cells.forEach(makeExercise);
})();
