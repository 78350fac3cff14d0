/** The two ways to P(D <= d) of the Kolmogorov-Smirnov distance that kolmogorov.ts chooses from. */

/** A square matrix by rows, times 10^exponent. */
interface Scaled {
  readonly values: Float64Array;
  readonly exponent: number;
}

/** Up to so many values a row of the power is made step by step, without a number that leaves the range of doubles. */
const BY_ROW = 140;

/**
 * J. Durbin's matrix (1973), of whose n-th power one element is wanted. Exact. Of many values the power is made by squaring, as by
 * G. Marsaglia, W. W. Tsang and J. Wang, "Evaluating Kolmogorov's distribution", J. Stat. Softw. 8 (2003) 18, in a time that grows with
 * (n d)^3 ln n; of few only the element's row, as by L. Carvalho, "An improved evaluation of Kolmogorov's distribution", J. Stat. Softw. 65
 * (2015) 3, in one that grows with (n d)^2 n.
 */
export function durbin(n: number, d: number): number {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const matrix = durbinMatrix(size, k - n * d);
  return n <= BY_ROW ? byRow(matrix, size, n) : bySquaring(matrix, size, n);
}

/**
 * The matrix is the same when mirrored at its other diagonal, so the middle row of a power read backwards is its middle column: two
 * powers of half the height are enough. n! / n^n is spread over the steps; what is left of it is a binomial coefficient.
 */
function byRow(matrix: Float64Array, size: number, n: number): number {
  const middle = (size - 1) / 2;
  const half = Math.floor(n / 2);
  let row = new Float64Array(size);
  let next = new Float64Array(size);
  row[middle] = 1;
  const step = (count: number): void => {
    next.fill(0);
    for (let i = 0; i < size; i += 1) {
      const factor = ((row[i] as number) * count) / n;
      if (factor === 0) continue;
      // What lies right of the diagonal's neighbour is 0.
      const last = Math.min(i + 1, size - 1);
      for (let j = 0; j <= last; j += 1)
        next[j] = (next[j] as number) + factor * (matrix[i * size + j] as number);
    }
    [row, next] = [next, row];
  };
  for (let count = 1; count <= half; count += 1) step(count);
  const other = row.slice();
  if (n > 2 * half) step(half + 1);
  let sum = 0;
  for (let i = 0; i < size; i += 1) sum += (row[i] as number) * (other[size - 1 - i] as number);
  for (let i = 1; i <= half; i += 1) sum *= (n - half + i) / i;
  return sum;
}

function bySquaring(matrix: Float64Array, size: number, n: number): number {
  const middle = (size - 1) / 2;
  const power = matrixPower({ values: matrix, exponent: 0 }, size, n);
  let value = power.values[middle * size + middle] ?? 0;
  let exponent = power.exponent;
  for (let i = 1; i <= n; i += 1) {
    value *= i / n;
    if (value < 1e-140) {
      value *= 1e140;
      exponent -= 140;
    }
  }
  return value * 10 ** exponent;
}

function durbinMatrix(size: number, h: number): Float64Array {
  const values = new Float64Array(size * size);
  const factorials = [1];
  const powers = [1];
  for (let i = 1; i <= size; i += 1) {
    factorials.push((factorials[i - 1] as number) * i);
    powers.push((powers[i - 1] as number) * h);
  }
  for (let i = 0; i < size; i += 1) {
    const last = Math.min(i + 1, size - 1);
    for (let j = 0; j <= last; j += 1) values[i * size + j] = 1 / (factorials[i - j + 1] as number);
  }
  // Only the first column and the last row, which mirror each other, know h.
  for (let i = 0; i < size - 1; i += 1) {
    const value = (1 - (powers[i + 1] as number)) / (factorials[i + 1] as number);
    values[i * size] = value;
    values[(size - 1) * size + size - 1 - i] = value;
  }
  const corner = 1 - 2 * (powers[size] as number) + (2 * h > 1 ? (2 * h - 1) ** size : 0);
  values[(size - 1) * size] = corner / (factorials[size] as number);
  return values;
}

function matrixPower(base: Scaled, size: number, power: number): Scaled {
  if (power === 1) return base;
  const half = matrixPower(base, size, Math.floor(power / 2));
  const square = product(half, half, size);
  return power % 2 === 0 ? square : product(square, base, size);
}

function product(a: Scaled, b: Scaled, size: number): Scaled {
  const values = new Float64Array(size * size);
  let largest = 0;
  for (let i = 0; i < size; i += 1) {
    for (let k = 0; k < size; k += 1) {
      const left = a.values[i * size + k] ?? 0;
      if (left === 0) continue;
      for (let j = 0; j < size; j += 1) {
        values[i * size + j] = (values[i * size + j] ?? 0) + left * (b.values[k * size + j] ?? 0);
      }
    }
  }
  for (const value of values) largest = Math.max(largest, value);
  const exponent = a.exponent + b.exponent;
  if (largest < 1e140) return { values, exponent };
  return { values: values.map((value) => value * 1e-140), exponent: exponent + 140 };
}

/** W. Pelz and I. J. Good (1976): the limit law with its corrections up to n^-3/2, as printed by Simard and L'Ecuyer. */
export function pelzGood(n: number, d: number): number {
  const root = Math.sqrt(n);
  const z = root * d;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  let k0 = 0;
  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  let k2Whole = 0;
  let k3Whole = 0;
  for (let k = 0; k < 12; k += 1) {
    const a = Math.PI ** 2 * (k + 0.5) ** 2;
    const half = Math.exp(-a / (2 * z2));
    k0 += half;
    k1 += (a - z2) * half;
    k2 += (6 * z6 + 2 * z4 + a * (2 * z4 - 5 * z2) + a * a * (1 - 2 * z2)) * half;
    k3 +=
      (a ** 3 * (5 - 30 * z2) +
        a * a * (212 * z4 - 60 * z2) +
        a * (135 * z4 - 96 * z6) -
        30 * z6 -
        90 * z4 * z4) *
      half;
    const b = Math.PI ** 2 * (k + 1) ** 2;
    const whole = Math.exp(-b / (2 * z2));
    k2Whole += b * whole;
    k3Whole += (3 * b * z2 - b * b) * whole;
  }
  // Each sum runs over all whole k, and is even: twice the half.
  const scale = 2 * Math.sqrt(Math.PI / 2);
  return (
    scale * (k0 / z + k1 / (6 * z4 * root)) +
    (scale * (k2 / (72 * z6 * z) - k2Whole / (36 * z2 * z))) / n +
    (scale * (k3 / (6480 * z6 * z4) + k3Whole / (216 * z6))) / (n * root)
  );
}
