// Makes one box, a subgraph, of all nodes of the open graph. These run in the page.

// inputs: name -> ["node.input", ...], widgets among them shown on the box; outputs: name -> "node.slot number".
export function box({ title, width, inputs, outputs }) {
  const { subgraph, node } = app.graph.convertToSubgraph(new Set(app.graph._nodes));
  subgraph.name = node.title = title;
  for (const input of [...subgraph.inputs]) subgraph.removeInput(input);  // what the frontend offers by itself
  for (const output of [...subgraph.outputs]) subgraph.removeOutput(output);
  const find = (address) => {
    const [id, name] = address.split(".");
    return [subgraph.getNodeById(id) ?? subgraph.getNodeById(Number(id)), name];
  };
  for (const [name, targets] of Object.entries(inputs)) {
    for (const [inner, key] of targets.map(find)) {
      const slot = inner.inputs.find((input) => input.name === key);
      const outer = subgraph.inputs.find((input) => input.name === name) ?? subgraph.addInput(name, slot.type);
      outer.connect(slot, inner);
    }
  }
  for (const [name, source] of Object.entries(outputs)) {
    const [inner, slot] = find(source);
    subgraph.addOutput(name, inner.outputs[slot].type).connect(inner.outputs[slot], inner);
  }
  node.setSize([width, node.computeSize([width, 0])[1]].map(Math.ceil));
  node.pos = [0, 0];
}

// What the frontend's Publish writes of the one box that is there. File > Export would leave out the inputs of widgets
// without links, which older frontends then number wrongly in a blueprint.
export function published() {
  const [node] = app.graph._nodes, { nodes, subgraphs } = app.canvas._serializeItems([node]);
  return { revision: 0, last_node_id: nodes[0].id, last_link_id: 0, nodes, links: [], version: 0.4, definitions: { subgraphs } };
}
