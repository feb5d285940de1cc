// Draws regions over a picture. Plain DOM, which knows nothing of ComfyUI:
// host: {changed(), undo(redo), prompts(): [{title, text}], size(): {width, height}, picture(): address or ""}.
// Returns {root, get(), set(text), refresh()}; the text is the drawing, and changed() says that an action is finished.
import { advice } from "./advice.mjs";
import { make } from "./dom.mjs";
import { parse, serialise } from "./model.mjs";
import { panel } from "./panel.mjs";
import { dress } from "./style.mjs";
import { surface } from "./surface.mjs";
import { table } from "./table.mjs";
import { toolbar } from "./toolbar.mjs";

export function editor(host) {
  dress();
  const state = { regions: [], active: -1, tool: "box", brush: 0.1, fault: "", shown: true };
  const say = make("div", { class: "lm-say", role: "status", "aria-live": "polite" });
  let kept = serialise([]);
  const self = { state, set, commit, ratio, prompts: host.prompts, undo: host.undo };
  const picture = surface(self);
  self.focusPicture = picture.focus;
  const text = table(self), above = toolbar(self, text.open);
  const below = panel(Object.assign(self, { views: above.views }));
  self.focusWords = below.focusWords;
  const root = make("div", { class: "lm-regions" }, above.bar, picture.canvas, ...below.parts, say, text.part);
  root.addEventListener("pointerenter", refresh);
  root.addEventListener("focusin", (event) => root.contains(event.relatedTarget) || refresh());

  function ratio() {
    const { width, height } = host.size();
    return width / height;
  }
  function set(change) {
    Object.assign(state, change);
    if (change.regions) [kept, state.fault] = [serialise(state.regions), ""];
    show();
  }
  function commit(change) {
    set(change);
    host.changed();
  }
  function show() {
    above.show();
    below.show();
    const [words, warn] = advice(state, host.size(), host.prompts());
    say.textContent = words;
    say.classList.toggle("lm-warn", warn);
    picture.draw();
  }
  function refresh() {
    picture.lay(host.picture());
    show();
  }
  function take(value) {  // what cannot be read is kept as it is until something is drawn
    if (typeof value !== "string" || value === kept) return;
    kept = value;
    try {
      Object.assign(state, { regions: parse(value), fault: "" });
    } catch (error) {
      Object.assign(state, { regions: [], fault: error.message });
    }
    state.active = Math.min(state.active, state.regions.length - 1);
    show();
  }
  return { root, refresh, get: () => kept, set: take };
}
