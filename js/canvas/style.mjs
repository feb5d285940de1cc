// The editor's looks, in the host's colours where it names them. Class names of our own: the host's differ by renderer.

const CSS = `
.lm-regions { position: relative; display: flex; flex-direction: column; gap: 5px; width: 100%; height: 100%; min-height: 540px;
  box-sizing: border-box; padding: 2px; font: 12px/1.3 system-ui, sans-serif; color: var(--input-text, #ddd);
  --lm-back: var(--comfy-input-bg, #222); --lm-line: var(--border-color, #4e4e4e); --lm-dim: var(--descrip-text, #999);
  --lm-mark: var(--p-primary-color, #4a9eff); pointer-events: auto; }
.lm-regions *, .lm-regions *::before { box-sizing: border-box; }
.lm-regions button, .lm-regions input, .lm-regions textarea { font: inherit; color: inherit; background: var(--lm-back);
  border: 1px solid var(--lm-line); border-radius: 4px; margin: 0; min-width: 0; }
.lm-regions button { height: 24px; padding: 0 7px; cursor: pointer; white-space: nowrap; }
.lm-regions button:hover:not(:disabled) { border-color: var(--lm-mark); }
.lm-regions button[aria-pressed="true"] { border-color: var(--lm-mark); box-shadow: inset 0 0 0 1px var(--lm-mark); }
.lm-regions :disabled { opacity: 0.45; cursor: default; }
.lm-regions :focus-visible { outline: 2px solid var(--lm-mark); outline-offset: 0; }
.lm-row { display: flex; gap: 4px; align-items: center; flex: 0 0 auto; }
.lm-regions [hidden] { display: none; }
.lm-space { flex: 1 1 0; }
.lm-canvas { flex: 1 1 0; min-height: 192px; width: 100%; touch-action: none; display: block; border-radius: 4px;
  background: rgba(0, 0, 0, 0.25); }
.lm-side { flex: 0 0 52px; align-items: stretch; }
.lm-side > :last-child { display: flex; flex-direction: column; gap: 4px; }
.lm-list { display: flex; flex-wrap: wrap; gap: 4px; flex: 1 1 0; height: 52px; align-content: flex-start; overflow: auto; color: var(--lm-dim); }
.lm-list button { max-width: 45%; overflow: hidden; text-overflow: ellipsis; border-left-width: 5px; }
.lm-phrase { flex: 1 1 0; height: 26px; padding: 0 6px; }
.lm-regions input[type="color"] { width: 30px; height: 26px; padding: 1px; flex: 0 0 auto; }
.lm-numbers { display: grid; grid-template-columns: repeat(4, auto); gap: 2px 6px; flex: 0 0 auto; }
.lm-numbers label { display: grid; grid-template-columns: 1fr 42px; align-items: center; gap: 0 3px; white-space: nowrap; color: var(--lm-dim); }
.lm-numbers input[type="number"] { height: 22px; padding: 0 2px 0 5px; color: var(--input-text, #ddd); }
.lm-numbers input[type="number"] { appearance: textfield; }
.lm-numbers input::-webkit-inner-spin-button { display: none; }
.lm-numbers input[type="range"], .lm-brush input { accent-color: var(--lm-mark); padding: 0; border: 0; }
.lm-numbers input[type="range"] { grid-column: 1 / -1; width: 100%; height: 14px; }
.lm-brush { display: flex; align-items: center; gap: 4px; color: var(--lm-dim); }
.lm-brush input { width: 64px; height: 14px; }
.lm-words { display: flex; flex-wrap: wrap; gap: 3px; align-content: flex-start; flex: 0 0 auto; height: 72px; overflow: auto; }
.lm-words button { height: 20px; padding: 0 5px; border-radius: 10px; }
.lm-words .lm-title { width: 100%; color: var(--lm-dim); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lm-words .lm-break { color: var(--lm-dim); }
.lm-say { flex: 0 0 auto; min-height: 32px; color: var(--lm-dim); }
.lm-say { padding-left: 7px; border-left: 3px solid transparent; }
.lm-say.lm-warn { color: inherit; border-color: #f0a020; }
.lm-table { position: absolute; inset: 0; display: flex; flex-direction: column; gap: 5px; padding: 8px; z-index: 2;
  background: var(--comfy-menu-bg, #353535); border: 1px solid var(--lm-line); border-radius: 6px; }
.lm-table textarea { flex: 1 1 0; resize: none; padding: 6px; font-family: ui-monospace, monospace; white-space: pre; }
`;

export function dress() {
  if (document.getElementById("lm-regions-style")) return;
  const style = document.createElement("style");
  style.id = "lm-regions-style";
  style.textContent = CSS;
  document.head.append(style);
}
