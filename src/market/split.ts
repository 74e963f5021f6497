/** `numerator` new shares for `denominator` old ones, from the opening of `date` on. Decimals as strings. */
export interface Split {
  date: string;
  numerator: string;
  denominator: string;
}
