/** Writes ONNX files: a small graph builder over the message types in onnx.proto. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** Element types with their numbers in the format. */
export const elementTypes = { FP32: 1, INT64: 7 } as const;
export type ElementType = keyof typeof elementTypes;

/** A fixed size, or the name of a free one. */
export type Dimension = number | string;

interface Node {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly op_type: string;
  readonly attribute: readonly object[];
  readonly domain: string;
}

const attributeTypes = { int: 2, ints: 7 } as const;
const mlDomain = 'ai.onnx.ml';

/** Collects the nodes, constants, inputs and outputs of one graph; `bytes` gives the file. */
export class OnnxGraph {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #constants: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Adds a node that gives `from` the name `name` and makes it an output. */
  output(name: string, from: string, type: ElementType, shape: readonly Dimension[]): void {
    this.node('Identity', [from], {}, name);
    this.#outputs.push(valueInfo(name, type, shape));
  }

  floats(values: Float32Array | readonly number[], dims: readonly number[]): string {
    const bytes = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, index) => {
      bytes.setFloat32(index * 4, value, true);
    });
    return this.#constant('FP32', bytes, dims);
  }

  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const bytes = new DataView(new ArrayBuffer(values.length * 8));
    values.forEach((value, index) => {
      bytes.setBigInt64(index * 8, BigInt(value), true);
    });
    return this.#constant('INT64', bytes, dims);
  }

  /** Adds an operator and returns the name of its output. LabelEncoder is taken from the ai.onnx.ml operators. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
    name = this.#fresh(operator),
  ): string {
    this.#nodes.push({
      input: inputs,
      output: [name],
      name: `make_${name}`,
      op_type: operator,
      attribute: Object.entries(attributes).map(([key, value]) =>
        typeof value === 'number'
          ? { name: key, i: value, type: attributeTypes.int }
          : { name: key, ints: value, type: attributeTypes.ints },
      ),
      domain: operator === 'LabelEncoder' ? mlDomain : '',
    });
    return name;
  }

  /** The ONNX file: IR version 8, operator sets ai.onnx 17 and ai.onnx.ml 3. */
  bytes(): Uint8Array {
    const type = messages().lookupType('onnx.ModelProto');
    const model = {
      ir_version: 8,
      producer_name: 'tenure-example',
      opset_import: [
        { domain: '', version: 17 },
        { domain: mlDomain, version: 3 },
      ],
      graph: {
        name: this.#name,
        node: this.#nodes,
        initializer: this.#constants,
        input: this.#inputs,
        output: this.#outputs,
      },
    };
    const fault = type.verify(model);
    if (fault !== null) throw new Error(`The ONNX graph is malformed: ${fault}`);
    return type.encode(type.fromObject(model)).finish();
  }

  #constant(type: ElementType, data: DataView, dims: readonly number[]): string {
    const name = this.#fresh('constant');
    const raw = new Uint8Array(data.buffer);
    this.#constants.push({ dims, data_type: elementTypes[type], name, raw_data: raw });
    return name;
  }

  #fresh(kind: string): string {
    this.#count += 1;
    return `${kind.toLowerCase()}_${this.#count}`;
  }
}

let loaded: protobuf.Root | undefined;

function messages(): protobuf.Root {
  const source = (): string => readFileSync(new URL('onnx.proto', import.meta.url), 'utf8');
  loaded ??= protobuf.parse(source(), { keepCase: true }).root;
  return loaded;
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: elementTypes[type], shape: { dim } } } };
}
