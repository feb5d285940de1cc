// Small parts of the page.

// An element: make("button", {class: "x", title: "y", onclick}, "text", child)
export function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true || value === false) element.toggleAttribute(key, value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// A button with a name for screen readers and a tip that says the same.
export const button = (text, tip, onclick, more = {}) =>
  make("button", { type: "button", title: tip, "aria-label": tip, onclick, ...more }, text);

// Another child list, but only if it differs: a click must not lose its button between press and release.
export function refill(parent, key, children) {
  if (parent.dataset.shown === key) return;
  parent.dataset.shown = key;
  parent.replaceChildren(...children());
}
