// The one line below: what to do next, or what is wrong.
import { cellCount } from "./shapes.mjs";
import { HELP } from "./keys.mjs";
import { find } from "./words.mjs";

const CELLS = 4;
const LARGE = 256;  // pixels: models of smaller pictures have no layer as coarse as that
const HINTS = {
  box: "Drag on the picture to draw a box; Ctrl and drag draws over another one.",
  ellipse: "Drag on the picture to draw an ellipse; Ctrl and drag draws over another one.",
  lasso: "Drag around a part of the picture.",
  brush: "Paint on the chosen region; with none chosen, a new one.",
  eraser: "Erase from the chosen region.",
};

// [text, whether it warns]
export function advice({ regions, active, tool, fault }, size, prompts) {
  if (fault) return [`This drawing cannot be shown (${fault}). It is kept until you draw.`, true];
  const region = regions[active];
  if (!region) {
    const mute = regions.findIndex(({ phrase }) => !phrase.trim());
    return mute < 0 ? [HINTS[tool], false] : [`Region ${mute + 1} has no words yet: choose it and give it some.`, true];
  }
  if (!region.phrase.trim()) return ["Type its words, or pick them from those of the prompt.", true];
  if (prompts.length && !prompts.some(({ text }) => find(text, region.phrase))) {
    return [`"${region.phrase}" stands in no prompt here; pick its words above.`, true];
  }
  const cells = Math.min(size.width, size.height) < LARGE ? CELLS : cellCount(region, size, CELLS);
  if (cells < CELLS) {
    return [`Small: it covers ${cells} of the model's coarsest cells (64 pixels each); a thing needs about ${CELLS}. Make it larger.`,
      true];
  }
  return [["box", "ellipse"].includes(tool) ? HELP : HINTS[tool], false];
}
