/** What the employment models are asked with: the columns, their codes, and the names that the protocol uses. */

/** A census column of codes. Codes run from `from` (0 unless said) to `to`, without gaps. */
export interface Category {
  readonly name: string;
  readonly meaning: string;
  readonly from?: 1;
  readonly to: number;
}

/** The one numeric column: whole years, FP32 on the wire. The census top-codes it per state and year. */
export const age = { name: 'AGEP', meaning: 'Age in years', from: 0, to: 99 } as const;

/** INT64 on the wire. nannyml has filled the census's own blanks (children, mostly) with code 0. */
export const categories: readonly Category[] = [
  { name: 'SCHL', meaning: 'Educational attainment', to: 24 },
  { name: 'MAR', meaning: 'Marital status', from: 1, to: 5 },
  { name: 'RELP', meaning: 'Relationship to the householder', to: 17 },
  { name: 'DIS', meaning: 'Disability', from: 1, to: 2 },
  { name: 'ESP', meaning: 'Employment status of parents', to: 8 },
  { name: 'CIT', meaning: 'Citizenship status', from: 1, to: 5 },
  { name: 'MIG', meaning: 'Mobility: lived here a year ago', to: 3 },
  { name: 'MIL', meaning: 'Military service', to: 4 },
  { name: 'ANC', meaning: 'Ancestry recode', from: 1, to: 4 },
  { name: 'NATIVITY', meaning: 'Nativity', from: 1, to: 2 },
  { name: 'DEAR', meaning: 'Hearing difficulty', from: 1, to: 2 },
  { name: 'DEYE', meaning: 'Vision difficulty', from: 1, to: 2 },
  { name: 'DREM', meaning: 'Cognitive difficulty', to: 2 },
];

/** Columns that no model gets to see. They are in the data sets so that the gates can judge by them. */
export const subgroupColumns = ['SEX', 'RAC1P'] as const;

/** Model inputs in the order that requests and ONNX files name them. */
export const inputNames: readonly string[] = [age.name, ...categories.map((column) => column.name)];

/** The label: 1 is employed. */
export const labelColumn = 'employed';
