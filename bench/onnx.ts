/**
 * ONNX models of the workloads, written with protobufjs from the few messages of the ONNX format
 * (github.com/onnx/onnx, onnx.proto) that they need.
 *
 * Weights of the block are initializers, transposed to [in, out] beforehand: onnxruntime packs constants
 * when it loads a model, which is how it is used, and which no other peer is given.
 */
import { fill, type Input } from './fill.ts';
import { transpose } from './layout.ts';
import { peerPackage } from './peers/peer.ts';
import type { Kind, Workload } from './workloads.ts';

const schema = `
syntax = "proto2";
message Attribute { optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4;
  repeated int64 ints = 8; optional int32 type = 20; }
message ValueInfo { optional string name = 1; optional Type type = 2; }
message Type { optional Tensor tensor_type = 1;
  message Tensor { optional int32 elem_type = 1; optional Shape shape = 2; } }
message Shape { repeated Dimension dim = 1; message Dimension { optional int64 dim_value = 1; } }
message Node { repeated string input = 1; repeated string output = 2; optional string name = 3;
  optional string op_type = 4; repeated Attribute attribute = 5; }
message Data { repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8;
  optional bytes raw_data = 9; }
message Graph { repeated Node node = 1; optional string name = 2; repeated Data initializer = 5;
  repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
message Opset { optional string domain = 1; optional int64 version = 2; }
message Model { optional int64 ir_version = 1; optional Graph graph = 7; repeated Opset opset_import = 8; }
`;

type Message = { encode(v: object): { finish(): Uint8Array } };
type Protobuf = {
  parse(text: string, o: object): { root: { lookupType(n: string): Message } };
};

const FLOAT = 1;
const INT64 = 7;
const OPSET = 20;

type Attr = number | string | readonly number[] | { readonly f: number };

/** Nodes in order; every result gets a name. */
class Graph {
  readonly nodes: object[] = [];
  readonly data: object[] = [];
  #next = 0;

  op(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, Attr>> = {},
    outs = 1,
  ): string[] {
    const output = Array.from({ length: outs }, () => `v${this.#next++}`);
    const attribute = Object.entries(attrs).map(([name, a]) => attributeOf(name, a));
    this.nodes.push({ opType: type, name: `n${this.#next}`, input: inputs, output, attribute });
    return output;
  }

  one(type: string, inputs: readonly string[], attrs: Readonly<Record<string, Attr>> = {}): string {
    return this.op(type, inputs, attrs)[0]!;
  }

  constant(values: ArrayLike<number>, dims: readonly number[]): string {
    const name = `v${this.#next++}`;
    const raw = Float32Array.from(values);
    this.data.push({ name, dims, dataType: FLOAT, rawData: new Uint8Array(raw.buffer) });
    return name;
  }

  integers(values: readonly number[]): string {
    const name = `v${this.#next++}`;
    const raw = BigInt64Array.from(values.map(BigInt));
    this.data.push({
      name,
      dims: [values.length],
      dataType: INT64,
      rawData: new Uint8Array(raw.buffer),
    });
    return name;
  }
}

function attributeOf(name: string, a: Attr): object {
  if (typeof a === 'number') return { name, i: a, type: 2 };
  if (typeof a === 'string') return { name, s: new TextEncoder().encode(a), type: 3 };
  if ('f' in a) return { name, f: a.f, type: 1 };
  return { name, ints: a, type: 7 };
}

/** The name of the result, and its shape. */
type Built = { readonly result: string; readonly shape: readonly number[] };
type Build = (g: Graph, w: Workload) => Built;

const builders: Readonly<Partial<Record<Kind, Build>>> = {
  matmul: (g, w) => ({
    result: g.one('MatMul', ['a', 'b']),
    shape: [w.sizes['M']!, w.sizes['N']!],
  }),
  gelu: (g, w) => {
    const [x, a, b] = w.inputs as [Input, Input, Input];
    const y = g.one('Add', [g.one('Mul', ['x', g.constant([a.mid], [])]), g.constant([b.mid], [])]);
    return { result: g.one('Gelu', [y], { approximate: 'tanh' }), shape: x.shape };
  },
  softmax: (g, w) => ({ result: g.one('Softmax', ['x'], { axis: -1 }), shape: w.inputs[0]!.shape }),
  layerNorm: (g, w) => ({
    result: g.one('LayerNormalization', ['x', 'weight', 'bias'], {
      axis: -1,
      epsilon: { f: 1e-5 },
    }),
    shape: w.inputs[0]!.shape,
  }),
  block: (g, w) => ({ result: block(g, w), shape: w.inputs[0]!.shape }),
};

