import { hubCurrency, quotedInHub, rateDecimals } from '../market/rates.ts';
import { quotientSql } from './rounding-sql.ts';

// `market/rates.ts` as SQL: same symbols, same quotient, same rounding. Arguments are column expressions.

const quoted = (currencies: readonly string[]) => currencies.map((currency) => `'${currency}'`).join(', ');
const isQuotedSql = (currency: string) => `${currency} in (${quoted(quotedInHub)})`;

/** The symbol of a currency's series; null for the dollar, and for a currency that nobody knows. */
export const rateSymbolSql = (currency: string): string =>
  `case when ${currency} = '${hubCurrency}' then null when ${isQuotedSql(currency)}
    then ${currency} || '${hubCurrency}=X' else '${hubCurrency}' || ${currency} || '=X' end`;

const closeSql = (currency: string, date: string) =>
  `(select close from prices where symbol = ${rateSymbolSql(currency)} and date <= ${date} order by date desc limit 1)`;

/** The rate between two currencies at the closes on or before a date; null where one is missing. */
export const rateSql = ({ from, to, date }: { from: string; to: string; date: string }): string => {
  const dividend = (currency: string, close: string) =>
    `case when ${isQuotedSql(currency)} then ${close} else 1 end`;
  const divisor = (currency: string, close: string) =>
    `case when ${currency} = '${hubCurrency}' or ${isQuotedSql(currency)} then 1 else ${close} end`;
  return `case when ${from} = ${to} then 1 else (
    select ${quotientSql('rate.dividend', 'rate.divisor', rateDecimals)} from (
      select (${dividend(from, 'legs.a')}) * (${divisor(to, 'legs.b')}) as dividend,
        (${divisor(from, 'legs.a')}) * (${dividend(to, 'legs.b')}) as divisor
      from (select ${closeSql(from, date)} as a, ${closeSql(to, date)} as b) legs
      where (${from} = '${hubCurrency}' or legs.a is not null) and (${to} = '${hubCurrency}' or legs.b is not null)
    ) rate) end`;
};

/** The date of the latest close that a rate between two currencies could be made of. */
export const latestRateDateSql = (from: string, to: string): string =>
  `(select max(date) from prices where symbol in (${rateSymbolSql(from)}, ${rateSymbolSql(to)}))`;
