import type { Database } from '../../src/database/database.orm.ts';
import { openDatabase } from '../../src/open-database.ts';

/** One execution of a statement. */
export interface Run {
  text: string;
  /** Rows that passed through any part of its plan, rows that a filter removed included. */
  work: number;
  plan: PlanNode;
}

export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PlanNode[];
  [figure: string]: unknown;
}

const autoExplain = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_nested_statements': 'on', // what foreign keys do
  'auto_explain.log_format': 'json',
  'auto_explain.log_level': 'notice',
  client_min_messages: 'notice',
};

/**
 * Opens a PostgreSQL database once more, so that each statement is explained as it is run: `auto_explain` says with what
 * plan, and how many rows went through each part of it.
 */
export async function explained(database: Database): Promise<{ database: Database; runs: Run[] }> {
  const [{ name }] = (await database.sql<{ name: string }>('select current_database() as name')) as [
    { name: string },
  ];
  for (const [setting, value] of Object.entries(autoExplain)) {
    await database.sql(`alter database ${name} set ${setting} = '${value}'`);
  }
  const runs: Run[] = [];
  const observed = await openDatabase({ databaseUrl: database.databaseUrl, dataDir: null, fsync: false });
  const pool = (await (
    observed.orm.driver.getConnection() as unknown as { getNativeClient(): Promise<unknown> }
  ).getNativeClient()) as { on(event: 'connect', listener: (client: NoticeClient) => void): void };
  pool.on('connect', (client) =>
    client.on('notice', ({ message = '' }) => {
      const json = /^duration: .*?plan:\s*(\{.*)$/s.exec(message)?.[1];
      if (json) runs.push(runOf(JSON.parse(json)));
    }),
  );
  return { database: observed, runs };
}

interface NoticeClient {
  on(event: 'notice', listener: (notice: { message?: string }) => void): void;
}

function runOf({ 'Query Text': text, Plan: plan }: { 'Query Text': string; Plan: PlanNode }): Run {
  return { text, plan, work: workOf(plan) };
}

function workOf(node: PlanNode): number {
  return (node.Plans ?? []).reduce((sum, child) => sum + workOf(child), ownWork(node));
}

function ownWork(node: PlanNode): number {
  const dropped = Object.entries(node).filter(([name]) => name.startsWith('Rows Removed by '));
  return dropped.reduce((sum, [, count]) => sum + Number(count), node['Actual Rows']) * node['Actual Loops'];
}

/** The heaviest parts of a plan, heaviest first. */
export function outline({ plan }: Run): string {
  const parts: { work: number; what: string }[] = [];
  const visit = (node: PlanNode) => {
    const { Plans = [], 'Node Type': type, 'Relation Name': table, 'Index Name': index } = node;
    const what = [type, table, index, `x${node['Actual Loops']}`].filter(Boolean).join(' ');
    parts.push({ work: Math.round(ownWork(node)), what });
    Plans.forEach(visit);
  };
  visit(plan);
  const heaviest = parts.sort((a, b) => b.work - a.work).slice(0, 4);
  return heaviest.map(({ work, what }) => `${what}: ${work}`).join('; ');
}
