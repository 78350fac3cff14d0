/** The versions that the example trains. */
import { inputNames } from '../columns.js';
import { features } from './features.js';
import type { Recipe } from './network.js';

const network = { features: features(inputNames), hidden: [32], epochs: 6, learningRate: 0.01 } as const;

/** What each version is trained as, by its name. */
export const recipes = {
  /** Logistic regression on four columns, age in bands of five years. */
  v1: {
    seed: 1,
    features: features(['AGEP', 'SCHL', 'MAR', 'DIS'], 5),
    hidden: [],
    epochs: 4,
    learningRate: 0.02,
  },
  /** A network on all columns, with single years of age. */
  v2: { ...network, seed: 2 },
  /** Wide and deep: v2's network, and a weight for each combination of age, relationship, marriage and schooling. */
  v3: { ...network, seed: 3, cross: ['AGEP', 'RELP', 'MAR', 'SCHL'], crossPenalty: 0.2 },
  /** v2 from another start. */
  v4: { ...network, seed: 4 },
} as const satisfies Record<string, Recipe>;

export type VersionName = keyof typeof recipes;
export const versionNames = Object.keys(recipes) as VersionName[];
