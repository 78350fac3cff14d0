import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Six keywords: a Postgres visibility store allows ten a namespace. */
export const TenureModel = defineSearchAttributeKey('TenureModel', SearchAttributeType.KEYWORD);
export const TenureStage = defineSearchAttributeKey('TenureStage', SearchAttributeType.KEYWORD);
export const TenureVersion = defineSearchAttributeKey('TenureVersion', SearchAttributeType.KEYWORD);
export const TenureRiskTier = defineSearchAttributeKey('TenureRiskTier', SearchAttributeType.KEYWORD);
export const TenureOwner = defineSearchAttributeKey('TenureOwner', SearchAttributeType.KEYWORD);
export const TenureHealth = defineSearchAttributeKey('TenureHealth', SearchAttributeType.KEYWORD);

export const SEARCH_ATTRIBUTE_NAMES: readonly string[] = [
  TenureModel,
  TenureStage,
  TenureVersion,
  TenureRiskTier,
  TenureOwner,
  TenureHealth,
].map((key) => key.name);
