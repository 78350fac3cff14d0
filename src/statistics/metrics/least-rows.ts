/** Fewest rows, and rows of each class, that two models are compared on: below them the limits do not hold. */
export const LEAST_ROWS = 100;
export const LEAST_CLASS_ROWS = 30;
