/** A row of `corporate_actions` as a split in JSON. Decimals are text, so that they do not become doubles. */
export const splitJsonSql = `jsonb_build_object('date', date::text, 'numerator', numerator::text,
  'denominator', denominator::text)`;
