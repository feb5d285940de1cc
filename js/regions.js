// The region canvas as a widget of ComfyUI, in both of its renderers. What it draws and how is in canvas/.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { editor } from "./canvas/editor.mjs";
import { inputPictureOf, lastResultOf, promptsOf, sizeOf } from "./canvas/graph.mjs";

const KIND = "LM_REGION_CANVAS", HEIGHT = 540;
const classic = () => app.canvas && !LiteGraph.vueNodesMode;
const sizes = new Map();  // address of a picture -> {width, height}, or null while it loads
const latest = [];        // nodes that ran, newest first: "5", or "10:5" for node 5 of the subgraph in node 10
const open = new Set();   // canvases that are there

const tracker = () => app.extensionManager?.workflow?.activeWorkflow?.changeTracker;

function capture() {  // an undo step for what no click ended: typed words, keys
  const now = tracker();
  (now?.captureCanvasState ?? now?.checkState)?.call(now);
}

function known(address) {
  if (!address) return undefined;
  if (!sizes.has(address)) {
    const image = new Image();
    sizes.set(address, null);
    image.onload = () => {
      sizes.set(address, { width: image.naturalWidth, height: image.naturalHeight });
      open.forEach((part) => part.refresh());
    };
    image.src = api.apiURL(address);
  }
  return sizes.get(address) ?? undefined;
}

// What the editor may ask of ComfyUI.
function hostOf(node, changed) {
  const root = () => node.graph.rootGraph ?? node.graph, outputs = () => app.nodeOutputs ?? {};
  const size = () => sizeOf(node, node.graph ? inputPictureOf(node, outputs()) : "", known);
  const picture = () => {
    if (!node.graph) return "";
    const { width, height } = size();
    return inputPictureOf(node, outputs()) || lastResultOf(root(), outputs(), latest, width / height, known);
  };
  return {
    changed,
    size: () => (node.graph ? size() : { width: 1024, height: 1024 }),
    prompts: () => (node.graph ? promptsOf(root()) : []),
    picture: () => (picture() ? api.apiURL(picture()) : ""),
    undo: (again) => tracker()?.[again ? "redo" : "undo"]?.(),
  };
}

// The classic renderer hands neither wheel nor middle button on to the graph.
function passOn(root) {
  const scrolls = (target) => target.closest(".lm-words, .lm-list, textarea");
  root.addEventListener("wheel", (event) => {
    if (!classic() || scrolls(event.target)) return;
    event.preventDefault();
    app.canvas.processMouseWheel(event);
  }, { passive: false });
  root.addEventListener("pointerdown", (event) => classic() && event.button === 1 && app.canvas.processMouseDown(event));
  root.addEventListener("pointermove", (event) => classic() && event.buttons & 4 && app.canvas.processMouseMove(event));
  root.addEventListener("pointerup", (event) => classic() && event.button === 1 && app.canvas.processMouseUp(event));
}

// Nodes 2.0 may go on showing the element of a node that had this id before, as after an undo or in another workflow.
function showAgain(node, root, tries = 20) {
  const hidden = node.graph !== app.canvas?.graph;  // in a subgraph that is not on the screen
  if (root.isConnected || !LiteGraph.vueNodesMode || hidden || !tries) return;
  const stale = document.querySelector(`[data-node-id="${node.id}"] .lm-regions`);
  if (stale) stale.replaceWith(root);
  else setTimeout(() => showAgain(node, root, tries - 1), 50);
}

function chain(node, name, after) {
  const before = node[name];
  node[name] = function (...given) {
    const result = before?.apply(this, given);
    after();
    return result;
  };
}

function widgetOf(node, name, spec) {
  let widget;
  const part = editor(hostOf(node, () => {
    widget.callback?.(widget.value);
    node.graph?.setDirtyCanvas?.(true, true);
    setTimeout(capture);
  }));
  const refresh = () => setTimeout(part.refresh);
  widget = node.addDOMWidget(name, KIND, part.root, { getValue: part.get, setValue: part.set, getMinHeight: () => HEIGHT,
    hideOnZoom: false });
  part.set(spec[1]?.default);
  passOn(part.root);
  const show = () => setTimeout(() => showAgain(node, part.root), 50);
  chain(node, "onAdded", () => {
    open.add(part);
    show();
  });
  chain(node, "onRemoved", () => open.delete(part));
  chain(node, "onConnectionsChange", refresh);
  chain(node, "onWidgetChanged", refresh);
  chain(node, "onConfigure", () => {
    refresh();
    show();
  });
  return { widget, minWidth: 440, minHeight: HEIGHT + 40 };
}

api.addEventListener("executed", ({ detail }) => {
  latest.unshift(detail.display_node ?? detail.node);
  latest.splice(50);
  setTimeout(() => open.forEach((part) => part.refresh()), 100);
});

app.registerExtension({ name: "latent-manipulation.regions", getCustomWidgets: () => ({ [KIND]: widgetOf }) });
