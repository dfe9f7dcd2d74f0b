// Code cells that run in the page, in order and edited at will: all of a page, or those that can.
"use strict";

(() => {
  const page = window.bookPage;
  const { element, button, python } = page;
  const LIMIT = 600_000; // milliseconds; chapters take seconds where a browser is quick
  const NAME = location.pathname;
  const cells = [];

  function make(cell, number) {
    const place = cell.querySelector(".cell_input");
    const fixed = place.querySelector("div[class*=highlight-]");
    const source = fixed.querySelector("pre").textContent.trimEnd();
    const stored = [...cell.querySelectorAll(":scope > .cell_output")];
    const one = { source, run: -1, ran: "", code: () => area.value };
    const label = `Code of cell ${number + 1}`;
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
      one.say("The code and its stored output are as they were at first.");
      one.run = -1;
    };
    const buttons = element("div", { class: "py-buttons" }, page.runs("Run", () => upTo(number)), button("Reset", reset), page.stops());
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
        i === number ? one.say : (text) => (one.say(text), cells[number].say(`First the cells above. Cell ${i + 1}: ${text}`)),
      );
      if (answer.failed) return;
      if (answer.late || answer.stopped) {
        one.say("Ended.");
        return python.again(cells[number].say);
      }
      one.show(answer.outputs);
      const wrong = answer.outputs.some(({ kind }) => kind === "error");
      one.run = wrong ? -1 : python.runs;
      one.ran = code;
      one.say(wrong ? "Stopped by an error." : answer.outputs.length ? "" : "Done; this cell shows nothing.");
      if (wrong) {
        if (i < number) cells[number].say(`Cell ${i + 1} above stops with an error.`);
        return;
      }
    }
    cells[number].say(cells[number].outputs.length ? "Done." : "Done; this cell shows nothing.");
  }

  const code = (cell) => cell.querySelector(".cell_input pre")?.textContent ?? "";
  const needOf = (cell) => cell.className.match(/\bpython-needs-(\S+)/)[1];

  function open(invitation) {
    found.forEach(make);
    for (const cell of others) cell.prepend(element("p", { class: "py-mark" }, `Needs ${needOf(cell)}`));
    const all = element("div", { class: "py-buttons" }, page.runs(others.length ? "Run all that can" : "Run all cells", () => upTo(cells.length - 1), { class: "py-main" }), page.stops());
    const help = element("p", { class: "py-help", id: "py-cells-help" }, "Each cell can be changed. Run, or Shift+Enter, runs it, and first those above that have not run. Tab indents; to leave the editor by keyboard, press Esc, then Tab.");
    invitation.replaceChildren(help, ...elsewhere(), all);
    all.firstChild.focus();
  }

  // What the page said of the cells that need more, with its way to Colab, said exactly.
  function elsewhere() {
    if (!others.length) return [];
    const needs = [...new Set(others.map(needOf))];
    const names = needs.length > 1 ? `${needs.slice(0, -1).join(", ")} or ${needs.at(-1)}` : needs[0];
    const link = said?.querySelector("a")?.cloneNode(true) ?? "in Colab or at home";
    const count = others.length > 1 ? `The other ${others.length} need` : "The other one needs";
    return [element("p", {}, `${count} ${names}: run ${others.length > 1 ? "them" : "it"} `, link, ".")];
  }

  const found = [...document.querySelectorAll(".cell.python-cell")].filter(code);
  const others = [...document.querySelectorAll(".cell.python-elsewhere")];
  if (!found.length || !page.able || page.isFile) return;
  const said = document.querySelector(".py-elsewhere");
  const groups = page.needs(found.map(code).join("\n"));
  const which = others.length ? `${found.length} of the ${found.length + others.length} code cells of this page` : "The code of this page";
  const invitation = element("div", { class: "py py-invitation" });
  invitation.append(
    element("p", {}, `${which} can run here, in your browser, and you can change ${others.length ? "them" : "it"}. Running ${others.length ? "them" : "it"} loads about ${page.megabytes(page.bytes(groups))}, once.`),
    ...elsewhere(),
    element("div", { class: "py-buttons" }, button("Make the code live", () => open(invitation), { class: "py-main" })),
  );
  if (said) said.replaceWith(invitation);
  else found[0].before(invitation);
})();
