/** The two ways to P(D <= d) of the Kolmogorov-Smirnov distance that kolmogorov.ts chooses from. */

/** A square matrix by rows, times 10^exponent. */
interface Scaled {
  readonly values: Float64Array;
  readonly exponent: number;
}

/**
 * J. Durbin's matrix (1973), raised to the n-th power as by G. Marsaglia, W. W. Tsang and J. Wang, "Evaluating Kolmogorov's
 * distribution", J. Stat. Softw. 8 (2003) 18. Exact; its time grows with (n d)^3 ln n.
 */
export function durbin(n: number, d: number): number {
  const k = Math.ceil(n * d);
  const h = k - n * d;
  const size = 2 * k - 1;
  const power = matrixPower({ values: durbinMatrix(size, h), exponent: 0 }, size, n);
  let value = power.values[(k - 1) * size + k - 1] ?? 0;
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
  for (let i = 1; i <= size + 1; i += 1) factorials.push((factorials[i - 1] ?? 1) * i);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= Math.min(i + 1, size - 1); j += 1) {
      let top = 1;
      if (j === 0) top -= h ** (i + 1);
      if (i === size - 1) top -= h ** (size - j);
      if (j === 0 && i === size - 1 && 2 * h > 1) top += (2 * h - 1) ** size;
      values[i * size + j] = top / (factorials[i - j + 1] ?? 1);
    }
  }
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
