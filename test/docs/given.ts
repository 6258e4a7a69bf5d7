/** Prerequisites of a page: commands that run before its own. */

const DOCS = `
reembed index create docs-v1 --provider hash --dimensions 32
reembed alias set docs docs-v1
`;

const ANIMALS = `
seq 200 | sed 's/.*/{"id": "animal-&", "payload": "this is the animal &"}/' | reembed upsert - --index docs --wait
`;

const task = (id: string) => `
temporal workflow start --type upsert --task-queue reembed --workflow-id ${id} \\
  --input '{"index": "docs", "items": [{"id": "a", "payload": "a lion"}]}'
`;

export const GIVEN: Readonly<Record<string, string>> = {
  'docs/audit.md': DOCS,
  'docs/errors.md': DOCS,
  'docs/inspect.md': `API=http://127.0.0.1:7400\n${DOCS}${ANIMALS}`,
  'docs/own-app.md': DOCS,
  // A namespace without the attributes.
  'docs/scale.md': `
    temporal operator namespace create --namespace fresh
    export TEMPORAL_NAMESPACE=fresh
  `,
  'docs/security.md': DOCS + task('my-task'),
  'docs/tasks.md': DOCS + task('rebuild-1'),
};
