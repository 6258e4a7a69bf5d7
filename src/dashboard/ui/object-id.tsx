import { PageLink } from './links.tsx';

/** The id of an object: any text, of which two lines are shown, in the direction of its script. */
export function ObjectId({ id }: { id: string }) {
  return (
    <bdi className="id excerpt" title={id}>
      {id}
    </bdi>
  );
}

/** The id of an object, as a link to its page. */
export function ObjectLink({ index, id }: { index: string; id: string }) {
  return (
    <PageLink to="/indexes/$index/object" params={{ index }} search={{ id }} fz="inherit">
      <ObjectId id={id} />
    </PageLink>
  );
}
