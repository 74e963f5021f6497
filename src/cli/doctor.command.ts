import type { DiagnosisView, Finding } from '../contract/schemas.ts';
import { judgeClock, worst } from '../diagnosis/judgements.ts';
import { systemClock } from '../kernel/system.clock.ts';
import type { Answer, Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { shown } from './render.ts';
import type { ServiceAnswer } from './service.client.ts';

export interface DoctorOptions {
  local?: boolean;
  /** Exit with 1 on warnings too. */
  strict?: boolean;
}

interface Ways {
  /** No service was named: if none responds, the configured database is checked instead. */
  isDefaultUrl: boolean;
  /** Checks the configured database without a service. */
  diagnoseHere(): Promise<DiagnosisView>;
}

/** `doctor`: asks the service, or runs the checks itself if no service is running. */
export async function doctor(
  context: Context,
  { local = false, strict = false }: DoctorOptions,
  ways: Ways,
): Promise<Answer> {
  const { source, diagnosis } = local
    ? { source: 'local', diagnosis: await ways.diagnoseHere() }
    : await ofService(context, ways);
  const bad = diagnosis.verdict === 'failed' || (strict && diagnosis.verdict === 'warning');
  return {
    document: { source, ...diagnosis },
    lines: diagnosis.findings.flatMap(lines),
    exitCode: bad ? exitCodes.refused : exitCodes.done,
  };
}

async function ofService({ client, output }: Context, { isDefaultUrl, diagnoseHere }: Ways) {
  const before = systemClock.now();
  try {
    const answer = await client.get<DiagnosisView>('/onboarding/diagnosis');
    const findings = [...answer.body.findings, clockHere(answer, before)];
    return { source: 'service', diagnosis: { ...answer.body, findings, verdict: worst(findings) } };
  } catch (error) {
    if (!isDefaultUrl || !(error instanceof CommandFailure) || error.code !== 'unreachable') throw error;
    output.note(`No service responds at ${client.url}. Checking the configured database instead.`);
    return { source: 'local', diagnosis: await diagnoseHere() };
  }
}

/** Compares this machine's clock with the service's. Its `Date` header has a precision of a second. */
function clockHere({ headers }: ServiceAnswer<unknown>, before: number): Finding {
  const after = systemClock.now();
  const serverTime = Date.parse(headers.get('date') ?? '');
  const judgement = Number.isNaN(serverTime)
    ? { verdict: 'ok' as const, evidence: 'The service sends no Date header.', cure: null }
    : judgeClock({
        whose: "The service's clock, seen from here,",
        aheadMs: serverTime + 500 - after,
        uncertainMs: 500,
      });
  return { name: 'clock here', ...judgement, duration_ms: after - before };
}

function lines({ name, verdict, evidence, cure }: Finding): string[] {
  const first = `${verdict.padEnd(7)}  ${name.padEnd(10)}  ${shown(evidence)}`;
  return cure === null ? [first] : [first, `${' '.repeat(21)}Fix: ${shown(cure)}`];
}
