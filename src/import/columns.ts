/** The columns of a portfolio: their names in JSON, and in the header of a CSV. */
export const columns = [
  { name: 'symbol', title: 'Symbol', required: true },
  { name: 'quantity', title: 'Quantity', required: true },
  { name: 'entry_price', title: 'Entry Price Per Share', required: true },
  { name: 'entry_date', title: 'Entry Date', required: true },
  { name: 'investment_class', title: 'Investment Class', required: false },
  { name: 'investment_subtype', title: 'Investment Subtype', required: false },
  { name: 'underlying_symbol', title: 'Underlying Symbol', required: false },
  { name: 'strike_price', title: 'Strike Price', required: false },
  { name: 'expiration_date', title: 'Expiration Date', required: false },
  { name: 'option_type', title: 'Option Type', required: false },
  { name: 'exit_date', title: 'Exit Date', required: false },
  { name: 'exit_price', title: 'Exit Price Per Share', required: false },
  { name: 'currency', title: 'Currency', required: false },
] as const;

export type ColumnName = (typeof columns)[number]['name'];
export type ColumnTitle = (typeof columns)[number]['title'];

/** A row as uploaded text, under the JSON names. An absent cell is empty. */
export type RawPosition = { readonly [name in ColumnName]?: string | null | undefined };

export const optionColumns = [
  'underlying_symbol',
  'strike_price',
  'expiration_date',
  'option_type',
] as const satisfies ColumnName[];

/** The names of the columns in problems: as in the upload. */
export type ColumnLabels = Readonly<Record<ColumnName, string>>;

export const csvLabels = Object.fromEntries(columns.map(({ name, title }) => [name, title])) as ColumnLabels;
export const jsonLabels = Object.fromEntries(columns.map(({ name }) => [name, name])) as ColumnLabels;

/** The place of a column, by either name, in the order above; -1 for unknown ones. */
export const columnRank = (label: string | null): number => ranks.get(label ?? '') ?? -1;

const ranks = new Map<string, number>(
  columns.flatMap(({ name, title }, rank) => [[name, rank] as const, [title, rank] as const]),
);

/** The columns of a header. */
export interface Header {
  /** Number of cells up to the last name: every row must have at least as many. */
  width: number;
  /** Known columns with their place, in the order of the header. */
  places: { name: ColumnName; index: number }[];
  missing: ColumnTitle[];
  /** Known columns that occur again. */
  repeated: { title: string; index: number }[];
  /** Unknown columns, with their place. */
  unknown: { title: string; index: number }[];
}

/** Finds the columns in a header, in any order; ignores case and surrounding space. */
export function readHeader(cells: readonly string[]): Header {
  const header: Header = { width: 0, places: [], missing: [], repeated: [], unknown: [] };
  const seen = new Set<ColumnName>();
  for (const [index, cell] of cells.entries()) {
    const title = cell.trim();
    if (title === '') continue;
    header.width = index + 1;
    const name = nameByTitle.get(title.toLowerCase());
    if (name === undefined) header.unknown.push({ title, index });
    else if (seen.has(name)) header.repeated.push({ title, index });
    else {
      seen.add(name);
      header.places.push({ name, index });
    }
  }
  header.missing = columns.filter(({ name, required }) => required && !seen.has(name)).map((c) => c.title);
  return header;
}

const nameByTitle = new Map<string, ColumnName>(
  columns.map(({ name, title }) => [title.toLowerCase(), name]),
);
