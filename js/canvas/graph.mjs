// What the graph around a node knows: prompts, the picture's size, and pictures that were made. Reads, never writes.

const linkOf = (graph, id) => graph.links.get?.(id) ?? graph.links[id];
const linked = (node, name) => node.inputs?.find((input) => (input.name === name || input.widget?.name === name) && input.link != null);

const MUTED = 2, BYPASSED = 4;
const runs = ({ mode }) => mode !== MUTED && mode !== BYPASSED;

const kinds = (type) => String(type || "*").toLowerCase().split(",");
const fits = (one, other) => [...kinds(one), ...kinds(other)].includes("*") || kinds(one).some((kind) => kinds(other).includes(kind));

// The input that a bypassed node hands on to an output, as the frontend chooses it for the server.
function handedOn({ inputs, outputs }, slot, type) {
  if (type === "*" || !type) return inputs[slot] ?? inputs[0];
  const fitting = (input) => input && fits(input.type, outputs[slot]?.type) && fits(input.type, type);
  return fitting(inputs[slot]) ? inputs[slot] : inputs.find((input) => input.type === type) ?? inputs.find(fitting);
}

// What runs for an output: the node, or one before it where it is bypassed or is a reroute; steps: how many may lie between.
function giverOf(node, slot, type, steps) {
  if (node.mode === MUTED || !steps) return null;
  if (node.mode === BYPASSED) return sourceOf(node, handedOn(node, slot, type), steps);
  if (!node.isVirtualNode) return node;
  const far = node.resolveVirtualOutput?.(slot), link = node.getInputLink?.(slot);
  if (far) return giverOf(far.node, far.slot, type, steps - 1);
  return link ? sourceOf(node, { link: link.id, type }, steps) : node.widgets?.length ? node : null;
}

function sourceOf(node, input, steps = 64) {
  if (input?.link == null) return null;
  const link = linkOf(node.graph, input.link), origin = link && node.graph.getNodeById(link.origin_id);
  return origin ? giverOf(origin, link.origin_slot, input.type, steps - 1) : undefined;
}

// The node whose output feeds an input when the graph runs; null: none, undefined: it comes from outside of a subgraph.
export const originOf = (node, name) => sourceOf(node, linked(node, name));

// A widget's value, or that of the first fitting widget of the node that is linked to it.
function valueOf(node, name, kind) {
  const origin = originOf(node, name), widgets = (origin === null ? node : origin)?.widgets;
  const given = widgets?.find((widget) => (origin === null ? widget.name === name : typeof widget.value === kind));
  return typeof given?.value === kind ? given.value : undefined;
}

function everyNode(graph, counts = () => true, seen = new Set()) {
  if (!graph || seen.has(graph)) return [];
  seen.add(graph);
  return (graph._nodes ?? graph.nodes ?? []).filter(counts).flatMap((node) => [node, ...everyNode(node.subgraph, counts, seen)]);
}

// Whether a conditioning goes to an input called negative, at once or through other nodes.
function negative(node, depth = 4) {
  const links = (node.outputs ?? []).filter(({ type }) => type === "CONDITIONING").flatMap((output) => output.links ?? []);
  return depth > 0 && links.some((id) => {
    const link = linkOf(node.graph, id), target = link && node.graph.getNodeById(link.target_id);
    const name = target?.inputs?.[link.target_slot]?.name;
    return name === "negative" || (target && name !== "positive" && negative(target, depth - 1));
  });
}

// [{title, text}] of every prompt that the graph encodes, negative ones last.
export function promptsOf(graph) {
  const found = [];
  for (const node of everyNode(graph, runs)) {
    if (!node.outputs?.some(({ type }) => type === "CONDITIONING")) continue;
    const names = (node.widgets ?? []).filter((widget) => typeof widget.value === "string" &&
      (widget.type === "customtext" || /text|prompt/i.test(widget.name))).map(({ name }) => name);
    const text = names.map((name) => valueOf(node, name, "string") ?? "").filter((part) => part.trim()).join("\n");
    if (text) found.push({ title: node.title || node.type, text, last: negative(node) });
  }
  return found.sort((a, b) => a.last - b.last).map(({ title, text }) => ({ title, text }));
}

