// Places each blueprint in a graph, by the node search, and exports what would be run.
// {url, chromium, modules, vue, screenshots, cases: [{name, api, values, into, from}]} -> {name: {widgets, api, errors}}
//   values: widget of the box -> value; into: input of the box -> [node, slot]; from: output of it -> [node, input]
import { readFileSync } from "node:fs";
import { launch, opened, settled } from "./page.mjs";

// Double click beside the graph, name, click on what is found; newer frontends hand it to the mouse, which puts it down.
async function search(page, name) {
  await page.evaluate(() => {
    [app.canvas.ds.scale, app.canvas.ds.offset] = [1, [3000, 3000]];
    app.canvas.setDirty(true, true);
  });
  await settled(page);
  await page.mouse.dblclick(500, 500);
  await settled(page);
  await page.keyboard.type(name);
  const result = page.getByText(name, { exact: true }).first();
  await result.waitFor();
  await settled(page);
  if (job.screenshots) await page.screenshot({ path: `${job.screenshots}/${name}-search.png` });
  await result.click();
  await page.waitForFunction((title) => app.graph._nodes.some((node) => node.title === title), name, { timeout: 10000 });
  await page.waitForTimeout(800);  // the search fades out
  const held = () => page.evaluate(() => app.graph._nodes.some(({ flags }) => flags.ghost));
  if (await held()) await page.mouse.click(520, 420);
  await settled(page);
  if (await held()) throw new Error(`${name} was not put down`);
}

function wire({ name, values, into, from }) {
  const box = app.graph._nodes.find((node) => node.title === name), at = (id) => app.graph.getNodeById(Number(id));
  for (const [input, [id, slot]] of Object.entries(into)) at(id).connect(slot, box, input);
  for (const [output, [id, input]] of Object.entries(from)) box.connect(output, at(id), input);
  for (const [key, value] of Object.entries(values)) box.widgets.find((widget) => widget.name === key).value = value;
  return { widgets: box.widgets.map((widget) => widget.name) };
}

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await launch(job);
try {
  const errors = [], found = {};
  const page = await opened(browser, job, job.vue, errors);
  for (const one of job.cases) {
    await page.evaluate(({ api }) => app.loadApiJson(api, "mine"), one);
    await search(page, one.name);
    const { widgets } = await page.evaluate(wire, one);
    found[one.name] = { widgets, api: await page.evaluate(async () => (await app.graphToPrompt()).output), errors: errors.splice(0) };
    if (job.screenshots) await page.screenshot({ path: `${job.screenshots}/${one.name}.png` });
  }
  process.stdout.write(JSON.stringify(found));
} finally {
  await browser.close();
}
