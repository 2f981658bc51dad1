// What a cell computes over a sequence, from its description; explorers that need it are put behind this.
// The rules of the way back are no part of it: who may tell them hands them in.

const RULES = {
  sum: (a, b) => a.map((v, i) => v + b[i]),
  times: (a, b) => a.map((v, i) => v * b[i]),
  sigmoid: (a) => a.map((v) => 0.5 * (1 + Math.tanh(0.5 * v))),
  tanh: (a) => a.map(Math.tanh),
  one_minus: (a) => a.map((v) => 1 - v),
  copy: (a) => a,
  output: (a) => a,
};
const times = (A, v) => A.map((row) => row.reduce((sum, w, j) => sum + w * v[j], 0));
const plus = (a, b) => (Array.isArray(a) ? a.map((v, i) => plus(v, b[i])) : a + b);

// Every value of every position, and with the rules of the way back every gradient.
export function compute(graph, W, xs, start, arriving, rules) {
  const { nodes, carried } = graph;
  const passed = { values: [], grads: [], wires: [], contributions: [], dW: {}, dstart: {} };
  let state = start;
  for (const x of xs) {
    const values = { x_t: x, ...state };
    for (const node of nodes) {
      if (node.kind === "product") values[node.name] = times(W[node.weight], values[node.inputs[0]]);
      else if (node.kind !== "input") {
        values[node.name] = RULES[node.kind](...node.inputs.map((name) => values[name]));
        if (node.bias) values[node.name] = values[node.name].map((v, i) => v + W[node.bias][i][0]);
      }
    }
    state = Object.fromEntries(Object.entries(carried).map(([out, into]) => [into, values[out]]));
    passed.values.push(values);
  }
  if (!rules) return passed;
  let back = Object.fromEntries(Object.entries(carried).map(([out, into]) => [out, start[into].map(() => 0)]));
  for (let t = xs.length - 1; t >= 0; t -= 1) {
    const values = passed.values[t];
    const grads = Object.fromEntries(nodes.map((node) => [node.name, values[node.name].map(() => 0)]));
    for (const out in carried) grads[out] = arriving[t][out] ? plus(back[out], arriving[t][out]) : back[out];
    const wires = {};
    const contributions = {};
    for (const node of [...nodes].reverse()) {
      const d = grads[node.name];
      if (node.weight) contributions[node.weight] = rules.toWeight(d, values[node.inputs[0]]);
      if (node.bias) contributions[node.bias] = d.map((v) => [v]);
      for (const name of node.inputs) {
        wires[`${name}>${node.name}`] = rules[node.kind](d, node, name, values, W);
        grads[name] = plus(grads[name], wires[`${name}>${node.name}`]);
      }
    }
    back = Object.fromEntries(Object.entries(carried).map(([out, into]) => [out, grads[into]]));
    passed.grads.unshift(grads);
    passed.wires.unshift(wires);
    passed.contributions.unshift(contributions);
    for (const key in contributions)
      passed.dW[key] = passed.dW[key] ? plus(passed.dW[key], contributions[key]) : contributions[key];
  }
  for (const [out, into] of Object.entries(carried)) passed.dstart[into] = back[out];
  return passed;
}
