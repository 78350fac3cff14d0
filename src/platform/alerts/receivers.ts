import { readFile } from 'node:fs/promises';
import { resolve, dirname } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { alertmanagerChannel } from './alertmanager.js';
import { type AlertChannel, SEVERITIES, type Severity } from './alerts.js';
import { fleetOf, fleetSection } from './fleet.js';
import { slackChannel, teamsChannel } from './chats.js';
import { pagerDutyChannel } from './pagerduty.js';
import { webhookChannel } from './webhook.js';

/** The receivers' file cannot be used; says which field, and what is allowed. */
class ReceiversError extends Error {
  override readonly name = 'ReceiversError';
}

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits or -');
const url = z.url({ protocol: /^https?$/, error: 'must be an http or https address' });
/** Secrets stand in files of their own, so that this one can be shown. */
const secretFile = z.string().min(1).max(4_096);
const common = { name, minimum: z.enum(SEVERITIES).default('info') };
const receiver = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('alertmanager'), url }),
  z.strictObject({
    ...common,
    kind: z.literal('pagerduty'),
    routingKeyFile: secretFile,
    url: url.optional(),
  }),
  z.strictObject({ ...common, kind: z.literal('slack'), urlFile: secretFile }),
  z.strictObject({ ...common, kind: z.literal('teams'), urlFile: secretFile }),
  z.strictObject({ ...common, kind: z.literal('webhook'), url, secretFile }),
]);
const schema = z.strictObject({
  receivers: z.array(receiver).max(20),
  fleet: fleetSection.prefault({}),
});
type Receiver = z.infer<typeof receiver>;

/** Who is told, and of what belongs to no model. */
export interface Receivers {
  readonly channels: readonly AlertChannel[];
  readonly fleet: ReturnType<typeof fleetOf>;
}

/**
 * The channels that a YAML file of receivers describes, and its section of the fleet. Paths in it are relative to it.
 * @throws ReceiversError when the file, or a secret's file, cannot be read or is not as it should be
 */
export async function loadReceivers(file: string): Promise<Receivers> {
  const checked = schema.safeParse(await content(file));
  if (!checked.success) {
    const problems = checked.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
    );
    throw new ReceiversError(`${file}: ${problems.join('; ')}`);
  }
  const { receivers, fleet } = checked.data;
  const twice = receivers.find((one, i) => receivers.findIndex((other) => other.name === one.name) < i);
  if (twice !== undefined) throw new ReceiversError(`${file}: two receivers are named ${twice.name}`);
  const channels = receivers.map(async (one) => fromSeverity(await channelOf(one, file), one.minimum));
  return { channels: await Promise.all(channels), fleet: fleetOf(fleet) };
}

async function content(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ReceiversError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function channelOf(one: Receiver, file: string): Promise<AlertChannel> {
  const secret = (path: string): Promise<string> => readSecret(one.name, resolve(dirname(file), path));
  switch (one.kind) {
    case 'alertmanager':
      return alertmanagerChannel(one);
    case 'pagerduty':
      return pagerDutyChannel({
        name: one.name,
        routingKey: await secret(one.routingKeyFile),
        ...(one.url === undefined ? {} : { url: one.url }),
      });
    case 'slack':
      return slackChannel({ name: one.name, url: await addressIn(one.urlFile) });
    case 'teams':
      return teamsChannel({ name: one.name, url: await addressIn(one.urlFile) });
    case 'webhook':
      return webhookChannel({ name: one.name, url: one.url, secret: await secret(one.secretFile) });
  }

  async function addressIn(path: string): Promise<string> {
    const text = await secret(path);
    if (!url.safeParse(text).success)
      throw new ReceiversError(`Receiver ${one.name}: ${path} does not hold an http or https address`);
    return text;
  }
}

async function readSecret(receiverName: string, path: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new ReceiversError(`Receiver ${receiverName}: ${path} cannot be read (${code})`);
  }
  if (text === '') throw new ReceiversError(`Receiver ${receiverName}: ${path} is empty`);
  return text;
}

/** Lets through what is at least that severe. */
function fromSeverity(channel: AlertChannel, minimum: Severity): AlertChannel {
  const least = SEVERITIES.indexOf(minimum);
  return {
    name: channel.name,
    send: async (alert) => {
      if (SEVERITIES.indexOf(alert.severity) >= least) await channel.send(alert);
    },
  };
}
