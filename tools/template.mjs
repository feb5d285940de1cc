// Opens graphs in ComfyUI's own frontend, in headless chromium. Reads a job from stdin, writes the answer to stdout:
// {url, chromium, modules, screenshots, vue, graphs: [{name, api, note, layout}, {name, api, show, run},
// {name, api, box}, or {name, ui, run}]} ->
// [{name, ui, api, again, missing, deprecated, zoom, overlaps, errors}]
//   api: made into a laid-out UI graph, exported, and opened and exported again ("again")
//   box: the same, as one subgraph (see box.mjs)
//   ui:  opened and exported; and run, if that is asked for
//   show: columns [[width, ...ids]]: the screenshot is of these nodes alone, at zoom 1
//   vue: in Nodes 2.0, else in the classic renderer
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { box, published } from "./box.mjs";
import { arrange, columns, fold, group, line_up, load, write } from "./layout.mjs";

const FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync";

// These run in the page.

// What File > Export writes, without the zoom: opening it fits the view.
async function exported() {
  const { workflow, output } = await app.graphToPrompt();
  delete workflow.extra.ds;
  return { ui: workflow, api: output };
}

async function open({ name, ui }) {
  await app.loadGraphData(ui, true, true, name);
}

// What a user sees, in the graph that is open: the zoom that the frontend chose, nodes that it does not know, that are
// on their way out, and that lie on each other (title and all).
function seen() {
  const TITLE = 30, found = { missing: [], deprecated: [], overlaps: [], zoom: app.canvas.ds.scale };
  for (const graph of [app.graph, ...(app.graph.subgraphs?.values() ?? [])]) {
    for (const { type } of graph._nodes) {
      const known = LiteGraph.registered_node_types[type];
      if (!known) found.missing.push(type);
      else if (known.nodeData?.deprecated) found.deprecated.push(type);
    }
  }
  const rect = ({ id, title, pos, size }) => {
    const box = LiteGraph.vueNodesMode && document.querySelector(`[data-node-id="${id}"]`)?.getBoundingClientRect();
    return box ? [title, box.left, box.top, box.right, box.bottom]
      : [title, pos[0], pos[1] - TITLE, pos[0] + size[0], pos[1] + size[1]];
  };
  const boxes = app.graph._nodes.map(rect);
  boxes.forEach((a, i) => boxes.slice(0, i).forEach((b) => {
    if (a[1] < b[3] && b[1] < a[3] && a[2] < b[4] && b[2] < a[4]) found.overlaps.push(`${b[0]} and ${a[0]}`);
  }));
  return found;
}

// Runs the open graph to its end.
async function run() {
  const { api } = await import("/scripts/api.js");
  const ended = new Promise((done, failed) => {
    api.addEventListener("execution_success", done, { once: true });
    api.addEventListener("execution_error", ({ detail }) => failed(new Error(detail.exception_message)), { once: true });
  });
  if (!(await app.queuePrompt(0))) throw new Error("the server did not take the graph");
  await ended;
}

// Brings nodes to the free part of the window at zoom 1; where they are there: a rectangle {x, y, width, height}.
function near(ids) {
  const TITLE = 30, EDGE = 10, BADGE = 20, FREE = [70, 100], { ds } = app.canvas;
  const boxes = ids.map((id) => app.graph.getNodeById(id)).map(({ pos, size }) => [
    pos[0] - EDGE, pos[1] - TITLE - BADGE, pos[0] + size[0] + EDGE, pos[1] + size[1] + EDGE]);
  const [left, top] = [0, 1].map((i) => Math.min(...boxes.map((box) => box[i])));
  const [right, bottom] = [2, 3].map((i) => Math.max(...boxes.map((box) => box[i])));
  app.canvas.show_info = false;
  ds.scale = 1;
  ds.offset = [FREE[0] - left, FREE[1] - top];
  app.canvas.setDirty(true, true);
  return { x: FREE[0], y: FREE[1], width: right - left, height: bottom - top };
}

// The rest drives the page.

