// The checked exercises of a page: an editor each, the library's own verdict, hints, and what is kept.
"use strict";

(() => {
  const page = window.bookPage;
  const { element, button, python, store, tr } = page;
  const LIMIT = 10_000; // milliseconds that an answer may compute; browsers are slower than Python at home
  const CHECK = /^exercises\.check\("(\w+)", \1\)$/m;
  const IMPORT = "from vae_tutorial import exercises";
  const FILE = tr(
    "Opened as a file, a page may not run Python. In the folder of this book, the command " +
      "python -m http.server --directory _build/html serves it at http://localhost:8000, and there the exercises answer.",
  );
  const STATES = {
    right: tr("right"),
    "not yet right": tr("not yet right"),
    "not attempted yet": tr("not attempted yet"),
    "not checked yet": tr("not checked yet"),
  };
  const exercises = [];

  // -- One exercise -----------------------------------------------------------------------------------------

  // The folded hints that follow a stub.
  function hintsAfter(cell) {
    const found = [];
    for (let next = cell.nextElementSibling; next?.matches("details"); next = next.nextElementSibling) {
      if (next.querySelector("summary").textContent.trim().startsWith(tr("Hint"))) found.push(next);
    }
    return found;
  }

  function make(cell) {
    const source = cell.querySelector(".cell_input pre").textContent.trimEnd();
    const name = source.match(CHECK)[1];
    const stub = source.replace(IMPORT, "").replace(CHECK, "").trim() + "\n";
    // A short one stands in the text, below a box that opens with its name.
    const asks = cell.previousElementSibling?.querySelector(":scope.admonition p strong");
    const title = asks ? asks.textContent.replace(/\.$/, "") : cell.closest("section").querySelector("h2, h3, h4").firstChild.textContent;
    const hints = hintsAfter(cell);
    const known = store.read(name);
    let asked = 0;

    const help = element("p", { class: "py-help", id: `py-help-${name}` }, tr("Ctrl+Enter checks, Shift+Enter runs. Tab indents; to leave the editor by keyboard, press Esc, then Tab."));
    const state = element("p", { class: "py-state", role: "status" });
    const result = element("div", { class: "py-result", role: "status" });
    const say = (text) => (state.textContent = text);
    const keep = (entry) => {
      store.write(name, entry);
      tell();
    };
    const keys = { Control: () => python.busy || work("check"), Shift: () => python.busy || work("attempt") };
    const { box, area, replace } = page.editor(known.code ?? stub, tr(`Your answer: ${title}`), help.id, keys, () =>
      keep({ code: area.value, status: "", message: "" }),
    );

    async function work(call) {
      const code = area.value;
      page.show(result, []);
      const needs = page.needs(code);
      const answer = await python.work({ call, needs, given: [name, code] }, LIMIT, say);
      if (answer.failed) return;
      if (answer.late) {
        const text = tr(`Your function was not done after ${LIMIT / 1000} s. Does a loop never end? The page has ended Python.`);
        page.show(result, [page.verdict("not yet right", text)]);
        if (call === "check") keep({ code, status: "not yet right", message: text });
      }
      if (answer.late || answer.stopped) return python.again(say);
      say("");
      page.show(result, answer.outputs.map(page.view));
      if (call === "check") keep({ code, ...kept(answer.outputs) });
    }

    // What stops an answer before it can be checked is its verdict.
    function kept(outputs) {
      const found = outputs.find(({ kind }) => kind === "verdict") ?? { status: "not yet right", text: "" };
      return { status: found.status, message: found.text };
    }

    function showHint() {
      const next = hints[Math.min(asked++, hints.length - 1)];
      next.open = true;
      next.querySelector("summary").focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    }

    function reset() {
      replace(stub);
      forget();
      say(tr("The editor is as it was at first."));
    }

    function forget() {
      store.erase(name);
      asked = 0;
      page.show(result, []);
      tell();
    }

    const buttons = element(
      "div",
      { class: "py-buttons" },
      page.runs(tr("Check"), () => work("check"), { class: "py-main" }),
      page.runs(tr("Run"), () => work("attempt")),
      ...(hints.length ? [button(tr("Hint"), showHint)] : []),
      button(tr("Reset"), reset),
      page.stops(),
    );
    cell.before(element("div", { class: "py", "data-exercise": name }, box, buttons, help, page.note(["start"]), state, result));
    cell.classList.add("py-replaced");
    if (known.status) page.show(result, [page.verdict(known.status, known.message ?? "")]);
    exercises.push({ name, title, code: () => area.value, clear: () => (replace(stub), forget()) });
  }

  // -- All of a page: how far the reader is, what can be handed in, what can be erased ----------------------

  const tell = () => document.dispatchEvent(new Event("book-answers"));

  // A notebook as `python -m vae_tutorial.exercises FOLDER` marks it.
  function notebook() {
    const heading = document.querySelector("h1").firstChild.textContent.trim();
    const markdown = (id, source) => ({ cell_type: "markdown", id, metadata: {}, source });
    let count = 0;
    const code = (id, source, text) => ({
      cell_type: "code",
      id,
      metadata: {},
      execution_count: ++count,
      outputs: text ? [{ output_type: "execute_result", execution_count: count, metadata: {}, data: { "text/plain": text } }] : [],
      source,
    });
    const cells = [
      markdown("title", tr(`# ${heading}: answers`)),
      code("imports", `import numpy as np\n\n${IMPORT}`),
      ...exercises.flatMap((one) => {
        const { status, message } = store.read(one.name);
        const said = status && `${one.name}: ${status}${message ? `\n${message}` : ""}`;
        return [
          markdown(`exercise-${one.name}`.slice(0, 64), `## ${one.title}`),
          code(`stub-${one.name}`.slice(0, 64), `${one.code().trimEnd()}\n\n\nexercises.check("${one.name}", ${one.name})`, said),
        ];
      }),
    ];
    const kernelspec = { display_name: "Python 3", language: "python", name: "python3" };
    return { cells, metadata: { kernelspec, language_info: { name: "python" } }, nbformat: 4, nbformat_minor: 5 };
  }

  function download() {
    const text = JSON.stringify(notebook(), null, 1) + "\n";
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const file = location.pathname.split("/").pop().replace(/(\.html)?$/, "-answers.ipynb");
    const link = element("a", { href: address, download: file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  function makeProgress(cell) {
    const list = element("ul", { class: "py-list" });
    const sum = element("p", { class: "py-sum", role: "status" });
    const done = element("p", { class: "py-state", role: "status" });
    const erase = button(tr("Erase my answers"), () => ask(true));
    const sure = button(tr("Yes, erase them"), () => {
      exercises.forEach((one) => one.clear());
      ask(false);
      done.textContent = tr("Nothing of this page is kept any more.");
    });
    const question = element("p", { class: "py-sure", hidden: true }, tr("All answers of this page? "), sure, " ", button(tr("No, keep them"), () => ask(false)));
    function ask(on) {
      question.hidden = !on;
      (on ? sure : erase).focus();
    }
    function draw() {
      const found = exercises.map(({ name }) => store.read(name).status || "not checked yet");
      const right = found.filter((status) => status === "right").length;
      const words = tr(`${right} of ${found.length} right.`);
      if (sum.textContent !== words) sum.textContent = words;
      list.replaceChildren(...exercises.map(({ title }, i) => element("li", { "data-status": found[i] }, tr(`${title}: ${STATES[found[i]]}`))));
    }
    document.addEventListener("book-answers", draw);
    draw();
    const what = tr("Your answers stay in this browser and go nowhere else. As a notebook you can hand them in: the teacher's program marks it.");
    cell.before(
      element("div", { class: "py py-progress" }, sum, list, element("p", {}, what), element("div", { class: "py-buttons" }, button(tr("Download my answers"), download), erase), question, done),
    );
    cell.classList.add("py-replaced");
  }

  const cells = document.querySelectorAll(".cell.python-exercise");
  if (!cells.length || !page.able) return;
  if (page.isFile) {
    cells[0].closest("section").before(element("p", { class: "py-file" }, FILE));
    return;
  }
  cells.forEach(make);
  document.querySelectorAll(".cell.python-progress").forEach(makeProgress);
})();
