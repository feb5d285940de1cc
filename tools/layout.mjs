// Lays out a graph in ComfyUI's frontend. These functions run in the page, each on its own: none uses another.

export async function load({ name, api }) {
  await app.loadApiJson(api, name);
  for (const node of app.graph._nodes) {
    for (const widget of node.widgets ?? []) if (widget.name === "control_after_generate") widget.value = "fixed";
  }
}

// Ids of some nodes by column: as far left as the links allow; what starts a branch stands beside its user; by id within
// a column.
export function columns(some) {
  const ids = some ?? app.graph._nodes.map((node) => node.id).sort((a, b) => a - b);
  const links = [...app.graph.links.values()].filter((link) => [link.origin_id, link.target_id].every((id) => ids.includes(id)));
  const column = new Map(ids.map((id) => [id, 0]));
  for (const _ of ids) {
    for (const { origin_id, target_id } of links) {
      column.set(target_id, Math.max(column.get(target_id), column.get(origin_id) + 1));
    }
  }
  for (const id of ids.filter((id) => links.every((link) => link.target_id !== id))) {
    const users = links.filter((link) => link.origin_id === id).map((link) => column.get(link.target_id));
    column.set(id, Math.max(0, Math.min(ids.length, ...users) - 1));
  }
  const count = 1 + Math.max(0, ...column.values());
  return Array.from({ length: count }, (_, i) => ids.filter((id) => column.get(id) === i));
}

// Sizes that classic nodes and Nodes 2.0 both take; a column makes room above for the links that pass it.
export function arrange(columns) {
  const TITLE = 30, GAP_X = 40, GAP_Y = 60, LANE = 34, TEXT = [270, 120], RESULT = [380, 400], PICTURE = [270, 330], LEAST = 225;
  const links = [...app.graph.links.values()], place = new Map(columns.flatMap((ids, i) => ids.map((id) => [id, i])));
  const size = (node) => {
    if (links.every((link) => link.origin_id !== node.id)) return RESULT;
    if (node.type === "LoadImage") return PICTURE;
    const texts = node.widgets?.some((widget) => widget.type === "customtext");
    return texts ? [TEXT[0], Math.max(node.computeSize()[1], TEXT[1])] : [Math.max(node.size[0], LEAST), node.size[1]];
  };
  let x = 0;
  columns.forEach((ids, i) => {
    const passing = links.filter((link) => place.get(link.origin_id) < i && place.get(link.target_id) > i);
    let y = LANE * new Set(passing.map((link) => `${link.origin_id}/${link.origin_slot}`)).size, width = 0;
    for (const node of ids.map((id) => app.graph.getNodeById(id))) {
      node.setSize(size(node).map(Math.ceil));
      node.pos = [x, y];
      y += node.size[1] + TITLE + GAP_Y;
      width = Math.max(width, node.size[0]);
    }
    x += width + GAP_X;
  });
}

// Some nodes in columns [[width, ...ids]], all others far to the left.
export function line_up(columns) {
  const TITLE = 30, GAP = [40, 20], FAR = 4000;
  for (const node of app.graph._nodes) node.pos = [node.pos[0] - FAR, node.pos[1]];
  let x = 0;
  for (const [width, ...ids] of columns) {
    let y = 0;
    for (const node of ids.map((id) => app.graph.getNodeById(id))) {
      node.setSize([width, node.computeSize([width, 0])[1]]);
      node.pos = [x, y];
      y += node.size[1] + TITLE + GAP[1];
    }
    x += width + GAP[0];
  }
}

// A subgraph of the nodes `ids`, which becomes the next node; with a title.
export function fold({ ids, title }) {
  const { subgraph, node } = app.graph.convertToSubgraph(new Set(ids.map((id) => app.graph.getNodeById(id))));
  subgraph.name = node.title = title;
  return node.id;
}

// Titled, coloured groups side by side: [{title, width, nodes: ids from top to bottom, heights: id -> pixels}]
// The note stands where its id, "note", is. titles: id -> its node's; labels: id of a subgraph -> input -> what it says.
export function group({ groups, titles = {}, labels = {}, note }) {
  const TITLE = 30, HEAD = 44, PAD = 10, GAP = 30, GAP_Y = 26, FOOT = 30;  // Nodes 2.0 write below what they come from
  const COLOURS = { "Read me": "#b58b2a", "Change this": "#8A8", Machinery: "#88A", Result: "#3f789e" }, OTHER = "#A88";
  const box = LiteGraph.createNode("MarkdownNote");
  app.graph.add(box);
  box.widgets[0].value = note;
  for (const node of app.graph._nodes.filter((node) => node.type.startsWith("LM_"))) {
    node.title = node.title.replace(/ \(.*\)$/, "");  // the wish alone: the technique would make the node wider
  }
  for (const [id, title] of Object.entries(titles)) app.graph.getNodeById(id).title = title;
  for (const node of app.graph._nodes.filter((node) => node.subgraph)) {
    node.inputs.filter((input) => input.link == null).forEach((input) =>  // what the frontend offers of the inner widgets
      node.subgraph.removeInput(node.subgraph.inputs.find(({ name }) => name === input.name)));
    for (const input of node.subgraph.inputs) {
      const label = labels[node.id]?.[input.name];
      if (label) node.subgraph.renameInput(input, label);
    }
  }
  let x = 0;
  for (const { title, width, nodes, heights = {} } of groups) {
    let y = HEAD;
    for (const id of nodes) {
      const node = id === "note" ? box : app.graph.getNodeById(id);
      const foot = node.subgraph || node.type.startsWith("LM_") ? FOOT : 0;
      node.setSize([width, heights[id] ?? node.computeSize([width, 0])[1] + foot].map(Math.ceil));
      node.pos = [x + PAD, y + TITLE];
      y += TITLE + node.size[1] + GAP_Y;
    }
    const frame = new LiteGraph.LGraphGroup(title);
    frame.color = COLOURS[title] ?? OTHER;
    frame.pos = [x, 0];
    frame.size = [width + 2 * PAD, y - GAP_Y + PAD];
    app.graph.add(frame);
    x += width + 2 * PAD + GAP;
  }
}

// A note below the first two columns, in their width if that is enough.
export function write({ note, columns }) {
  const TITLE = 30, GAP = 40, WIDTH = [300, 420], LETTER = 6, LINE = 16;
  const third = columns[2] ? app.graph.getNodeById(columns[2][0]).pos[0] : 0;
  const width = Math.min(WIDTH[1], Math.max(WIDTH[0], third - GAP));
  const above = app.graph._nodes.filter((node) => node.pos[0] < width + GAP).map((node) => node.pos[1] + node.size[1]);
  const box = LiteGraph.createNode("MarkdownNote");
  app.graph.add(box);
  box.widgets[0].value = note;
  const lines = note.split("\n").map((line) => Math.max(1, Math.ceil(line.length * LETTER / width)));
  box.setSize([width, 60 + LINE * lines.reduce((sum, count) => sum + count, 0)]);
  box.pos = [0, Math.max(...above) + TITLE + GAP];
}
