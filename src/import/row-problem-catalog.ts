interface CatalogEntry {
  /** What is wrong, without a full stop. */
  title: string;
  /** How to mend it: whole sentences. Rows may give better advice where the value allows it. */
  fix: string;
}

const numberFix = 'Write it like 1200.50: digits and a point, without separators, currency sign or exponent.';
const decimalsFix = 'Round it to at most 6 decimals.';
const dateFix = 'Write it as YYYY-MM-DD, like 2025-06-30; it must be a real day.';
const optionFix = 'Fill it, or clear all four option columns if this is no option.';

/**
 * Every code that an upload's rows can be answered with. Codes are stable: a client may branch on them.
 *
 * `ERR_CSV_…` is about the file, `ERR_POS_…` about a row; either leaves nothing saved. The others do not.
 * Numbers that the original format defined are kept.
 */
export const rowProblemCatalog = {
  ERR_CSV_001: {
    title: 'The file is too large',
    fix: 'Split it into portfolios of at most 10 MiB and 50,000 rows.',
  },
  ERR_CSV_002: {
    title: 'This is not a CSV file',
    fix: 'Save the sheet as "CSV UTF-8 (comma delimited)" and upload that.',
  },
  ERR_CSV_003: {
    title: 'The file holds no positions',
    fix: 'Write the column names in the first row and one lot per row below it.',
  },
  ERR_CSV_004: {
    title: 'A required column is missing',
    fix: 'Add it to the row of column names; the template shows all of them.',
  },
  ERR_CSV_005: {
    title: 'The file is not UTF-8 text',
    fix: 'Save it again as "CSV UTF-8" and upload that.',
  },
  ERR_CSV_006: {
    title: 'The row is not well-formed CSV',
    fix: 'Put a value that holds a comma or a line break between double quotes, and double the quotes inside it.',
  },
  ERR_CSV_007: {
    title: 'There are more problems than are listed',
    fix: 'Mend those above and upload again; the value counts the others.',
  },
  ERR_POS_001: { title: 'The symbol is missing', fix: 'Write the symbol, like AAPL, BRK-B or VOD.L.' },
  ERR_POS_002: { title: 'The symbol is too long', fix: 'Write the symbol alone: at most 32 characters.' },
  ERR_POS_003: {
    title: 'The symbol has characters that no symbol has',
    fix: 'Write it as the exchange does, like AAPL, BRK-B or VOD.L.',
  },
  ERR_POS_004: { title: 'The quantity is missing', fix: 'Write the number of shares; negative is short.' },
  ERR_POS_005: { title: 'The quantity is not a decimal number', fix: numberFix },
  ERR_POS_006: { title: 'The quantity is zero', fix: 'Write the number of shares, or remove the row.' },
  ERR_POS_007: { title: 'The quantity has too many decimals', fix: decimalsFix },
  ERR_POS_008: { title: 'The entry price is missing', fix: 'Write what one share cost, like 172.40.' },
  ERR_POS_009: { title: 'The entry price is not a decimal number', fix: numberFix },
  ERR_POS_010: {
    title: 'The entry price is not positive',
    fix: 'Write a price above zero; a short position has a negative quantity, not a negative price.',
  },
  ERR_POS_011: { title: 'The entry price has too many decimals', fix: decimalsFix },
  ERR_POS_012: { title: 'The entry date is missing', fix: 'Write the day of the purchase as YYYY-MM-DD.' },
  ERR_POS_013: { title: 'The entry date is not a date', fix: dateFix },
  ERR_POS_014: { title: 'The entry date is in the future', fix: 'Write the day of the purchase.' },
  ERR_POS_015: {
    title: 'The entry date is more than 100 years ago',
    fix: 'Check the year: write the day of the purchase.',
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
    title: 'The row repeats an earlier one in all columns',
    fix: 'Sum the two into one row, or upload with allow_duplicates=true if both are meant.',
  },
  ERR_POS_024: {
    title: 'The underlying symbol is not a symbol',
    fix: 'Write it as the exchange does, like AAPL or BRK-B.',
  },
  ERR_POS_025: {
    title: 'The strike price is not a positive decimal number',
    fix: 'Write it like 200 or 182.50, above zero, with at most 6 decimals.',
  },
  ERR_POS_026: { title: 'The expiration date is not a date', fix: dateFix },
  ERR_POS_027: {
    title: 'The option expires before its entry date',
    fix: 'Check both dates: an option is bought on or before the day it expires.',
  },
  ERR_POS_028: { title: 'The exit date is not a date', fix: dateFix },
  ERR_POS_029: {
    title: 'The exit date is in the future',
    fix: 'Leave it empty while the lot is open.',
  },
  ERR_POS_030: {
    title: 'The exit date is before the entry date',
    fix: 'Check both dates: a lot is closed on or after the day it was opened.',
  },
  ERR_POS_031: {
    title: 'There is an exit price but no exit date',
    fix: 'Write the day of the sale, or clear the price while the lot is open.',
  },
  ERR_POS_032: {
    title: 'The exit price is not a decimal number of zero or more',
    fix: 'Write it like 172.40; an option that expired worthless has 0.',
  },
  ERR_POS_033: { title: 'The exit price has too many decimals', fix: decimalsFix },
  ERR_POS_034: {
    title: 'An option column is filled but the investment class is not OPTIONS',
    fix: 'Clear the option columns, or write OPTIONS as investment class.',
  },
  ERR_POS_035: {
    title: 'This looks like cash',
    fix:
      'If it is cash, write its currency code (like USD) as symbol and CASH as investment class; if it is a listed ' +
      'symbol, write PUBLIC as investment class.',
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
    fix: 'Check it: no quantity and no price is that large.',
  },
  WARN_CSV_001: {
    title: 'The column is unknown and was not read',
    fix: 'Rename it if it is one of the columns in the template; otherwise nothing is to be done.',
  },
  WARN_CSV_002: {
    title: 'There are more warnings than are listed',
    fix: 'The value counts the others.',
  },
  WARN_POS_001: {
    title: 'The closed lot has no exit price',
    fix: 'Without one it adds nothing to the realised gain.',
  },
  WARN_POS_002: {
    title: 'The option has expired but has no exit date',
    fix: 'If it was exercised, sold or ran out, write the exit date and the exit price (0 if worthless).',
  },
  WARN_POS_003: {
    title: "There are lots in another currency than the portfolio's",
    fix: 'They are converted at the exchange rates of their days, and missing_fx as long as there is no rate.',
  },
  WARN_POS_004: {
    title: 'Is the entry price in a minor unit?',
    fix: 'Write GBX, ZAc or ILA as currency if prices are in pence, cents or agorot.',
  },
  WARN_POS_005: {
    title: 'The currency of a closed lot is not known',
    fix: "Write its currency where it is another one than the portfolio's, which is taken.",
  },
  split_since_entry: {
    title: 'The symbol has split since the entry date',
    fix: 'Check whether quantity and price are from before the split. Neither is ever changed.',
  },
  WARN_SYM_001: {
    title: 'The symbol could not be verified yet',
    fix: 'Its job verifies it. Should it not exist, the job fails and says so.',
  },
} as const satisfies Record<string, CatalogEntry>;

export type RowProblemCode = keyof typeof rowProblemCatalog;
