// A page with one Region Canvas in ComfyUI's frontend, and what the checks do with it.
import { createRequire } from "node:module";
import { frameOf } from "../../js/canvas/draw.mjs";

const FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync";
const SETTINGS = { "Comfy.TutorialCompleted": true, "Comfy.Minimap.Visible": false, "Comfy.Workflow.Persist": true };

export async function launch({ chromium: executablePath, modules }) {
  const { chromium } = createRequire(`${modules}/`)("playwright-core");
  return chromium.launch({ executablePath, headless: true, args: FLAGS.split(" ") });
}

export async function ready(page) {
  await page.waitForFunction(() => {
    const app = window.app;
    const ready = app?.extensionManager && app.vueAppReady && !app.extensionManager.spinner;
    return ready && app.canvas?.graph && "LM_RegionCanvas" in LiteGraph.registered_node_types;
  }, null, { timeout: 180000 });
}

export async function opened(browser, { url }, vue, errors) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.route((address) => address.origin !== url, (route) => route.abort());  // nothing but this host
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(String(error).split("\n")[0]));
  await page.request.post(`${url}/settings`, { data: { ...SETTINGS, "Comfy.VueNodes.Enabled": vue } });
  await page.goto(url);
  await ready(page);
  return page;
}

export const settled = (page) => page.waitForTimeout(250);

// A graph with a prompt, a latent of 768 x 512 and a canvas that is linked to it, seen at a zoom.
export async function scene(page, zoom = 1) {
  await page.evaluate(async () => {
    await app.loadGraphData({ last_node_id: 0, last_link_id: 0, nodes: [], links: [], groups: [], config: {}, extra: {}, version: 0.4 });
    const add = (type, pos) => {
      const node = LiteGraph.createNode(type);
      app.graph.add(node);
      node.pos = pos;
      return node;
    };
    add("CLIPTextEncode", [900, 0]).widgets[0].value = "a (red:1.2) dog, a blue cat";
    const latent = add("EmptyLatentImage", [900, 400]), canvas = add("LM_RegionCanvas", [0, 0]);
    [latent.widgets[0].value, latent.widgets[1].value] = [768, 512];
    latent.connect(0, canvas, "latent");
    app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState?.();
    app.extensionManager.workflow.activeWorkflow.changeTracker.checkState?.();
  });
  await look(page, zoom);
}

export async function look(page, zoom) {
  await page.evaluate((scale) => {
    app.canvas.ds.scale = scale;
    app.canvas.ds.offset = [70 / scale, (scale > 1 ? -40 : 100 / scale)];
    app.canvas.setDirty(true, true);
  }, zoom);
  await settled(page);
}

export const value = (page) => page.evaluate(() =>
  app.graph._nodes.find((node) => node.type === "LM_RegionCanvas").widgets.find(({ name }) => name === "drawing").value);

export const regions = async (page) => JSON.parse(await value(page)).regions;

export const sent = (page) => page.evaluate(async () =>
  Object.values((await app.graphToPrompt()).output).find(({ class_type }) => class_type === "LM_RegionCanvas").inputs.drawing);

export const part = (page, words) => page.locator(".lm-regions button", { hasText: words }).first();

// Screen place of a share of the picture, which is 3 : 2.
async function placeOf(page, [x, y]) {
  const canvas = page.locator(".lm-canvas").first(), outer = await canvas.boundingBox();
  const [width, height] = await canvas.evaluate((element) => [element.clientWidth, element.clientHeight]);
  const frame = frameOf(width, height, 1.5), zoom = outer.width / width;
  return [outer.x + (frame.x + x * frame.w) * zoom, outer.y + (frame.y + y * frame.h) * zoom];
}

export async function drag(page, ...points) {
  for (const [i, point] of points.entries()) {
    await page.mouse.move(...(await placeOf(page, point)), { steps: i ? 4 : 1 });
    if (!i) await page.mouse.down();
  }
  await page.mouse.up();
  await settled(page);
}

export const click = (page, point) => drag(page, point);

export async function press(page, ...keys) {
  for (const key of keys) {
    await page.keyboard.press(key);
    await settled(page);
  }
}

// A red picture of 256 x 128 among the host's inputs.
export async function upload(page, url, name) {
  const data = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 128 }), pen = canvas.getContext("2d");
    pen.fillStyle = "#d02020";
    pen.fillRect(0, 0, 256, 128);
    return canvas.toDataURL("image/png").split(",")[1];
  });
  const image = { name, mimeType: "image/png", buffer: Buffer.from(data, "base64") };
  await page.request.post(`${url}/upload/image`, { multipart: { overwrite: "true", image } });
}
