/** `numerator` new shares for `denominator` old ones, effective at the opening on `date`. Decimal strings. */
export interface Split {
  date: string;
  numerator: string;
  denominator: string;
}
