// Opens graphs in ComfyUI's own frontend, in headless chromium. Reads a job from stdin, writes the answer to stdout:
// {url, chromium, modules, screenshots, graphs: [{name, api, note}, or {name, ui}]} -> [{name, ui, api, again, missing, errors}]
//   api: made into a laid-out UI graph, exported, and opened and exported again ("again")
//   ui:  opened and exported
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync";

// These run in the page.

async function load({ name, api }) {
  await app.loadApiJson(api, name);
  for (const node of app.graph._nodes) {
    for (const widget of node.widgets ?? []) if (widget.name === "control_after_generate") widget.value = "fixed";
  }
}

// Ids by column: as far left as the links allow; what starts a branch stands beside its user; by id within a column.
function columns() {
  const links = [...app.graph.links.values()], ids = app.graph._nodes.map((node) => node.id).sort((a, b) => a - b);
  const column = new Map(ids.map((id) => [id, 0]));
  for (const _ of ids) {
    for (const { origin_id, target_id } of links) {
      column.set(target_id, Math.max(column.get(target_id), column.get(origin_id) + 1));
    }
  }
  for (const id of ids.filter((id) => links.every((link) => link.target_id !== id))) {
    const users = links.filter((link) => link.origin_id === id).map((link) => column.get(link.target_id));
    column.set(id, Math.max(0, Math.min(ids.length, ...users) - 1));
  }
  const count = 1 + Math.max(0, ...column.values());
  return Array.from({ length: count }, (_, i) => ids.filter((id) => column.get(id) === i));
}

// Sizes that classic nodes and Nodes 2.0 both take; a column makes room above for the links that pass it.
function arrange(columns) {
  const TITLE = 30, GAP_X = 40, GAP_Y = 60, LANE = 34, TEXT = [270, 120], RESULT = [380, 400], PICTURE = [270, 330], LEAST = 225;
  const links = [...app.graph.links.values()], place = new Map(columns.flatMap((ids, i) => ids.map((id) => [id, i])));
  const size = (node) => {
    if (links.every((link) => link.origin_id !== node.id)) return RESULT;
    if (node.type === "LoadImage") return PICTURE;
    const texts = node.widgets?.some((widget) => widget.type === "customtext");
    return texts ? [TEXT[0], Math.max(node.computeSize()[1], TEXT[1])] : [Math.max(node.size[0], LEAST), node.size[1]];
  };
  let x = 0;
  columns.forEach((ids, i) => {
    const passing = links.filter((link) => place.get(link.origin_id) < i && place.get(link.target_id) > i);
    let y = LANE * new Set(passing.map((link) => `${link.origin_id}/${link.origin_slot}`)).size, width = 0;
    for (const node of ids.map((id) => app.graph.getNodeById(id))) {
      node.setSize(size(node).map(Math.ceil));
      node.pos = [x, y];
      y += node.size[1] + TITLE + GAP_Y;
      width = Math.max(width, node.size[0]);
    }
    x += width + GAP_X;
  });
}

// A note below the first two columns, in their width if that is enough.
function write({ note, columns }) {
  const TITLE = 30, GAP = 40, WIDTH = [300, 420], LETTER = 6, LINE = 16;
  const third = columns[2] ? app.graph.getNodeById(columns[2][0]).pos[0] : 0;
  const width = Math.min(WIDTH[1], Math.max(WIDTH[0], third - GAP));
  const above = app.graph._nodes.filter((node) => node.pos[0] < width + GAP).map((node) => node.pos[1] + node.size[1]);
  const box = LiteGraph.createNode("MarkdownNote");
  app.graph.add(box);
  box.widgets[0].value = note;
  const lines = note.split("\n").map((line) => Math.max(1, Math.ceil(line.length * LETTER / width)));
  box.setSize([width, 60 + LINE * lines.reduce((sum, count) => sum + count, 0)]);
  box.pos = [0, Math.max(...above) + TITLE + GAP];
}

// What File > Export writes, without the zoom: opening it fits the view.
async function exported() {
  const { workflow, output } = await app.graphToPrompt();
  delete workflow.extra.ds;
  return { ui: workflow, api: output };
}

async function open({ name, ui }) {
  await app.loadGraphData(ui, true, true, name);
  return app.graph._nodes.map((node) => node.type).filter((type) => !(type in LiteGraph.registered_node_types));
}

// The rest drives the page.

async function make(page, graph) {
  await page.evaluate(load, graph);
  const order = await page.evaluate(columns);
  await page.evaluate(arrange, order);
  if (graph.note) await page.evaluate(write, { note: graph.note, columns: order });
  return page.evaluate(exported);
}

async function treat(page, graph, errors, screenshots) {
  const start = errors.length;
  const made = graph.api ? await make(page, graph) : {};
  const missing = await page.evaluate(open, { name: graph.name, ui: made.ui ?? graph.ui });
  const { api } = await page.evaluate(exported);
  if (screenshots) {
    await page.waitForTimeout(1500);
    await page.screenshot({ path: `${screenshots}/${graph.name}.png` });
  }
  return { name: graph.name, ui: made.ui, api: made.api ?? api, again: api, missing, errors: errors.slice(start) };
}

async function ready(page, url) {
  const settings = { "Comfy.TutorialCompleted": true, "Comfy.Minimap.Visible": false };  // nothing on top of the graph,
  settings["LiteGraph.Canvas.MinFontSizeForLOD"] = 0;                                    // and its texts at any zoom
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
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
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
    if (!page || graph.api) page = await fresh(browser, errors);
    answers.push(await treat(page, graph, errors, job.screenshots));
  }
  process.stdout.write(JSON.stringify(answers));
} finally {
  await browser.close();
}
