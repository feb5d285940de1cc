// Above the picture: tools and the brush's size. Beside the list: what is shown.
import { button, make } from "./dom.mjs";
import { TOOLS } from "./gestures.mjs";

const NAMES = { box: "Box", ellipse: "Ellipse", lasso: "Lasso", brush: "Brush", eraser: "Eraser" };

// editor: {state, set(change)}. Returns {bar, views: buttons for elsewhere, show()}.
export function toolbar(editor, openText) {
  const { state } = editor;
  const tools = TOOLS.map((tool) => button(NAMES[tool], `${NAMES[tool]} tool`, () => editor.set({ tool })));
  const size = make("input", { type: "range", min: 0.01, max: 0.5, step: 0.01, "aria-label": "Brush size",
    oninput: () => editor.set({ brush: Number(size.value) }) });
  const brush = make("label", { class: "lm-brush", title: "Size of brush and eraser" }, "Size", size);
  const picture = button("Picture", "Show the picture under the regions", () => editor.set({ shown: !state.shown }));
  const bar = make("div", { class: "lm-row", role: "toolbar", "aria-label": "Drawing" }, ...tools, brush);
  function show() {
    tools.forEach((part, i) => part.setAttribute("aria-pressed", String(TOOLS[i] === state.tool)));
    picture.setAttribute("aria-pressed", String(state.shown));
    brush.hidden = !["brush", "eraser"].includes(state.tool);
    size.value = state.brush;
  }
  return { bar, views: [picture, button("Text", "Copy or paste the regions as text", openText)], show };
}
