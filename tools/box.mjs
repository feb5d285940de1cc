// Makes one box, a subgraph, of all nodes of the open graph. Runs in the page.

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
