/* Finds in the index what a reader means: the start of a word, a word with one slip, another spelling, another name. */
"use strict";
window.bookSearch = (() => {
  const { pages, aliases, common, vocabulary, entries: rows } = window.bookSearchIndex;
  // What a word is worth where it stands, and what a thing is worth of itself: a definition first.
  const FIELDS = { title: 10, excerpt: 3, text: 1 };
  const KINDS = { term: 1.3, page: 1.1, symbol: 0.75, section: 1, exercise: 0.8, equation: 0.75, name: 0.7, figure: 0.6, work: 0.5 };
  // A title that fits the whole query, and a title that is on every chapter's page.
  const FITTING = 45;
  const REPEATED = 0.3;
  const COMMON = new Set(common.split(" "));

  // No space stands between Chinese words: each two characters in a row count as one. Where they say nothing,
  // they are cut.
  const WORD = /\d+(?:\.\d+)+|[\u3400-\u9fff]+|(?:(?![\u3400-\u9fff])[\p{L}\p{N}])+/gu;
  const isChinese = (word) => /[\u3400-\u9fff]/.test(word);
  const byLength = (a, b) => b.length - a.length;
  const SILENT = new RegExp([...COMMON].filter(isChinese).sort(byLength).join("|") || "$", "g");
  const pairs = (part) => (part.length < 2 ? [part] : [...part].slice(1).map((_, place) => part.slice(place, place + 2)));
  const cut = (run) => (isChinese(run) ? run.replace(SILENT, " ").split(" ").filter(Boolean).flatMap(pairs) : [run]);
  const words = (text) => (text.toLowerCase().match(WORD) ?? []).flatMap(cut);

  /* One form for all spellings and endings of a word: neighbour, neighbors; collapse, collapsed. */
  function fold(word) {
    const plain = word.normalize("NFKD").replace(/\p{M}/gu, "").replace(/ſ/g, "s");
    const british = plain
      .replace(/([a-z]{3})yz(?=e|ing)/, "$1ys")
      .replace(/([a-z]{3})iz(?=e|ing|ation)/, "$1is")
      .replace(/([a-z]{3})our/, "$1or")
      .replace(/enc(?=es?$)/, "ens")
      .replace(/tre(?=s?$)/, "ter")
      .replace(/([aeiou])ll(?=ing$|ed$|er$)/, "$1l");
    const one = british.replace(/ies$/, "y").replace(/(ss|x|ch|sh)es$/, "$1").replace(/([^su\W\d])s$/, "$1");
    return one.replace(/([a-z]{4})(?:ing|ed|e)$/, "$1");
  }

  /* Whether one letter more, less, other or two changed about make the word what was typed, or begin with it. */
  function isSlip(typed, word) {
    if (typed.length < 6 && word.length > typed.length + 1) return false;
    let at = 0;
    while (at < typed.length && typed[at] === word[at]) at += 1;
    const rest = typed.slice(at);
    const left = word.slice(at);
    const swapped = rest.length > 1 ? rest[1] + rest[0] + rest.slice(2) : rest;
    return left.startsWith(swapped) || left.startsWith(rest.slice(1)) || [rest, rest.slice(1)].some((r) => left.slice(1).startsWith(r));
  }

  // -- The index, opened --------------------------------------------------------------------------

  const known = vocabulary.split(" ").map(fold);
  const places = new Map(); // of each word: the entries that have it, and where
  const compounds = new Map(); // of two words in a row, written as one: the two
  const titles = new Map();
  const entries = rows.map(([kind, title, page, anchor, parent, excerpt, names, steps]) => {
    titles.set(title, (titles.get(title) ?? 0) + 1);
    const [path, label] = pages[page];
    return { kind, title, path, label, anchor, parent, excerpt, names: [title, ...names].map(meant), steps };
  });

  function meant(text) {
    const all = words(text);
    const telling = all.filter((word) => !COMMON.has(word));
    return [...new Set((telling.length ? telling : all).map(fold))];
  }

  /* Each two words in a row as one: mini-batch, minibatch. */
  const joined = (words) => words.slice(1).map((word, place) => words[place] + word);

  function note(word, number, field) {
    if (!places.has(word)) places.set(word, new Map());
    const found = places.get(word);
    if (!(found.get(number) >= field)) found.set(number, field);
  }

  entries.forEach((entry, number) => {
    let at = 0;
    for (const step of entry.steps) note(known[(at += step)], number, FIELDS.text);
    for (const word of words(entry.excerpt)) note(fold(word), number, FIELDS.excerpt);
    for (const word of entry.names.flat()) note(word, number, FIELDS.title);
    for (const name of entry.names) joined(name).forEach((word, place) => compounds.set(word, name.slice(place, place + 2)));
  });

  // -- A query ------------------------------------------------------------------------------------

  /* The words of the index that a typed one may stand for, each with how sure that is. */
  function candidates(typed, _, query) {
    const found = new Map();
    const isLong = typed.length > 1 || query.length === 1;
    for (const word of places.keys()) {
      if (word === typed) found.set(word, 1);
      else if (isLong && (isChinese(typed) ? word.includes(typed) : word.startsWith(typed))) found.set(word, 0.4 + (0.4 * typed.length) / word.length);
    }
    if (found.size || typed.length < 4 || /\d/.test(typed)) return found;
    for (const word of places.keys()) {
      if (isSlip(typed, word)) found.set(word, 0.2 + (0.4 * typed.length) / Math.max(word.length, typed.length));
    }
    return found;
  }

  /* The query as it was typed, with two words as one or one as two, and with other names for what has one. */
  function readings(query) {
    const typed = words(query).join(" ");
    const asked = meant(query);
    // Of Chinese only what is a word somewhere counts, and not the end of one beside the start of the next.
    const isKnown = (word) => !isChinese(word) || word.length < 2 || places.has(word);
    const plain = asked.some((word) => isChinese(word) && isKnown(word)) ? asked.filter(isKnown) : asked;
    const found = [plain];
    joined(plain).forEach((word, place) => {
      if (places.has(word)) found.push(plain.toSpliced(place, 2, word));
    });
    plain.forEach((word, place) => {
      if (compounds.has(word)) found.push(plain.toSpliced(place, 1, ...compounds.get(word)));
    });
    for (const [alias, name] of Object.entries(aliases)) {
      const spaced = ` ${typed} `.split(` ${words(alias).join(" ")} `);
      if (spaced.length > 1) found.push(meant(spaced.join(` ${name} `)));
    }
    return found.filter((reading) => reading.length);
  }

  /* How well the best of an entry's names fits: all of the query, and nothing besides. */
  function fit(entry, reading, stands) {
    const covers = entry.names.map((name) => {
      const sure = reading.map((_, place) => Math.max(0, ...name.map((word) => stands[place].get(word) ?? 0)));
      const sum = sure.reduce((total, one) => total + one, 0);
      return (sum / reading.length) * Math.min(1, sum / name.length);
    });
    return Math.max(...covers);
  }

  function score(reading) {
    const stands = reading.map(candidates);
    const found = new Map();
    stands.forEach((words, place) => {
      for (const [word, sure] of words) {
        const rare = Math.log(1 + entries.length / places.get(word).size);
        for (const [number, field] of places.get(word)) {
          if (!found.has(number)) found.set(number, reading.map(() => 0));
          const worth = found.get(number);
          worth[place] = Math.max(worth[place], sure * field * rare);
        }
      }
    });
    const best = new Map();
    for (const [number, worth] of found) {
      const entry = entries[number];
      const sum = worth.reduce((total, one) => total + one, 0) / reading.length;
      const whole = worth.every((one) => one > 0);
      const repeated = titles.get(entry.title) > 2 ? REPEATED : 1;
      best.set(number, { whole, value: (sum + FITTING * fit(entry, reading, stands)) * KINDS[entry.kind] * repeated });
    }
    return { best, words: stands.flatMap((words) => [...words.keys()]) };
  }

  /* Return the entries for a query, best first: those with all of its words, else those with some. */
  function find(query) {
    const found = new Map();
    const marked = new Set();
    for (const reading of readings(query)) {
      const { best, words } = score(reading);
      words.forEach((word) => marked.add(word));
      for (const [number, one] of best) {
        const before = found.get(number);
        if (!before || one.whole > before.whole || (one.whole === before.whole && one.value > before.value)) {
          found.set(number, one);
        }
      }
    }
    const all = [...found];
    const whole = all.filter(([, { whole }]) => whole);
    const ranked = (whole.length ? whole : all).sort((a, b) => b[1].value - a[1].value || a[0] - b[0]);
    const isMarked = (word) => marked.has(fold(word.toLowerCase()));
    const split = (text) => parts(text, isMarked);
    return { results: ranked.map(([number, { value }]) => ({ ...entries[number], value })), split };
  }

  /* A text in parts, each with whether it is marked: a Chinese character is with either of its neighbours. */
  function parts(text, isMarked) {
    return text.split(new RegExp(`(${WORD.source})`, "u")).flatMap((part, place) => {
      if (!isChinese(part)) return [[part, place % 2 === 1 && isMarked(part)]];
      const on = (at) => isMarked(part[at]) || [at - 1, at].some((from) => isMarked(part.slice(Math.max(0, from), from + 2)));
      return [...part].map((letter, at) => [letter, on(at)]);
    });
  }

  return { find };
})();
