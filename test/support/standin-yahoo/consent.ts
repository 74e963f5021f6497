/** An answer of the pages that hand out cookies: a redirect or a page. */
export interface CookieAnswer {
  status: number;
  location?: string;
  cookies: string[];
  body: string;
}

const session = 'standin';
const cookie = 'd=standin';

/** Whether a request carries the cookies of `/quote/AAPL`: without them there is neither crumb nor quote. */
export const hasCookies = (header: string | undefined): boolean => header?.includes(`A3=${cookie}`) ?? false;

/**
 * The pages through which a client gets its cookies.
 *
 * In the USA `finance.yahoo.com/quote/AAPL` hands them out at once. From the EU it redirects to guce.yahoo.com, on
 * to a consent form, whose answer leads back by way of copyConsent (recorded 2025; the steps read off the client).
 */
export function cookieAnswer(
  {
    method,
    host,
    path,
    cookies,
  }: { method: string; host: string; path: string; cookies: string | undefined },
  { consent }: { consent: boolean },
): CookieAnswer | null {
  if (host === 'finance.yahoo.com' && path === '/quote/AAPL') {
    if (consent && !cookies?.includes('GUC='))
      return redirect(guce('/consent?brandType=nonEu'), ['GUCS=standin']);
    return page('<!doctype html><title>Apple Inc. (AAPL)</title>', [
      `A1=${cookie}`,
      `A3=${cookie}`,
      `A1S=${cookie}`,
    ]);
  }
  if (host === 'guce.yahoo.com' && path === '/consent') {
    return redirect(`https://consent.yahoo.com/v2/collectConsent?sessionId=${session}`, []);
  }
  if (host === 'consent.yahoo.com' && path === '/v2/collectConsent') {
    if (method === 'POST') return redirect(guce(`/copyConsent?sessionId=${session}`), ['CFC=standin']);
    const field = (name: string, value: string) => `<input type="hidden" name="${name}" value="${value}">`;
    return page(`<form>${field('csrfToken', 'abc')}${field('sessionId', session)}</form>`, []);
  }
  if (host === 'guce.yahoo.com' && path === '/copyConsent') {
    return redirect('https://finance.yahoo.com/quote/AAPL?guccounter=1', ['GUC=standin', `A3=${cookie}`]);
  }
  return null;
}

const guce = (path: string): string => `https://guce.yahoo.com${path}`;
const named = (cookies: string[]): string[] =>
  cookies.map((one) => `${one}; Max-Age=31557600; Domain=.yahoo.com; Path=/; Secure`);
const redirect = (location: string, cookies: string[]): CookieAnswer => ({
  status: 307,
  location,
  cookies: named(cookies),
  body: '',
});
const page = (body: string, cookies: string[]): CookieAnswer => ({
  status: 200,
  cookies: named(cookies),
  body,
});
