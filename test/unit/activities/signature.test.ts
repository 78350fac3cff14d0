import assert from 'node:assert/strict';
import { compareSignature, type Tensor } from '../../../src/activities/signature.js';

const tensor = (shape: readonly number[], datatype: Tensor['datatype'] = 'FP32', name = 'x'): Tensor => ({
  name,
  datatype,
  shape,
});
const schema = (width: number) => ({
  inputs: [{ name: 'x', datatype: 'FP32', width, nullable: false } as const],
  outputs: [{ name: 'score', datatype: 'FP32', width: 1 } as const],
});
const problems = (width: number, input: Tensor): readonly string[] =>
  compareSignature(schema(width), {
    inputs: [input],
    outputs: [tensor([-1, 1], 'FP32', 'score'), tensor([-1], 'INT64', 'label')],
  });

describe('a version against its manifest', () => {
  it('takes columns and rows of the width that the manifest says, and outputs it does not name', () => {
    for (const [width, shape] of [
      [1, [-1]],
      [1, [-1, 1]],
      [3, [-1, 3]],
      [3, [-1, -1]],
      [6, [-1, 2, 3]],
      [6, [-1, -1, 3]],
    ] as const) {
      assert.deepEqual(problems(width, tensor(shape)), [], `${width} for [${shape.join(', ')}]`);
    }
  });

  it('names what differs', () => {
    assert.match(problems(3, tensor([-1, 2])).join(), /shape \[-1, 2\] in the model, but width 3/);
    assert.match(problems(2, tensor([-1])).join(), /but width 2/);
    assert.match(problems(4, tensor([-1, -1, 3])).join(), /but width 4/);
    assert.match(
      problems(1, tensor([-1, 1], 'FP64')).join(),
      /x is FP64 in the model, but FP32 in the manifest/,
    );
    assert.match(problems(1, tensor([1, 1])).join(), /the first dimension must be free/);
    assert.match(problems(1, tensor([])).join(), /a scalar in the model/);
  });
});
