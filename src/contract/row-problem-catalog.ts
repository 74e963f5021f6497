interface CatalogEntry {
  /** What is wrong, without a full stop. */
  title: string;
  /** How to fix it, in whole sentences. A row may have better advice for its value. */
  fix: string;
}

const numberFix =
  'Write it like 1200.50: digits and a decimal point, without separators, currency sign or exponent.';
const decimalsFix = 'Round it to at most 6 decimals.';
const dateFix = 'Write it as YYYY-MM-DD, like 2025-06-30.';
const optionFix = 'Fill it in. If the row is not an option, clear all four option columns.';

/**
 * Every code of the errors and warnings of an upload. Codes are stable: clients may branch on them.
 *
 * `ERR_CSV_…` is about the file, `ERR_POS_…` about a row; with either nothing is saved. The others are warnings.
 * The numbers are those of the original format where it had the error.
 */
export const rowProblemCatalog = {
  ERR_CSV_001: {
    title: 'The file is too large',
    fix: 'Split it into portfolios of at most 10 MiB and 50,000 rows.',
  },
  ERR_CSV_002: {
    title: 'The file is not a CSV file',
    fix: 'Save the sheet as "CSV UTF-8 (comma delimited)" and upload that.',
  },
  ERR_CSV_003: {
    title: 'The file has no positions',
    fix: 'Write the column names in the first row and one lot per row below.',
  },
  ERR_CSV_004: {
    title: 'A required column is missing',
    fix: 'Add it to the header row. The template has all columns.',
  },
  ERR_CSV_005: {
    title: 'The file is not UTF-8 text',
    fix: 'Save it again as "CSV UTF-8" and upload that.',
  },
  ERR_CSV_006: {
    title: 'The row is not well-formed CSV',
    fix: 'Put values with a comma or a line break in double quotes, and double the quotes inside them.',
  },
  ERR_CSV_007: {
    title: 'Not all problems are listed',
    fix: 'Fix those above and upload again. The value is the number of the others.',
  },
  ERR_POS_001: { title: 'The symbol is missing', fix: 'Write the symbol, like AAPL, BRK-B or VOD.L.' },
  ERR_POS_002: { title: 'The symbol is too long', fix: 'Write the symbol only, at most 32 characters.' },
  ERR_POS_003: {
    title: 'The symbol has invalid characters',
    fix: 'Write it as the exchange does, like AAPL, BRK-B or VOD.L.',
  },
  ERR_POS_004: {
    title: 'The quantity is missing',
    fix: 'Write the number of shares. A negative number is a short position.',
  },
  ERR_POS_005: { title: 'The quantity is not a decimal number', fix: numberFix },
  ERR_POS_006: { title: 'The quantity is zero', fix: 'Write the number of shares, or remove the row.' },
  ERR_POS_007: { title: 'The quantity has too many decimals', fix: decimalsFix },
  ERR_POS_008: { title: 'The entry price is missing', fix: 'Write the price of one share, like 172.40.' },
  ERR_POS_009: { title: 'The entry price is not a decimal number', fix: numberFix },
  ERR_POS_010: {
    title: 'The entry price is not positive',
    fix: 'Write a price above zero. A short position has a negative quantity, not a negative price.',
  },
  ERR_POS_011: { title: 'The entry price has too many decimals', fix: decimalsFix },
  ERR_POS_012: { title: 'The entry date is missing', fix: 'Write the day of the purchase as YYYY-MM-DD.' },
  ERR_POS_013: { title: 'The entry date is not a date', fix: dateFix },
  ERR_POS_014: { title: 'The entry date is in the future', fix: 'Write the day of the purchase.' },
  ERR_POS_015: {
    title: 'The entry date is more than 100 years ago',
    fix: 'Check the year.',
  },
  ERR_POS_016: {
    title: 'The investment class is unknown',
    fix: 'Write PUBLIC, OPTIONS, PRIVATE or CASH, or leave it empty.',
  },
  ERR_POS_017: {
    title: 'The investment subtype does not belong to the investment class',
    fix: 'Write one of its subtypes, or leave it empty.',
  },
  ERR_POS_018: { title: 'The underlying symbol of the option is missing', fix: optionFix },
  ERR_POS_019: { title: 'The strike price of the option is missing', fix: optionFix },
  ERR_POS_020: { title: 'The expiration date of the option is missing', fix: optionFix },
  ERR_POS_021: { title: 'The type of the option is missing', fix: optionFix },
  ERR_POS_022: { title: 'The option type is unknown', fix: 'Write CALL or PUT.' },
  ERR_POS_023: {
    title: 'The row is equal to an earlier row in all columns',
    fix: 'Merge the two rows. If both are correct, upload with allow_duplicates=true.',
  },
  ERR_POS_024: {
    title: 'The underlying symbol is not a valid symbol',
    fix: 'Write it as the exchange does, like AAPL or BRK-B.',
  },
  ERR_POS_025: {
    title: 'The strike price is not a positive decimal number',
    fix: 'Write a number above zero with at most 6 decimals, like 200 or 182.50.',
  },
  ERR_POS_026: { title: 'The expiration date is not a date', fix: dateFix },
  ERR_POS_027: {
    title: 'The option expires before its entry date',
    fix: 'Check both dates. An option is bought on or before its expiration date.',
  },
  ERR_POS_028: { title: 'The exit date is not a date', fix: dateFix },
  ERR_POS_029: {
    title: 'The exit date is in the future',
    fix: 'Leave it empty if the lot is open.',
  },
  ERR_POS_030: {
    title: 'The exit date is before the entry date',
    fix: 'Check both dates. A lot is closed on or after its entry date.',
  },
  ERR_POS_031: {
    title: 'There is an exit price but no exit date',
    fix: 'Write the day of the sale. If the lot is open, clear the exit price.',
  },
  ERR_POS_032: {
    title: 'The exit price is not a decimal number of zero or more',
    fix: 'Write it like 172.40. For an option that expired worthless write 0.',
  },
  ERR_POS_033: { title: 'The exit price has too many decimals', fix: decimalsFix },
  ERR_POS_034: {
    title: 'An option column is filled in, but the investment class is not OPTIONS',
    fix: 'Clear the option columns, or write OPTIONS as investment class.',
  },
  ERR_POS_035: {
    title: 'The row looks like cash',
    fix:
      'For cash, write the currency code (like USD) as symbol and CASH as investment class. For a listed symbol, write ' +
      'PUBLIC as investment class.',
  },
  ERR_POS_036: {
    title: 'The symbol of a cash row is not a currency',
    fix: 'Write the ISO code of the currency as symbol, like USD or EUR.',
  },
  ERR_POS_037: {
    title: 'The price of a cash row is not 1',
    fix: 'Write 1 as price and the amount as quantity.',
  },
  ERR_POS_038: {
    title: 'The currency is unknown',
    fix: 'Write an ISO code like USD or EUR, or GBp, GBX, ZAc or ILA for prices in pence, cents or agorot.',
  },
  ERR_POS_039: {
    title: 'The currency of a cash row differs from its symbol',
    fix: 'Write the same code in both columns, or leave the currency empty.',
  },
  ERR_POS_040: {
    title: 'The number has more than 15 digits before the point',
    fix: 'Check it. Quantities and prices have at most 15 digits before the point.',
  },
  WARN_CSV_001: {
    title: 'The column is unknown and was ignored',
    fix: 'If it is a column of the template, correct its name. Otherwise there is nothing to do.',
  },
  WARN_CSV_002: {
    title: 'Not all warnings are listed',
    fix: 'The value is the number of the others.',
  },
  WARN_POS_001: {
    title: 'The closed lot has no exit price',
    fix: 'Write the price of the sale. Without it the lot does not count in the realised gain.',
  },
  WARN_POS_002: {
    title: 'The option has expired but has no exit date',
    fix: 'If it was sold or exercised or has expired worthless, write the exit date and the exit price (0 if worthless).',
  },
  WARN_POS_003: {
    title: "Some lots are in another currency than the portfolio's",
    fix: 'They are converted at the exchange rates of their dates. While a rate is missing they are missing_fx.',
  },
  WARN_POS_004: {
    title: 'The entry price may be in a minor unit',
    fix: 'If prices are in pence, cents or agorot, write GBX, ZAc or ILA as currency.',
  },
  WARN_POS_005: {
    title: 'The currency of a closed lot is unknown',
    fix: "The portfolio's currency is assumed. If it is another one, write it in the column Currency.",
  },
  split_since_entry: {
    title: 'The symbol has split since the entry date',
    fix: 'Check whether quantity and price are from before the split. The service does not adjust them.',
  },
  WARN_SYM_001: {
    title: 'The symbol could not be verified yet',
    fix: 'Its job will verify it. If the symbol does not exist, the job fails.',
  },
} as const satisfies Record<string, CatalogEntry>;

export type RowProblemCode = keyof typeof rowProblemCatalog;
