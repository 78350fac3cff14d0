/**
 * What the workflows rely on in a manifest. Senders validate it whole against the schema; but a workflow that trips over a
 * manifest from elsewhere would be stuck, so it looks at what it uses itself.
 * @returns null, or the path of the first thing that is wrong and why, e.g. `.soak.seconds must be a number of 0 to 1e9`
 */
export function manifestProblem(manifest: unknown): string | null {
  for (const [path, kind] of RELIED_ON) {
    const problem = problemAt(manifest, path.split('.'), kind);
    if (problem !== null) return `.${path} ${problem}`;
  }
  return null;
}

type Kind =
  | 'text'
  | 'amount'
  | 'share'
  | 'object'
  | 'object?'
  | 'point?'
  | 'steps'
  | 'guardrails'
  | 'windows?'
  | 'kept?';

const RELIED_ON: readonly (readonly [path: string, kind: Kind])[] = [
  ['name', 'text'],
  ['owner', 'text'],
  ['purpose', 'text'],
  ['team', 'text'],
  ['riskTier', 'text'],
  ['prediction.score', 'text'],
  ['validation.goldenTolerance', 'amount'],
  ['approval.beforeDeploy', 'point?'],
  ['approval.beforePromote', 'point?'],
  ['shadow', 'object?'],
  ['canary.steps', 'steps'],
  ['canary.guardrails', 'guardrails'],
  ['canary.judgement', 'text'],
  ['canary.alpha', 'share'],
  ['canary.beta', 'share'],
  ['canary.maxSeconds', 'amount'],
  ['soak.seconds', 'amount'],
  ['soak.holdback', 'share'],
  ['objectives.availability', 'share'],
  ['objectives.latencyMs', 'amount'],
  ['objectives.slowShare', 'share'],
  ['serving', 'object'],
  ['rollbackWindowSeconds', 'amount'],
  ['freezeWindows', 'windows?'],
  ['monitoring', 'kept?'],
];

/** About thirty years in seconds: later times have no ISO form that sorts. */
const MOST = 1e9;

function problemAt(value: unknown, path: readonly string[], kind: Kind): string | null {
  const found = path.reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), value);
  switch (kind) {
    case 'text':
      return typeof found === 'string' && found.length > 0 && found.length <= 2000 ? null : 'must be a text';
    case 'amount':
      return isNumber(found, MOST) ? null : `must be a number of 0 to ${MOST}`;
    case 'share':
      return isNumber(found, 1) ? null : 'must be a number of 0 to 1';
    case 'object':
      return isObject(found) ? null : 'must be an object';
    case 'object?':
      return found === null || isObject(found) ? null : 'must be an object or null';
    case 'point?':
      return found === null || isPoint(found) ? null : 'must be an approval point or null';
    case 'steps':
      return isList(found, isStep) && found.length > 0 ? null : 'must be a list of steps';
    case 'windows?':
      return found === undefined || isList(found, isWindow) ? null : 'must be a list of freeze windows';
    case 'kept?':
      return found === undefined || found === null || isKept(found)
        ? null
        : 'must have samples, labelSeconds and windowSeconds, or be null';
    case 'guardrails':
      return isList(found, isGuardrail) && found.length > 0 ? null : 'must be a list of guardrails';
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumber = (value: unknown, most: number): value is number =>
  typeof value === 'number' && value >= 0 && value <= most;

const isList = (value: unknown, isOne: (one: unknown) => boolean): value is readonly unknown[] =>
  Array.isArray(value) && value.length <= 100 && value.every(isOne);

const isText = (value: unknown): value is string => typeof value === 'string';

const isPoint = (value: unknown): boolean =>
  isObject(value) &&
  isNumber(value['quorum'], 100) &&
  value['quorum'] >= 1 &&
  isList(value['requiredRoles'], isText) &&
  isList(value['approvers'], (one) => isObject(one) && isText(one['name']) && isList(one['roles'], isText)) &&
  isNumber(value['expiresAfterSeconds'], MOST);

const isWindow = (value: unknown): boolean =>
  isObject(value) &&
  isList(value['days'], isText) &&
  ['from', 'to', 'timeZone', 'reason'].every((name) => isText(value[name]));

const isKept = (value: unknown): boolean =>
  isObject(value) &&
  isObject(value['samples']) &&
  isNumber(value['samples']['share'], 1) &&
  [value['samples']['retainSeconds'], value['labelSeconds'], value['windowSeconds']].every((seconds) =>
    isNumber(seconds, MOST),
  );

const isStep = (value: unknown): boolean =>
  isObject(value) &&
  isNumber(value['weight'], 1) &&
  value['weight'] > 0 &&
  isNumber(value['minKeys'], MOST) &&
  isNumber(value['minSeconds'], MOST);

const isGuardrail = (value: unknown): boolean =>
  isObject(value) &&
  isText(value['name']) &&
  ['errors', 'slow', 'share'].includes(String(value['kind'])) &&
  isNumber(value['relativeMargin'], 1000) &&
  isNumber(value['absoluteMargin'], 1) &&
  (value['hardLimit'] === null || isNumber(value['hardLimit'], 1));
