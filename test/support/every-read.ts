import type { TestService } from './service.ts';

/** The path of every route that reads, about one portfolio, one symbol and one job. */
export const readPaths = ({ portfolio, symbol, job }: Record<'portfolio' | 'symbol' | 'job', string>) => [
  '/health/live',
  '/health/ready',
  '/metrics',
  '/portfolios',
  `/portfolios/${portfolio}`,
  `/portfolios/${portfolio}/positions`,
  `/portfolios/${portfolio}/snapshots`,
  `/portfolios/${portfolio}/exposures`,
  '/symbols',
  `/symbols?query=${symbol}`,
  `/symbols/status?symbols=${symbol},UNKNOWN`,
  `/symbols/${symbol}/status`,
  `/symbols/${symbol}`,
  `/symbols/${symbol}/prices`,
  `/symbols/${symbol}/exposures`,
  '/onboarding',
  '/onboarding/diagnosis',
  '/onboarding/jobs',
  `/onboarding/jobs?symbol=${symbol}`,
  `/onboarding/jobs?portfolio_id=${portfolio}`,
  '/onboarding/jobs?status=pending,processing,failed',
  `/onboarding/jobs/${job}`,
  `/onboarding/jobs/${job}/timeline`,
  '/onboarding/actors',
  `/onboarding/actors?symbol=${symbol}`,
  '/onboarding/actors/supervisor',
  `/onboarding/actors/${job}`,
  `/onboarding/actors/${job}?at=1`,
];

/** The routes of them that do not answer 200, with what they answer. */
export async function failedReads(
  { url }: Pick<TestService, 'url'>,
  about: Parameters<typeof readPaths>[0],
): Promise<string[]> {
  const failed: string[] = [];
  for (const path of readPaths(about)) {
    const response = await fetch(url + path);
    const text = await response.text();
    if (response.status !== 200) failed.push(`${path} ${response.status} ${text.slice(0, 500)}`);
  }
  return failed;
}
