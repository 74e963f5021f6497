import type { CreatedPortfolio, ReplayedUpload, UploadAnswer, UploadInput } from '../contract/service.ts';
import { AppError } from '../kernel/errors.ts';
import type { HeldKey, IdempotencyStore } from './idempotency.store.ts';
import { fingerprintOf } from './upload-fingerprint.ts';
import { type UploadPorts, uploadPortfolio } from './upload-portfolio.ts';

export interface UploadOncePorts extends UploadPorts {
  keys: IdempotencyStore;
  /** Told of a key that could not be let go. */
  log(error: unknown): void;
}

/**
 * Uploads a portfolio at most once per key: the answer is kept in the transaction that saves the portfolio, so the
 * two exist together or not at all, whatever crashes. Who comes again with the key is given that answer.
 *
 * What is refused saves nothing, its key neither: a mended file, or a later try, may use it. Throws
 * `idempotency_key_reused`, and `idempotency_in_flight` while another request holds the key.
 */
export async function uploadOnce(
  ports: UploadOncePorts,
  input: UploadInput,
  key: string,
): Promise<UploadAnswer | ReplayedUpload> {
  const { keys, newId } = ports;
  const held: HeldKey = { owner: input.owner, key, token: newId() };
  const claim = await keys.claim(held, fingerprintOf(input));
  switch (claim.kind) {
    case 'answered':
      return { kind: 'replayed', created: JSON.parse(claim.answer) as CreatedPortfolio };
    case 'reused':
      throw new AppError('idempotency_key_reused', 'This Idempotency-Key was sent with another upload.');
    case 'in_flight':
      throw inFlight(claim);
    case 'held':
      return uploadHolding(ports, input, held);
  }
}

async function uploadHolding(
  ports: UploadOncePorts,
  input: UploadInput,
  held: HeldKey,
): Promise<UploadAnswer> {
  const { keys, log } = ports;
  let isKept = false;
  try {
    const answer = await uploadPortfolio(ports, input, async (created, on) => {
      if (!(await keys.answer(held, JSON.stringify(created), { on }))) throw inFlight();
    });
    isKept = answer.kind === 'created';
    return answer;
  } finally {
    // Should this fail too, the key can be taken over when its lock has lapsed.
    if (!isKept) await keys.release(held).catch(log);
  }
}

const usualSeconds = 10; // few uploads take longer: then their holder is slow, or died
const retrySoonSeconds = 2;

/** Says when to come again: soon, or, where the holder may have died, when its key will be free. */
const inFlight = ({ heldSeconds, leftSeconds } = { heldSeconds: 0, leftSeconds: 0 }) =>
  new AppError('idempotency_in_flight', 'An upload with this Idempotency-Key is under way.', {
    details: {
      retry_after_seconds:
        heldSeconds < usualSeconds ? retrySoonSeconds : Math.max(1, Math.ceil(leftSeconds)),
    },
  });
