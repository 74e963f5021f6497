import type { CreatedPortfolio, ReplayedUpload, UploadAnswer, UploadInput } from '../contract/service.ts';
import { AppError } from '../kernel/errors.ts';
import type { HeldKey, IdempotencyStore } from './idempotency.store.ts';
import { fingerprintOf } from './upload-fingerprint.ts';
import { type UploadPorts, uploadPortfolio } from './upload-portfolio.ts';

export interface UploadOncePorts extends UploadPorts {
  keys: IdempotencyStore;
  /** Called if releasing a key fails. */
  log(error: unknown): void;
}

/**
 * Uploads a portfolio at most once per key. The response is stored in the transaction that saves the portfolio, so both
 * exist or neither does, also after a crash. A repeated request gets that response.
 *
 * A refused upload does not use the key: the corrected file, or a later retry, may use it. Throws
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
      throw new AppError(
        'idempotency_key_reused',
        'This Idempotency-Key was already used for another upload.',
      );
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
  let isSaved = false;
  try {
    const answer = await uploadPortfolio(ports, input, async (created, on) => {
      if (!(await keys.answer(held, JSON.stringify(created), { on }))) throw inFlight();
    });
    isSaved = answer.kind === 'created';
    return answer;
  } finally {
    // If this fails too, the key can be taken over after its lock expires.
    if (!isSaved) await keys.release(held).catch(log);
  }
}

const usualSeconds = 10; // few uploads take longer: then the holder is slow or has crashed
const retrySoonSeconds = 2;

/** With the time to retry: soon, or, if the holder may have crashed, when its lock expires. */
const inFlight = ({ heldSeconds, leftSeconds } = { heldSeconds: 0, leftSeconds: 0 }) =>
  new AppError('idempotency_in_flight', 'An upload with this Idempotency-Key is in progress.', {
    details: {
      retry_after_seconds:
        heldSeconds < usualSeconds ? retrySoonSeconds : Math.max(1, Math.ceil(leftSeconds)),
    },
  });
