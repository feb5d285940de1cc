// What the graph around a node knows: prompts, the picture's size, and pictures that were made. Reads, never writes.

const linkOf = (graph, id) => graph.links.get?.(id) ?? graph.links[id];
const linked = (node, name) => node.inputs?.find((input) => (input.name === name || input.widget?.name === name) && input.link != null);

// The node whose output feeds an input; undefined: nothing, or it comes from outside of a subgraph.
export function originOf(node, name) {
  const input = linked(node, name), link = input && linkOf(node.graph, input.link);
  return link ? node.graph.getNodeById(link.origin_id) : undefined;
}

// A widget's value, or that of the first fitting widget of the node that is linked to it.
function valueOf(node, name, kind) {
  const widget = node.widgets?.find((given) => given.name === name);
  const given = linked(node, name) ? originOf(node, name)?.widgets?.find(({ value }) => typeof value === kind) : widget;
  return typeof given?.value === kind ? given.value : undefined;
}

function everyNode(graph, seen = new Set()) {
  if (!graph || seen.has(graph)) return [];
  seen.add(graph);
  return (graph._nodes ?? graph.nodes ?? []).flatMap((node) => [node, ...everyNode(node.subgraph, seen)]);
}

// Whether a conditioning goes to an input called negative, at once or through other nodes.
function negative(node, depth = 4) {
  const links = (node.outputs ?? []).filter(({ type }) => type === "CONDITIONING").flatMap((output) => output.links ?? []);
  return depth > 0 && links.some((id) => {
    const link = linkOf(node.graph, id), target = link && node.graph.getNodeById(link.target_id);
    const name = target?.inputs?.[link.target_slot]?.name;
    return name === "negative" || (name && name !== "positive" && negative(target, depth - 1));
  });
}

// [{title, text}] of every prompt in the graph, negative ones last.
export function promptsOf(graph) {
  const found = [];
  for (const node of everyNode(graph)) {
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

// The image input's picture: a loader's file, what the node before it showed, or what this node was given in its last run.
export function inputPictureOf(node, outputs) {
  const before = originOf(node, "image");
  if (!before) return "";
  const file = /^LoadImage/.test(before.type ?? "") && valueOf(before, "image", "string");
  if (file) {
    const [, path, type = "input"] = file.match(/^(.*?)(?:\s*\[(\w+)\])?$/), cut = path.lastIndexOf("/");
    return `/view?${new URLSearchParams({ filename: path.slice(cut + 1), subfolder: path.slice(0, Math.max(0, cut)), type })}`;
  }
  return shown(outputs[node.id], "lm_picture")[0] ?? shown(outputs[before.id])[0] ?? "";
}

// The last result of this graph that has the picture's shape; latest: ids of nodes that ran, newest first.
export function lastResultOf(graph, outputs, latest, ratio, known) {
  const ids = [...new Set([...latest.map(String), ...Object.keys(outputs).reverse()])].filter((id) => graph.getNodeById(Number(id)));
  const all = ids.flatMap((id) => shown(outputs[id]).slice(0, 1));
  const saved = all.filter((address) => address.includes("type=output"));
  return [...saved, ...all].find((address) => {
    const size = known(address);
    return size && Math.abs(size.width / size.height / ratio - 1) < 0.02;
  }) ?? "";
}
