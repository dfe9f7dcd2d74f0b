// Code cells that run in the page, in order and edited at will: all of a page, or those that can.
"use strict";

(() => {
  const page = window.bookPage;
  const { element, button, python, tr } = page;
  const LIMIT = 600_000; // milliseconds; chapters take seconds where a browser is quick
  const NAME = location.pathname;
  const cells = [];

  function make(cell, number) {
    const place = cell.querySelector(".cell_input");
    const fixed = place.querySelector("div[class*=highlight-]");
    const source = fixed.querySelector("pre").textContent.trimEnd();
    const stored = [...cell.querySelectorAll(":scope > .cell_output")];
    const one = { source, run: -1, ran: "", code: () => area.value };
    const label = tr(`Code of cell ${number + 1}`);
    const keys = { Control: () => python.busy || upTo(number), Shift: () => python.busy || upTo(number) };
    const { box, area, replace } = page.editor(source, label, "py-cells-help", keys, () => {});
    const state = element("p", { class: "py-state", role: "status" });
    const result = element("div", { class: "py-result" });
    one.say = (text) => (state.textContent = text);

    one.show = (outputs) => {
      one.outputs = outputs;
      stored.forEach((output) => output.classList.toggle("py-replaced", outputs !== null));
      page.show(result, (outputs ?? []).map(page.view));
    };
    const reset = () => {
      if (area.value !== source) replace(source);
      one.show(null);
      one.say(tr("The code and its stored output are as they were at first."));
      one.run = -1;
    };
    const buttons = element("div", { class: "py-buttons" }, page.runs(tr("Run"), () => upTo(number)), button(tr("Reset"), reset), page.stops());
    fixed.classList.add("py-replaced");
    fixed.after(box);
    (place.closest("details") ?? place).after(buttons, state, result);
    cell.classList.add("py-live");
    cell.pythonCell = one;
    cells.push(one);
  }

  // Runs a cell, and before it those above that have not run as they now stand.
  async function upTo(number) {
    for (let i = 0; i <= number; i++) {
      const one = cells[i];
      const code = one.code();
      const fresh = one.run === python.runs && one.ran === code;
      if (i < number && fresh) continue;
      const answer = await python.work(
        { call: "cell", needs: page.needs(code), given: [NAME, `cell ${i + 1}`, code] },
        LIMIT,
        i === number ? one.say : (text) => (one.say(text), cells[number].say(tr(`First the cells above. Cell ${i + 1}: ${text}`))),
      );
      if (answer.failed) return;
      if (answer.late || answer.stopped) {
        one.say(tr("Ended."));
        return python.again(cells[number].say);
      }
      one.show(answer.outputs);
      const wrong = answer.outputs.some(({ kind }) => kind === "error");
      one.run = wrong ? -1 : python.runs;
      one.ran = code;
      one.say(wrong ? tr("Stopped by an error.") : answer.outputs.length ? "" : tr("Done; this cell shows nothing."));
      if (wrong) {
        if (i < number) cells[number].say(tr(`Cell ${i + 1} above stops with an error.`));
        return;
      }
    }
    cells[number].say(cells[number].outputs.length ? tr("Done.") : tr("Done; this cell shows nothing."));
  }

  const code = (cell) => cell.querySelector(".cell_input pre")?.textContent ?? "";
  const needOf = (cell) => cell.className.match(/\bpython-needs-(\S+)/)[1];

  function open(invitation) {
    found.forEach(make);
    for (const cell of others) cell.prepend(element("p", { class: "py-mark" }, tr(`Needs ${needOf(cell)}`)));
    const all = element("div", { class: "py-buttons" }, page.runs(others.length ? tr("Run all that can") : tr("Run all cells"), () => upTo(cells.length - 1), { class: "py-main" }), page.stops());
    const help = element("p", { class: "py-help", id: "py-cells-help" }, tr("Each cell can be changed. Run, or Shift+Enter, runs it, and first those above that have not run. Tab indents; to leave the editor by keyboard, press Esc, then Tab."));
    invitation.replaceChildren(help, ...elsewhere(), all);
    all.firstChild.focus();
  }

  // What the page said of the cells that need more, with its way to Colab, said exactly.
  function elsewhere() {
    if (!others.length) return [];
    const needs = [...new Set(others.map(needOf))];
    const names = page.either([needs.slice(0, -1).join(tr(", ")), needs.at(-1)].filter(Boolean));
    const link = said?.querySelector("a")?.cloneNode(true) ?? tr("in Colab or at home");
    const count = others.length > 1 ? tr(`The other ${others.length} need ${names}: run them `) : tr(`The other one needs ${names}: run it `);
    return [element("p", {}, count, link, tr("."))];
  }

  const found = [...document.querySelectorAll(".cell.python-cell")].filter(code);
  const others = [...document.querySelectorAll(".cell.python-elsewhere")];
  if (!found.length || !page.able || page.isFile) return;
  const said = document.querySelector(".py-elsewhere");
  const groups = page.needs(found.map(code).join("\n"));
  const size = page.megabytes(page.bytes(groups));
  const offer = others.length
    ? tr(`${found.length} of the ${found.length + others.length} code cells of this page can run here, in your browser, and you can change them. Running them loads about ${size}, once.`)
    : tr(`The code of this page can run here, in your browser, and you can change it. Running it loads about ${size}, once.`);
  const invitation = element("div", { class: "py py-invitation" });
  invitation.append(
    element("p", {}, offer),
    ...elsewhere(),
    element("div", { class: "py-buttons" }, button(tr("Make the code live"), () => open(invitation), { class: "py-main" })),
  );
  if (said) said.replaceWith(invitation);
  else found[0].before(invitation);
})();
