/** The least that a model.yaml of the experimental tier says; valid as it stands. */
export const MINIMAL = `apiVersion: tenure/v1
kind: Model
name: churn
team: retention
owner: ada.moreau
purpose: Who is about to leave.
task: binary
riskTier: experimental
schema:
  inputs:
    - { name: age, datatype: FP32 }
    - { name: plan, datatype: BYTES, categories: [basic, gold] }
  outputs:
    - { name: score, datatype: FP32 }
    - { name: label, datatype: INT64 }
prediction:
  score: score
validation:
  data: rows.parquet
  target: left
`;
