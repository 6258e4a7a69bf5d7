/**
 * Sends mail outside the request: users get a response immediately, and the mail is sent even if the mail service is
 * slow or unavailable, or this process dies.
 */
import { defineTask, NonRetryableError } from 'reembed/jobs';
import { z } from 'zod';

export const sendMail = defineTask(
  {
    name: 'send-mail',
    description: 'Sends one mail through the mail service.',
    input: z.strictObject({ to: z.email(), subject: z.string().min(1), text: z.string() }),
    queue: 'mail',
    timeout: '30s',
    maxAttempts: 8,
    backOff: { initial: '1s', max: '10m' },
    bind: true,
  },
  async ({ uuid, signal }, mail) => {
    const response = await fetch(`${process.env.MAIL_URL}/messages`, {
      method: 'POST',
      // A task may run more than once: the service sends one mail per key.
      headers: { 'content-type': 'application/json', 'idempotency-key': uuid },
      body: JSON.stringify(mail),
      signal,
    });
    const text = await response.text();
    if (response.ok) return;
    if (response.status < 500 && response.status !== 429) throw new NonRetryableError(`refused: ${text}`);
    throw new Error(`the mail service responded with ${response.status}: ${text}`);
  },
);
