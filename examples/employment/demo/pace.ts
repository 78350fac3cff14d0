/** How long the demo's stretches are: the whole story, or the same in two minutes. */
import type { VersionName } from '../training/versions.js';

export interface Pace {
  /** Both models at the same time, or one after the other. */
  readonly together: boolean;
  /** Versions of the first model that are told of. */
  readonly versions: readonly VersionName[];
  /** Of the first model: requests a second, times of its canary's steps and of its soak. */
  readonly employment: {
    readonly ratePerSecond: number;
    readonly stepSeconds: number;
    readonly soakSeconds: number;
  };
  /** Of the second model. */
  readonly survey: SurveyPace;
  /** Between two ticks of the monitor. */
  readonly tickSeconds: number;
  /** What differs from the whole demo, in words. */
  readonly shortened: readonly string[];
}

export interface SurveyPace {
  /** Of a window; a real model's are an hour. */
  readonly windowSeconds: number;
  readonly ratePerSecond: number;
  /** Of a judged window: on a slow machine several are judged together. */
  readonly minRows: number;
  readonly labelsLateSeconds: number;
  /** The feed is mended after so many requests, unless people have been told before; null: when they have been told. */
  readonly faultRequests: number | null;
  /** Clean windows after which an incident is resolved. */
  readonly clearWindows: number;
  readonly stepSeconds: number;
  readonly soakSeconds: number;
}

export const WHOLE: Pace = {
  together: false,
  versions: ['v1', 'v2', 'v3', 'v4'],
  employment: { ratePerSecond: 400, stepSeconds: 5, soakSeconds: 10 },
  survey: {
    windowSeconds: 10,
    ratePerSecond: 300,
    minRows: 1_500,
    labelsLateSeconds: 10,
    faultRequests: null,
    clearWindows: 2,
    stepSeconds: 3,
    soakSeconds: 5,
  },
  tickSeconds: 2,
  shortened: [],
};

export const FAST: Pace = {
  together: true,
  versions: ['v1', 'v2', 'v3'],
  employment: { ratePerSecond: 400, stepSeconds: 2, soakSeconds: 4 },
  survey: {
    windowSeconds: 5,
    ratePerSecond: 400,
    minRows: 1_500,
    labelsLateSeconds: 10,
    // Two windows, but for what was asked before their end and is written after it: the third is to be clean.
    faultRequests: 3_400,
    clearWindows: 2,
    stepSeconds: 2,
    soakSeconds: 2,
  },
  tickSeconds: 1,
  shortened: [
    'both stories are played at the same time, on one stack: each line says of which model it is',
    'left out: the release whose approver is its submitter, and the worker that is killed in its canary',
    'a step of a canary lasts 2 s at least, not 5 or 3; a soak 4 and 2 s, not 10 and 5',
    'monitored windows are of 5 s, not 10',
    'the feed is mended after 3,400 requests, not when people have been told',
  ],
};
