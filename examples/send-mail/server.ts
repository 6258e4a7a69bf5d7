/**
 * A service that sends a welcome mail when a user signs up.
 *
 *   MAIL_URL=https://mail.example.com npx reembed dev --tasks examples/send-mail/tasks.ts
 *   npx tsx examples/send-mail/server.ts
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { connectJobs } from 'reembed/jobs';
import { sendMail } from './tasks.ts';

connectJobs();

createServer(async (request, response) => {
  try {
    const { email } = (await json(request)) as { email: string };
    const job = await sendMail.delay({ to: email, subject: 'Welcome', text: 'It is good to have you here.' });
    // The mail is accepted, not sent yet: the task's id leads to its outcome later.
    response.writeHead(202).end(JSON.stringify({ mail: job.id }));
  } catch (error) {
    response.writeHead(400).end(JSON.stringify({ error: (error as Error).message }));
  }
}).listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
