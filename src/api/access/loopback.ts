const ipv4 = /^127(\.\d{1,3}){3}$/;

/** Whether a host (name or address, without port) can only be this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || ipv4.test(host);
}
