import { strict as assert } from 'node:assert';
import { parseHTML } from 'linkedom';
import type { InventoryRow } from '../../../src/contracts/report.js';
import { inventoryCsv } from '../../../src/report/csv.js';
import { reportOf } from '../../../src/report/figures/index.js';
import { html } from '../../../src/report/html/markup.js';
import { inventoryPage } from '../../../src/report/html/inventory-page.js';
import { reportPage } from '../../../src/report/html/report-page.js';
import { duration, percentage } from '../../../src/report/words.js';

const EVIL = '<img src=x onerror=alert(1)>"\'&';
const MADE = '2026-11-28T12:00:00.000Z';

interface Page {
  readonly document: {
    querySelectorAll(selector: string): Iterable<{
      readonly tagName: string;
      readonly textContent: string;
      attributes: Iterable<{ name: string; value: string }>;
    }>;
  };
}
const elements = (text: string, selector: string) => [
  ...(parseHTML(text) as unknown as Page).document.querySelectorAll(selector),
];

/** Nothing runs, nothing is fetched. */
function assertSelfContained(text: string): void {
  assert.deepEqual(elements(text, 'script, link, img, iframe, object, embed, image, base, form'), []);
  for (const element of elements(text, '*'))
    for (const { name, value } of element.attributes) {
      assert.ok(!name.startsWith('on'), `${element.tagName} ${name}`);
      assert.ok(
        !['src', 'href', 'xlink:href', 'action'].includes(name),
        `${element.tagName} ${name}=${value}`,
      );
    }
  assert.doesNotMatch(text, /url\(|@import/);
  assert.match(text, /content="default-src &#39;none&#39;;/);
}

const day = 86_400_000;
const start = Date.parse('2026-11-01T00:00:00.000Z');
const scope = {
  since: new Date(start).toISOString(),
  until: new Date(start + 14 * day).toISOString(),
  model: null,
  team: null,
};

const facts = {
  models: [
    {
      model: 'm',
      team: EVIL,
      owner: EVIL,
      riskTier: 'low',
      purpose: EVIL,
      revalidateSeconds: null,
      automated: true,
    },
  ],
  releases: [
    {
      model: 'm',
      release: 1,
      version: EVIL,
      digest: 'd',
      submitted: start,
      validated: start,
      promoted: { at: start + day, sequence: 9 },
      former: null,
      ended: { at: start + 2 * day, sequence: 12, outcome: 'succeeded' as const },
      waits: [{ from: start + 1_000, to: start + 40_000 }],
    },
  ],
  registrations: [{ model: 'm', version: EVIL, at: start }],
  acts: [],
  incidents: [
    {
      model: 'm',
      incident: 1,
      severity: 'warning' as const,
      opened: start + 3 * day,
      onset: start + 2 * day,
      detected: start + 3 * day,
      release: null,
      tookBack: false,
      findings: [],
      acknowledged: null,
      mitigated: null,
      resolved: null,
      lost: null,
    },
  ],
  retrainings: [],
  heldBack: [],
  touched: [],
  traffic: [{ model: 'm', day: 4, valid: 100_000, good: 99_999, dead: [] }],
};

describe('report: pages', () => {
  it('a report is self-contained, with plots and words', () => {
    const text = reportPage(reportOf(facts, scope), MADE);
    assertSelfContained(text);
    assert.equal(elements(text, 'figure svg').length, 4);
    assert.ok(elements(text, 'svg rect').length >= 2, 'bars');
    assert.ok(elements(text, 'svg circle').length >= 3, 'dots');
    const tiles = elements(text, '.tile').map(({ textContent }) => textContent.replaceAll(/\s+/g, ' '));
    assert.equal(tiles.length, 11);
    assert.ok(tiles.some((tile) => tile.includes('Availability by requests') && tile.includes('99.999 %')));
    assert.ok(tiles.some((tile) => tile.includes('none: no deployment has failed')));
    assert.ok(text.includes('@media print'));
    assert.ok(
      elements(text, 'td').some(({ textContent }) => textContent === EVIL),
      'shown as it is',
    );
  });

  it('a report of nothing says so, without empty plots', () => {
    const nothing = { ...facts, models: [], releases: [], registrations: [], incidents: [], traffic: [] };
    const text = reportPage(reportOf(nothing, scope), MADE);
    assertSelfContained(text);
    assert.equal(elements(text, 'svg').length, 0);
    assert.match(text, /none: no requests were counted/);
  });

  const row: InventoryRow = {
    model: 'late-payment',
    team: EVIL,
    owner: '=HYPERLINK("x")',
    riskTier: 'high',
    purpose: 'Two\nlines, and "quotes"',
    version: null,
    health: null,
    lastRelease: { release: 3, version: 'v3', state: 'rolled-back', at: MADE },
    nextDue: { at: MADE, what: 'revalidation', overdue: true },
  };

  it('an inventory is self-contained', () => {
    const text = inventoryPage([row], MADE);
    assertSelfContained(text);
    assert.match(text, /revalidation overdue since 2026-11-28/);
    assert.match(text, /1 model\(s\), 0 in production, 1 overdue/);
  });

  it('CSV quotes what must be quoted, and is no formula', () => {
    const [head, ...rest] = inventoryCsv([
      row,
      { ...row, nextDue: null, lastRelease: null, purpose: '' },
    ]).split('\r\n');
    assert.equal(head?.split(',').length, 14);
    assert.equal(
      rest[0],
      `late-payment,"<img src=x onerror=alert(1)>""'&","'=HYPERLINK(""x"")",high,,,3,v3,rolled-back,${MADE},${MADE},revalidation,true,"Two\nlines, and ""quotes"""`,
    );
    assert.match(rest[1] ?? '', /,high,,,,,,,,,,$/);
  });

  it('markup escapes all but markup', () => {
    assert.equal(
      html`<p>${EVIL}${[1, html`<b>${'&'}</b>`]}</p>`.text,
      '<p>&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;1<b>&amp;</b></p>',
    );
  });

  it('words keep what matters', () => {
    assert.deepEqual([0, 89, 90, 5_400, 130_000, 86_400 * 100].map(duration), [
      '0 s',
      '89 s',
      '1.5 min',
      '1.5 h',
      '1.5 d',
      '100 d',
    ]);
    assert.deepEqual([1, 0.999_95, 0.999_999, 0.5, 0, 0.123_4].map(percentage), [
      '100 %',
      '99.995 %',
      '99.9999 %',
      '50 %',
      '0 %',
      '12.3 %',
    ]);
  });
});
