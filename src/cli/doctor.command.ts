import type { DiagnosisView, Finding } from '../contract/schemas.ts';
import { judgeClock, worst } from '../diagnosis/judgements.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Answer, Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { shown } from './render.ts';
import type { ServiceAnswer } from './service.client.ts';

export interface DoctorOptions {
  local?: boolean;
  /** A warning ends with 1 too. */
  strict?: boolean;
}

interface Ways {
  /** Nobody named a service: where none answers, this machine is meant. */
  isDefaultUrl: boolean;
  /** Looks into the configured database, without a service. */
  diagnoseHere(): Promise<DiagnosisView>;
}

/** `doctor`: asks the service, or looks itself where none runs. */
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
    output.note(`No service answers at ${client.url}; looking into the configured database instead.`);
    return { source: 'local', diagnosis: await diagnoseHere() };
  }
}

/** This machine's clock against the service's, whose `Date` is of the moment it began to answer, to the second. */
function clockHere({ headers }: ServiceAnswer<unknown>, before: number): Finding {
  const after = systemClock.now();
  const serverTime = Date.parse(headers.get('date') ?? '');
  const judgement = Number.isNaN(serverTime)
    ? { verdict: 'ok' as const, evidence: 'The service does not tell its time.', cure: null }
    : judgeClock({
        whose: "The service's clock, seen from here,",
        aheadMs: serverTime + 500 - after,
        uncertainMs: 500,
      });
  return { name: 'clock here', ...judgement, duration_ms: after - before };
}

function lines({ name, verdict, evidence, cure }: Finding): string[] {
  const first = `${verdict.padEnd(7)}  ${name.padEnd(10)}  ${shown(evidence)}`;
  return cure === null ? [first] : [first, `${' '.repeat(21)}Cure: ${shown(cure)}`];
}
