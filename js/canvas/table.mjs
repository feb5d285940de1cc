// Regions as text over the editor: to copy, to paste, to change by hand.
import { button, make } from "./dom.mjs";
import { fromText, toText } from "./text.mjs";

// editor: {state, commit(state)}. Returns {part, open()}.
export function table(editor) {
  const field = make("textarea", { "aria-label": "Regions as text", spellcheck: "false", wrap: "off",
    placeholder: "red dog | 0.5 | 0 | #e03030 | 0.1 0.2 0.4 0.5", onkeydown: (event) => event.key === "Escape" && close() });
  const say = make("div", { class: "lm-say", role: "status" });
  const part = make("div", { class: "lm-table", role: "dialog", "aria-label": "Regions as text", hidden: true },
    make("div", {}, "A line per region: words | strength | push away | #colour | x y width height (0 to 1)."), field, say,
    make("div", { class: "lm-row" }, button("Apply", "Make these the regions", apply), button("Copy", "Copy this text", copy),
      make("span", { class: "lm-space" }), button("Close", "Leave the regions as they are", close)));

  function open() {
    field.value = toText(editor.state.regions);
    tell("Copy this, or paste other lines here and press Apply. Brush strokes are kept, but not written.");
    part.hidden = false;
    field.focus({ preventScroll: true });
    field.select();
  }
  function close() {
    part.hidden = true;
    editor.focusPicture();
  }
  function apply() {
    try {
      const regions = fromText(field.value, editor.state.regions);
      editor.commit({ regions, active: Math.min(0, regions.length - 1) });
      close();
    } catch (error) {
      tell(`${error.message}.`, true);
    }
  }
  async function copy() {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);  // absent where the page is not secure
    } catch {
      document.execCommand("copy");
    }
    tell("Copied.");
  }
  function tell(text, warn = false) {
    say.textContent = text;
    say.classList.toggle("lm-warn", warn);
  }
  return { part, open };
}
