// What a node said when it ran, shown in the node: the frontend does that for texts of its own nodes alone.
import { app } from "../../scripts/app.js";

const NODES = ["LM_ValueSweep", "LM_SaveGuidance"], NAME = "said", HEIGHT = 56;  // with the margins that the classic renderer takes off

function boxOf(node) {
  const box = document.createElement("div");
  box.className = "lm-said";
  box.style.cssText = "box-sizing:border-box;min-height:32px;overflow:auto;padding:4px 6px;font:12px sans-serif;user-select:text;" +
    "white-space:pre-wrap;overflow-wrap:anywhere;color:var(--input-text);background:var(--comfy-input-bg);border-radius:4px";
  const widget = node.addDOMWidget(NAME, "LM_SAID", box, { serialize: false, hideOnZoom: false,
    getMinHeight: () => HEIGHT, getValue: () => box.textContent, setValue: (text) => { box.textContent = text; } });
  widget.serialize = false;  // nothing of it is saved or sent
  return widget;
}

function show(node, texts) {
  if (!texts?.length) return;
  const widget = node.widgets?.find(({ name }) => name === NAME) ?? boxOf(node);
  widget.value = texts.join("\n");
}

app.registerExtension({
  name: "latent-manipulation.said",
  beforeRegisterNodeDef(type, { name }) {
    if (!NODES.includes(name)) return;
    const before = type.prototype.onExecuted;
    type.prototype.onExecuted = function (message, ...more) {
      before?.call(this, message, ...more);
      show(this, message?.text);
    };
  },
});
