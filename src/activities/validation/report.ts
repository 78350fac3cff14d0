import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ValidationReport } from '../../contracts/validation.js';

/**
 * SHA-256 over the canonical JSON (RFC 8785) of the report without its `evidenceHash`: 64 hex digits. Measured times are part of
 * it. Only one report of a release exists, the activity's result in the workflow's history; a retry replaces one that nobody saw.
 */
export function evidenceHashOf(report: Omit<ValidationReport, 'evidenceHash'>): string {
  const { model, version, digest, dataDigest, rows, gates, passed, goldenDigest, profile } = report;
  const all = { model, version, digest, dataDigest, rows, gates, passed, goldenDigest };
  // Reports from before there were profiles keep their hash.
  const canonical = canonicalize(profile === undefined ? all : { ...all, profile });
  if (canonical === undefined) throw new Error('The report cannot be written as canonical JSON');
  return createHash('sha256').update(canonical, 'utf8').digest('hex');
}
