// The bet of chapter 5: a method that the reader chooses is marked in each table that follows.
"use strict";

(() => {
  const place = document.getElementById("bet");
  if (!place) return;
  // Marks words that tools/site_words.py puts into the language of the edition.
  const tr = (words) => words;
  const MEASURES = ["P@10", "mAP"];
  const LABELLED = "supervised encoder"; // no contestant: it was given the labels
  const fight = place.closest("section").parentElement;
  const after = (node) => place.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING;
  const text = (cell) => cell.textContent.trim();
  const tables = [...fight.querySelectorAll("table")].filter(after).map((table) => ({
    table,
    heads: [...table.tHead.rows[0].cells].map(text),
    rows: new Map([...table.tBodies[0].rows].map((row) => [text(row.cells[0]), row])),
  }));
  const names = [...tables[0].rows.keys()].filter((name) => name !== LABELLED);
  const contests = tables.filter(({ rows }) => names.filter((name) => rows.has(name)).length > 3);

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const select = make("select", { id: "bet-name" });
  for (const name of [tr("none yet"), ...names]) select.append(make("option", {}, name));
  const lines = contests.map(({ table }) => {
    const line = make("p", { class: "bet-line", hidden: "" });
    (table.closest(".pst-scrollable-table-container, .output") ?? table).after(line);
    return line;
  });

  function standing({ heads, rows }, name) {
    const told = MEASURES.filter((measure) => heads.includes(measure)).map((measure) => {
      const column = heads.indexOf(measure);
      const value = (other) => parseFloat(text(rows.get(other).cells[column]));
      const others = names.filter((other) => rows.has(other));
      const ahead = others.filter((other) => value(other) > value(name)).length;
      return tr(`number ${ahead + 1} of ${others.length} by ${measure}`);
    });
    return tr(`${name}: ${told.join(tr(", "))}.`);
  }

  select.addEventListener("change", () => {
    const name = select.value;
    contests.forEach((contest, at) => {
      for (const [other, row] of contest.rows) row.classList.toggle("bet-row", other === name);
      lines[at].hidden = !names.includes(name);
      const takesPart = contest.rows.has(name);
      lines[at].textContent = takesPart ? standing(contest, name) : tr(`${name} does not take part.`);
    });
    told.textContent = names.includes(name)
      ? tr(`Marked in the tables below, with its place among the others: ${name}.`)
      : "";
  });
  const told = make("p", { "aria-live": "polite" });
  place.append(make("label", { for: "bet-name" }, tr("Your bet")), select, told);
})();
