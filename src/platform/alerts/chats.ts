import { contactsInWords, evidenceInWords, type Alert, type AlertChannel } from './alerts.js';
import { postJson } from './post.js';

export interface ChatOptions {
  readonly name: string;
  /** Address of the incoming webhook; a secret. */
  readonly url: string;
}

/** Limits: 3,000 characters a Slack text block, 28 KB a Teams message. */
const TEXT_LENGTH = 2_900;

/** Slack, incoming webhook. */
export const slackChannel = ({ name, url }: ChatOptions): AlertChannel => ({
  name,
  async send(alert) {
    await postJson({ receiver: name, url, body: JSON.stringify(slackMessage(alert)) });
  },
});

/** Microsoft Teams, a webhook of Workflows: an adaptive card. */
export const teamsChannel = ({ name, url }: ChatOptions): AlertChannel => ({
  name,
  async send(alert) {
    await postJson({ receiver: name, url, body: JSON.stringify(teamsMessage(alert)) });
  },
});

const head = ({ model, severity, title, state }: Alert): string =>
  `${state === 'resolved' ? 'Resolved' : severity === 'info' ? 'Note' : severity === 'warning' ? 'Warning' : 'Critical'}: ${model}: ${title}`;

/** What is told, and of an incident for whom it is meant and where the evidence is. */
const body = ({ text, incident }: Alert): string =>
  incident === undefined
    ? text
    : `${text}\n\nFor: ${contactsInWords(incident)}\nEvidence: ${evidenceInWords(incident)}`;

function slackMessage(alert: Alert): object {
  const { at, key, link } = alert;
  const title = slackText(head(alert));
  const more = `${at} · \`${slackText(key)}\`${link === undefined ? '' : ` · <${link}|Temporal UI>`}`;
  return {
    // What a notification shows.
    text: title,
    blocks: [
      section(`*${title}*\n${slackText(body(alert)).slice(0, TEXT_LENGTH)}`),
      { type: 'context', elements: [{ type: 'mrkdwn', text: more.slice(0, TEXT_LENGTH) }] },
    ],
  };
}

const section = (text: string): object => ({
  type: 'section',
  text: { type: 'mrkdwn', text: text.slice(0, TEXT_LENGTH) },
});

/** A model's own text must neither ping a channel nor hide a link: these three characters are Slack's control characters. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function teamsMessage(alert: Alert): object {
  const { at, key, link, severity, state } = alert;
  const color =
    state === 'resolved' ? 'Good' : { info: 'Default', warning: 'Warning', critical: 'Attention' }[severity];
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            { type: 'TextBlock', text: teamsText(head(alert)), weight: 'Bolder', color, wrap: true },
            { type: 'TextBlock', text: teamsText(body(alert)).slice(0, TEXT_LENGTH), wrap: true },
            {
              type: 'TextBlock',
              text: `${at} · ${teamsText(key)}`,
              isSubtle: true,
              size: 'Small',
              wrap: true,
            },
          ],
          ...(link === undefined
            ? {}
            : { actions: [{ type: 'Action.OpenUrl', title: 'Temporal UI', url: link }] }),
        },
      },
    ],
  };
}

/** Adaptive cards read Markdown: a link in a model's text must not become one. */
const teamsText = (text: string): string => text.replaceAll(/[[\]]/g, '\\$&');