function block(g: Graph, w: Workload): string {
  const { B, T, A, E } = w.sizes as Record<'B' | 'T' | 'A' | 'E', number>;
  const D = A * E;
  const leaf = (name: string) => w.inputs.find((i) => i.name === `p.${name}`)!;
  const linear = (name: string, x: string): string => {
    const weight = leaf(`${name}.weight`);
    const [O, I] = weight.shape as [number, number];
    const product = g.one('MatMul', [x, g.constant(transpose(fill(weight), O, I), [I, O])]);
    return g.one('Add', [product, g.constant(fill(leaf(`${name}.bias`)), [O])]);
  };
  const ones = g.constant(new Float32Array(D).fill(1), [D]);
  const one = g.constant([1], []);
  const modulate = (x: string, shift: string, scale: string): string => {
    const n = g.one('LayerNormalization', [x, ones], { axis: -1, epsilon: { f: 1e-6 } });
    return g.one('Add', [g.one('Mul', [n, g.one('Add', [scale, one])]), shift]);
  };
  const silu = g.one('Mul', ['c', g.one('Sigmoid', ['c'])]);
  const m = g.one('Reshape', [linear('adaLN_modulation.1', silu), g.integers([B, 1, 6 * D])]);
  const s = g.op('Split', [m, g.integers(Array<number>(6).fill(D))], { axis: 2 }, 6);
  const qkv = linear('attn.qkv', modulate('x', s[0]!, s[1]!));
  const parts = g.op('Split', [qkv, g.integers([D, D, D])], { axis: 2 }, 3);
  const heads = (v: string, perm: readonly number[]): string =>
    g.one('Transpose', [g.one('Reshape', [v, g.integers([B, T, A, E])])], { perm });
  const q = g.one('Mul', [heads(parts[0]!, [0, 2, 1, 3]), g.constant([E ** -0.5], [])]);
  const scores = g.one('MatMul', [q, heads(parts[1]!, [0, 2, 3, 1])]);
  const weights = g.one('Softmax', [scores], { axis: -1 });
  const mixed = g.one('MatMul', [weights, heads(parts[2]!, [0, 2, 1, 3])]);
  const back = g.one('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  const attended = linear('attn.proj', g.one('Reshape', [back, g.integers([B, T, D])]));
  const h = g.one('Add', ['x', g.one('Mul', [s[2]!, attended])]);
  const hidden = g.one('Gelu', [linear('mlp.fc1', modulate(h, s[3]!, s[4]!))], {
    approximate: 'tanh',
  });
  return g.one('Add', [h, g.one('Mul', [s[5]!, linear('mlp.fc2', hidden)])]);
}

export type OnnxModel = {
  readonly bytes: Uint8Array;
  /** The inputs that are no constants. */
  readonly inputs: readonly Input[];
  readonly result: string;
};

/** Undefined: onnxruntime has no differentiation. */
export async function onnxModel(w: Workload): Promise<OnnxModel | undefined> {
  const build = builders[w.kind];
  if (!build) return undefined;
  const g = new Graph();
  const { result, shape } = build(g, w);
  const inputs = w.inputs.filter((i) => !i.name.startsWith('p.') && i.shape.length > 0);
  const info = (name: string, dims: readonly number[]): object => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((d) => ({ dimValue: d })) } } },
  });
  const graph = {
    node: g.nodes,
    name: w.kind,
    initializer: g.data,
    input: inputs.map((i) => info(i.name, i.shape)),
    output: [info(result, shape)],
  };
  const protobuf = (await peerPackage<{ default: Protobuf }>('protobufjs')).default;
  const { root } = protobuf.parse(schema, {});
  const model = { irVersion: 9, opsetImport: [{ version: OPSET }], graph };
  return { bytes: root.lookupType('Model').encode(model).finish(), inputs, result };
}
