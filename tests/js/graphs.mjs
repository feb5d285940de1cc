// A graph as LiteGraph keeps it: wires are [from id, to id, name of the input, its type].
export function graphOf(nodes, wires, more = {}) {
  const graph = { _nodes: nodes, links: new Map(), getNodeById: (id) => nodes.find((node) => String(node.id) === String(id)), ...more };
  for (const node of nodes) Object.assign(node, { graph, inputs: [], outputs: [{ type: node.gives, links: [] }], widgets: node.widgets ?? [] });
  wires.forEach(([from, to, name, type], id) => {
    const target = graph.getNodeById(to);
    graph.links.set(id, { id, origin_id: from, origin_slot: 0, target_id: to, target_slot: target.inputs.length });
    target.inputs.push({ name, type, link: id });
    graph.getNodeById(from)?.outputs[0].links.push(id);
  });
  return graph;
}

// A node that the frontend alone knows, as a reroute.
export const virtual = (node) => ({ ...node, isVirtualNode: true, getInputLink(slot) {
  return this.graph.links.get(this.inputs[slot]?.link) ?? null;
} });
