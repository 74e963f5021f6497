/** A split as JSON, of a row of `corporate_actions`; its decimals are texts, so that none becomes a double. */
export const splitJsonSql = `jsonb_build_object('date', date::text, 'numerator', numerator::text,
  'denominator', denominator::text)`;
