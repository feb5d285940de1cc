// Runs a Value Sweep in ComfyUI's frontend. Reads {url, chromium, modules, vue} from stdin, writes what the node shows.
import { readFileSync } from "node:fs";
import { launch, opened } from "./page.mjs";

const job = JSON.parse(readFileSync(0, "utf8")), errors = [];
const browser = await launch(job);
const page = await opened(browser, job, job.vue, errors);
await page.evaluate(async () => {
  await app.loadGraphData({ last_node_id: 0, last_link_id: 0, nodes: [], links: [], groups: [], config: {}, extra: {}, version: 0.4 });
  const [sweep, preview] = ["LM_ValueSweep", "PreviewAny"].map((type, i) => {
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    node.pos = [100 + 500 * i, 100];
    return node;
  });
  sweep.widgets.find(({ name }) => name === "prefix").value = "theta ";
  sweep.connect(1, preview, 0);
  await app.queuePrompt(0);
});
const box = page.locator(".lm-said").first();
await box.waitFor({ timeout: 60000 });
const saved = () => page.evaluate(async () => {
  const file = app.graph.serialize().nodes.find(({ type }) => type === "LM_ValueSweep").widgets_values;
  const sent = Object.values((await app.graphToPrompt()).output).find(({ class_type }) => class_type === "LM_ValueSweep");
  return { file, sent: Object.keys(sent.inputs) };
});
const first = await box.textContent(), seen = await box.boundingBox(), kept = await saved();
await page.evaluate(async () => {
  app.graph._nodes.find(({ type }) => type === "LM_ValueSweep").widgets.find(({ name }) => name === "count").value = 2;
  await app.queuePrompt(0);
});
await page.waitForFunction((before) => document.querySelector(".lm-said").textContent !== before, first, { timeout: 60000 });
const inside = await page.evaluate((vue) => {
  const node = app.graph._nodes.find(({ type }) => type === "LM_ValueSweep"), { scale, offset } = app.canvas.ds;
  const bottom = vue ? document.querySelector(`[data-node-id="${node.id}"]`).getBoundingClientRect().bottom
    : app.canvas.canvas.getBoundingClientRect().top + (node.pos[1] + node.size[1] + offset[1]) * scale;
  return document.querySelector(".lm-said").getBoundingClientRect().bottom <= bottom;
}, job.vue);
const second = await box.textContent(), boxes = await page.locator(".lm-said").count();
await browser.close();
process.stdout.write(JSON.stringify({ first, second, boxes, height: seen.height, inside, kept, errors }));
