// Draws in the Region Canvas as a user would. Reads {url, chromium, modules, vue} from stdin, writes what came out:
// {name of a check: its values}, which test_canvas.py compares with what is right.
import { readFileSync } from "node:fs";
import { click, drag, launch, look, opened, part, press, ready, regions, scene, sent, settled, upload, value } from "./page.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const errors = [], found = {};
const shapes = async (page) => (await regions(page)).map(({ box, ellipse, polygon, strokes }) => box ?? ellipse ?? polygon ?? strokes);
const count = async (page) => (await regions(page)).length;
const nodes = (page) => page.evaluate(() => app.graph._nodes.length);

const checks = {
  async zooms(page) {
    const drawn = [];
    for (const zoom of [0.5, 1, 2]) {
      await scene(page, zoom);
      await drag(page, [0.1, 0.2], [0.4, 0.6]);
      await drag(page, [0.7, 0.5], [1.2, 0.8]);  // leaves the picture: clipped
      drawn.push(await shapes(page));
    }
    return drawn;
  },
  async words(page) {
    await scene(page);
    await drag(page, [0.1, 0.1], [0.4, 0.6]);
    await part(page, /^red$/).click();
    await part(page, /^dog$/).click();
    await drag(page, [0.6, 0.1], [0.9, 0.6]);
    await page.keyboard.type("my own words");
    await page.keyboard.press("Enter");
    await settled(page);
    const said = (await regions(page)).map(({ phrase }) => phrase), told = await page.locator(".lm-say").first().textContent();
    return { said, told, same: (await sent(page)) === (await value(page)),
      saved: await page.evaluate(() => app.graph.serialize().nodes.find(({ type }) => type === "LM_RegionCanvas").widgets_values) };
  },
  async undo(page) {
    await scene(page);
    const counts = [];
    for (const x of [0.05, 0.35, 0.65]) await drag(page, [x, 0.1], [x + 0.25, 0.6]);
    for (const key of [...Array(3).fill("Control+z"), ...Array(3).fill("Control+y")]) {
      counts.push(await count(page));
      await press(page, key);
    }
    counts.push(await count(page));
    await press(page, "Control+z");
    await page.waitForTimeout(1200);  // older frontends show the new element only after a while
    await drag(page, [0.65, 0.7], [0.9, 0.95]);
    return [...counts, await count(page), (await shapes(page))[2]];
  },
  async keys(page) {
    await scene(page);
    await page.locator(".lm-canvas").first().focus();
    await press(page, "n");
    await page.locator(".lm-canvas").first().focus();
    await press(page, "ArrowLeft", "Shift+ArrowRight", "Control+d");
    const drawn = await shapes(page), before = await nodes(page);
    await press(page, "Delete", "Control+z", "Control+z", "Control+z");
    return { drawn, removed: before - (await nodes(page)), undone: await shapes(page) };
  },
  async edit(page) {
    await scene(page);
    await drag(page, [0.2, 0.2], [0.5, 0.5]);
    await drag(page, [0.5, 0.5], [0.8, 0.9]);  // its corner
    await drag(page, [0.3, 0.3], [0.2, 0.2]);  // moved
    await click(page, [0.95, 0.95]);
    const none = await page.locator(".lm-phrase").first().isDisabled();
    await part(page, /^Lasso$/).click();
    await drag(page, [0.8, 0.1], [0.95, 0.1], [0.95, 0.4], [0.8, 0.4]);
    await part(page, /^\+$/).click();
    await part(page, /^Brush$/).click();
    await drag(page, [0.8, 0.95], [0.95, 0.95]);
    await part(page, /^Eraser$/).click();
    await drag(page, [0.9, 0.95], [0.95, 0.95]);
    return { none, drawn: await shapes(page) };
  },
  async text(page) {
    await scene(page);
    await part(page, /^Text$/).click();
    await page.locator(".lm-table textarea").fill("red dog | 0.7 | 0.1 | #112233 | 0.1 0.2 0.3 0.4\nsky");
    await part(page, /^Apply$/).click();
    await settled(page);
    return regions(page);
  },
  async pasted(page) {
    await scene(page);
    await drag(page, [0.1, 0.1], [0.4, 0.6]);
    await page.evaluate(async () => {
      const node = app.graph._nodes.find(({ type }) => type === "LM_RegionCanvas");
      app.canvas.copyToClipboard([node]);
      app.canvas.graph_mouse = [1400, 0];
      await app.canvas.pasteFromClipboard();
    });
    await settled(page);
    await drag(page, [0.5, 0.1], [0.9, 0.6]);
    return page.evaluate(() => app.graph._nodes.filter(({ type }) => type === "LM_RegionCanvas")
      .map((node) => JSON.parse(node.widgets[0].value).regions.length));
  },
  async saved(page) {
    await scene(page);
    await drag(page, [0.1, 0.1], [0.4, 0.6]);
    const before = await value(page);
    await page.evaluate(() => app.loadGraphData(JSON.parse(JSON.stringify(app.graph.serialize()))));
    const loaded = await value(page);
    await settled(page);
    await page.waitForTimeout(1500);  // the draft is written a while after the last change
    await page.reload();
    await ready(page);
    await settled(page);
    const again = await value(page);
    await look(page, 1);
    await drag(page, [0.5, 0.1], [0.9, 0.6]);
    return { loaded: loaded === before, reloaded: again === before, after: await count(page) };
  },
  async tabs(page) {
    await scene(page);
    await drag(page, [0.1, 0.1], [0.4, 0.6]);
    const before = await value(page), tab = page.locator(".workflow-tabs .p-togglebutton, .workflow-tab").last();
    const name = (await tab.textContent()).trim();
    await page.evaluate(() => app.extensionManager.command.execute("Comfy.NewBlankWorkflow"));
    await page.waitForTimeout(600);
    const away = await nodes(page);
    await page.getByText(name, { exact: true }).first().click();
    await page.waitForTimeout(1000);
    return { away, back: (await value(page)) === before };
  },
  async renderer(page) {
    await scene(page);
    await drag(page, [0.1, 0.1], [0.3, 0.6]);
    const turn = async (vue) => {
      await page.evaluate((on) => app.extensionManager.setting.set("Comfy.VueNodes.Enabled", on), vue);
      await page.waitForTimeout(1000);
    };
    await turn(!job.vue);
    await drag(page, [0.4, 0.1], [0.6, 0.6]);
    await turn(job.vue);
    await drag(page, [0.7, 0.1], [0.9, 0.6]);
    return shapes(page);
  },
  async subgraph(page) {
    await scene(page);
    await drag(page, [0.1, 0.1], [0.4, 0.6]);
    const before = await value(page);
    await page.evaluate(() => app.graph.convertToSubgraph(new Set(app.graph._nodes.filter(({ type }) => type === "LM_RegionCanvas"))));
    const inside = await sent(page);
    await page.evaluate(() => app.loadGraphData(JSON.parse(JSON.stringify(app.graph.serialize()))));
    return { inside: inside === before, loaded: (await sent(page)) === before };
  },
  async picture(page) {
    await upload(page, job.url, "lm-red.png");
    await page.evaluate(() => app.extensionManager.command.execute("Comfy.RefreshNodeDefinitions"));
    await scene(page);
    await page.evaluate(() => {
      const loader = LiteGraph.createNode("LoadImage"), node = app.graph._nodes.find(({ type }) => type === "LM_RegionCanvas");
      app.graph.add(loader);
      loader.pos = [900, 600];
      loader.widgets[0].value = "lm-red.png";
      loader.connect(0, node, "image");
    });
    const seen = () => page.locator(".lm-canvas").first().evaluate((canvas) => {
      const { width, height } = canvas, pen = canvas.getContext("2d");
      const isRed = (x, y) => { const [r, g, b] = pen.getImageData(x, y, 1, 1).data; return r > 150 && g < 120 && b < 120; };
      const across = Array.from({ length: width }, (_, x) => isRed(x, height / 2)).filter(Boolean).length;
      const down = Array.from({ length: height }, (_, y) => isRed(width / 2, y)).filter(Boolean).length;
      return { red: isRed(width / 2, height / 2), ratio: across / down };
    });
    for (let i = 0; i < 20 && !(await seen()).red; i++) await settled(page);  // until it is loaded
    return seen();
  },
  async navigate(page) {
    await scene(page);
    const view = () => page.evaluate(() => [app.canvas.ds.scale, ...app.canvas.ds.offset]);
    const outer = await page.locator(".lm-canvas").first().boundingBox(), [x, y] = [outer.x + 100, outer.y + 100];
    await page.mouse.move(x, y);
    const [, left, top] = await view();
    await page.mouse.down({ button: "middle" });
    await page.mouse.move(x + 40, y + 30, { steps: 4 });
    await page.mouse.up({ button: "middle" });
    await settled(page);
    const [, newLeft, newTop] = await view();
    await page.mouse.wheel(0, -100);
    await settled(page);
    return { pan: [newLeft - left, newTop - top], zoom: (await view())[0], drawn: await count(page) };
  },
};

const browser = await launch(job);
try {
  const page = await opened(browser, job, job.vue, errors);
  for (const [name, check] of Object.entries(checks)) {
    if (job.only && !job.only.includes(name)) continue;
    try {
      found[name] = await check(page);
    } catch (error) {
      found[name] = { failed: String(error).split("\n").slice(0, 4).join(" ") };
    }
  }
  process.stdout.write(JSON.stringify({ ...found, errors }));
} finally {
  await browser.close();
}