function sized(node) {
  const width = valueOf(node, "width", "number"), height = valueOf(node, "height", "number");
  return width > 0 && height > 0 ? { width, height } : undefined;
}

// The size that a node's picture or latent has, as far as its widgets, pictures and what comes before it tell.
function sizeBefore(node, depth = 8) {
  const own = sized(node), image = node.imgs?.[0];
  if (own) return own;
  if (image?.naturalWidth) return { width: image.naturalWidth, height: image.naturalHeight };
  if (!depth) return undefined;
  for (const { name, type } of node.inputs ?? []) {
    const before = ["LATENT", "IMAGE", "MASK"].includes(type) && originOf(node, name), size = before && sizeBefore(before, depth - 1);
    if (size) return size;
  }
  return undefined;
}

// {width, height} in pixels of the picture that will be made; known(address): the size of a picture, if it is loaded.
export function sizeOf(node, inputPicture, known) {
  const image = originOf(node, "image"), latent = originOf(node, "latent");
  const found = (image && (known(inputPicture) ?? sizeBefore(image))) ?? (latent && sizeBefore(latent));
  return found ?? sized(node) ?? { width: 1024, height: 1024 };
}

const VIEWABLE = /\.(png|jpe?g|webp)$/i;

// Addresses, relative to the host's, of what a node showed.
const shown = (output, key = "images") => (output?.[key] ?? []).filter(({ filename }) => VIEWABLE.test(filename)).map((picture) =>
  `/view?${new URLSearchParams({ filename: picture.filename, subfolder: picture.subfolder ?? "", type: picture.type ?? "output" })}`);

// Where the frontend's outputs hold what a node showed: in a subgraph, the subgraph's id stands before the node's.
const keyOf = ({ graph, id }) => (graph.isRootGraph === false ? `${graph.id}:${id}` : String(id));

// The same for what ran as "10:5": node 5 of the subgraph that node 10 holds; undefined: it is not in this graph.
function keyOfRun(graph, run) {
  const path = String(run).split(":"), id = path.pop();
  const node = path.reduce((outer, step) => outer?.getNodeById(step)?.subgraph, graph)?.getNodeById(id);
  return node && keyOf(node);
}

// The image input's picture: a loader's file, what the node before it showed, or what this node was given in its last run.
export function inputPictureOf(node, outputs) {
  const given = originOf(node, "image");
  if (!given) return "";
  const file = /^LoadImage/.test(given.type ?? "") && valueOf(given, "image", "string");
  if (file) {
    const [, path, type = "input"] = file.match(/^(.*?)(?:\s*\[(\w+)\])?$/), cut = path.lastIndexOf("/");
    return `/view?${new URLSearchParams({ filename: path.slice(cut + 1), subfolder: path.slice(0, Math.max(0, cut)), type })}`;
  }
  return shown(outputs[keyOf(node)], "lm_picture")[0] ?? shown(outputs[keyOf(given)])[0] ?? "";
}

// The last result of this graph that has the picture's shape; latest: what ran, as "5" or "10:5", newest first.
export function lastResultOf(graph, outputs, latest, ratio, known) {
  const here = new Set(everyNode(graph).map(keyOf));
  const kept = Object.keys(outputs).reverse().filter((key) => here.has(key) || keyOfRun(graph, key));
  const keys = new Set([...latest.map((run) => keyOfRun(graph, run)), ...kept]);
  const all = [...keys].flatMap((key) => shown(outputs[key]).slice(0, 1));
  const saved = all.filter((address) => address.includes("type=output"));
  return [...saved, ...all].find((address) => {
    const size = known(address);
    return size && Math.abs(size.width / size.height / ratio - 1) < 0.02;
  }) ?? "";
}
