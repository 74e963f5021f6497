import { ormConfig } from '../mikro-orm.config.ts';
import { connectDatabase, type Database, type DatabaseOptions } from './database/database.orm.ts';
import { countWrite } from './trace-context.ts';

/** Opens the service's database with all entities. Every write is counted in the timeline of the job that makes it. */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  return connectDatabase(options, { ormConfig, onStatement: countWrite });
}
