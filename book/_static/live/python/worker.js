// Python in a thread of its own, which the page ends where a loop never does.
"use strict";

let parts; // where the files are, how many bytes each has, and which belong together
let pyodide;
let session;
let keep; // the browser's cache for our files
const loaded = new Set(); // names of groups
const held = new Map(); // what is on its way, by address

// -- Files: kept by the browser under the digest of all of them, and counted as they come ----------

const address = (file) => new URL(file, parts.base).href;

// A new build has another digest; what an older one left goes.
async function keeper() {
  const own = `book-python ${parts.base} `;
  try {
    for (const name of await caches.keys()) {
      if (name.startsWith(own) && name !== own + parts.digest) await caches.delete(name);
    }
    return await caches.open(own + parts.digest);
  } catch {
    return null; // no safe place to keep files, as on an address without https
  }
}

async function bytesOf(file, count) {
  const kept = await (keep ??= keeper());
  const found = await kept?.match(address(file));
  if (found) {
    const bytes = await found.arrayBuffer();
    count(bytes.byteLength, 0);
    return bytes;
  }
  const answer = await original(address(file), { cache: "no-cache" }); // asks whether it has changed
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  const reader = answer.body.getReader();
  const pieces = [];
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    pieces.push(step.value);
    count(step.value.length, step.value.length);
  }
  const bytes = await new Blob(pieces).arrayBuffer();
  if (bytes.byteLength !== parts.bytes[file]) {
    throw new Error("the book has changed meanwhile. Load the page again.");
  }
  await kept?.put(address(file), new Response(bytes)).catch(() => {});
  return bytes;
}

// Files of our own folder come from here, whoever asks for them; Pyodide fetches some by itself.
const original = self.fetch.bind(self);
self.fetch = async (request, options) => {
  const asked = new URL(request.url ?? request, self.location.href).href;
  if (!held.has(asked)) return original(request, options);
  const type = asked.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  return new Response(await held.get(asked), { headers: { "content-type": type } });
};

function fetchGroup(group) {
  const files = parts.groups[group];
  const total = files.reduce((sum, file) => sum + parts.bytes[file], 0);
  let done = 0;
  const count = (bytes, fetched) => {
    done += bytes;
    self.postMessage({ progress: { group, done, total, fetched } });
  };
  for (const file of files) held.set(address(file), bytesOf(file, count));
  return Promise.all(files.map((file) => held.get(address(file))));
}

async function script(file) {
  const bytes = await held.get(address(file));
  const url = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
  importScripts(url);
  URL.revokeObjectURL(url);
}

async function unpack(file) {
  pyodide.unpackArchive(await held.get(address(file)), "zip", { extractDir: "/book" });
}

// -- Loading ---------------------------------------------------------------------------------------

async function start() {
  await fetchGroup("start");
  await script("pyodide.js");
  await script("pyodide.asm.js");
  const lockFileURL = address("pyodide-lock.json");
  pyodide = await self.loadPyodide({ indexURL: parts.base, lockFileURL, packages: ["numpy"] });
  await unpack("library.zip");
  pyodide.runPython("import os, sys; sys.path.insert(0, '/book')");
  if (parts.language) pyodide.runPython(`os.environ["VAE_TUTORIAL_LANGUAGE"] = "${parts.language}"`);
  session = pyodide.pyimport("session");
  held.clear();
}

async function need(group) {
  if (loaded.has(group)) return;
  if (group === "start") await start();
  else {
    await need("start");
    await fetchGroup(group);
    const { packages, archives } = parts.inside[group];
    if (packages.length) await pyodide.loadPackage(packages, { messageCallback: () => {} });
    for (const archive of archives) await unpack(archive);
    if (group === "figures") session.prepare_figures();
    held.clear();
  }
  loaded.add(group);
}

// -- Asked by the page -----------------------------------------------------------------------------

// One after the other: Python does one thing at a time.
let turn = Promise.resolve();
self.onmessage = ({ data }) => {
  if (data.parts) parts = data.parts;
  turn = turn.then(() => serve(data));
};

async function serve({ id, needs = ["start"], call, given = [] }) {
  try {
    for (const group of needs) await need(group);
    self.postMessage({ id, begun: true });
    const outputs = call ? JSON.parse(session[call](...given)) : [];
    const memory = pyodide._module.HEAP8.length;
    self.postMessage({ id, outputs, memory });
  } catch (error) {
    self.postMessage({ id, failed: String(error?.message ?? error) });
  }
}
