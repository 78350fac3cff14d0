const long = process.env['TENURE_TEST_LONG'] === '1';

/** N of a test: short in `npm test`, long in `npm run test:long` (TENURE_TEST_LONG=1). */
export const scale = <T = number>(shortN: T, longN: T): T => (long ? longN : shortN);