// Ids "9:14" say that node 14 is in the subgraph 9, as in what the frontend exports.
async function make(page, { name, api, note, layout, show }) {
  const bare = (id) => id.split(":").at(-1), inside = {};
  const plain = Object.fromEntries(Object.entries(api).map(([id, { class_type, inputs }]) => {
    const unlinked = Object.entries(inputs).map(([key, value]) => [key, Array.isArray(value) ? [bare(value[0]), value[1]] : value]);
    if (id.includes(":")) (inside[id.split(":")[0]] ??= []).push(Number(bare(id)));
    return [bare(id), { class_type, inputs: Object.fromEntries(unlinked) }];
  }));
  await page.evaluate(load, { name, api: plain });
  for (const [id, ids] of Object.entries(inside)) {
    await page.evaluate(arrange, await page.evaluate(columns, ids));
    const made = await page.evaluate(fold, { ids, title: layout.titles[id] });
    if (String(made) !== id) throw new Error(`${name}: subgraph ${id} became node ${made}`);
  }
  if (show) await page.evaluate(line_up, show);
  else if (layout) await page.evaluate(group, { ...layout, note });
  else {
    const order = await page.evaluate(columns);
    await page.evaluate(arrange, order);
    if (note) await page.evaluate(write, { note, columns: order });
  }
  return page.evaluate(exported);
}

async function wrap(page, { name, api, box: slots }) {
  await page.evaluate(load, { name, api });
  await page.evaluate(arrange, await page.evaluate(columns));
  await page.evaluate(box, slots);
  return { ...(await page.evaluate(exported)), ui: await page.evaluate(published) };
}

async function shot(page, name, show) {
  if (!job.screenshots) return;
  const clip = show && await page.evaluate(near, show.flatMap(([, ...ids]) => ids));
  if (clip) await page.waitForTimeout(500);
  await page.screenshot({ path: `${job.screenshots}/${name}.png`, clip });
}

async function treat(page, graph, errors) {
  const start = errors.length;
  const made = graph.api ? await (graph.box ? wrap : make)(page, graph) : {};
  await page.evaluate(open, { name: graph.name, ui: made.ui ?? graph.ui });
  const { api } = await page.evaluate(exported);
  await page.waitForTimeout(1500);
  const found = await page.evaluate(seen);
  await shot(page, graph.name, graph.show);
  if (graph.run) {
    await page.evaluate(run).catch((error) => errors.push(String(error).split("\n")[0]));
    await page.waitForTimeout(4000);  // for the pictures to come, and the nodes to grow
    found.overlaps.push(...(await page.evaluate(seen)).overlaps.map((pair) => `after a run, ${pair}`));
    await shot(page, `${graph.name}-after`, graph.show);
  }
  return { name: graph.name, ui: made.ui, api: made.api ?? api, again: api, ...found, errors: errors.slice(start) };
}

async function ready(page, url) {
  const hidden = { "Comfy.TutorialCompleted": true, "Comfy.Minimap.Visible": false };  // nothing on top of the graph
  const settings = { ...hidden, "Comfy.VueNodes.Enabled": !!job.vue };                 // the rest as users have it
  await page.request.post(`${url}/settings`, { data: settings });
  await page.goto(url);
  await page.waitForFunction(() => {
    const app = window.app;
    const ready = app?.extensionManager && app.vueAppReady && !app.extensionManager.spinner;  // it spins until its own
    return ready && app.canvas?.graph && "KSampler" in LiteGraph.registered_node_types;       // first graph is there
  }, null, { timeout: 180000 });
}

// A profile of its own: graphs made from API graphs take over widget values of those before.
async function fresh(browser, errors) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.route((address) => address.origin !== job.url, (route) => route.abort());  // nothing but this host
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(String(error).split("\n")[0]));
  await ready(page, job.url);
  return page;
}

const job = JSON.parse(readFileSync(0, "utf8"));
const { chromium } = createRequire(`${job.modules}/`)("playwright-core");
const browser = await chromium.launch({ executablePath: job.chromium, headless: true, args: FLAGS.split(" ") });
try {
  const errors = [], answers = [];
  let page;
  for (const graph of job.graphs) {
    if (page && graph.api) page = void (await page.context().close());
    page ??= await fresh(browser, errors);
    answers.push(await treat(page, graph, errors));
  }
  process.stdout.write(JSON.stringify(answers));
} finally {
  await browser.close();
}
