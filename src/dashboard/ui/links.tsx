import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

/** The props of a component that renders as `<a>`, plus those of `<a>`. */
type AsAnchor<Props> = Props &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof Props> & { ref?: Ref<HTMLAnchorElement> };

function PlainAnchor(props: AsAnchor<AnchorProps>) {
  return <Anchor {...props} />;
}

/** A link to another page of the dashboard. */
export const PageLink = createLink(PlainAnchor);

function AnchorButton(props: AsAnchor<ButtonProps>) {
  return <Button component="a" {...props} />;
}

/** A link to another page that looks like a button. */
export const LinkButton = createLink(AnchorButton);

export function TaskLink({ id }: { id: string }) {
  return (
    <PageLink to="/tasks/$taskId" params={{ taskId: id }} className="id" fz="inherit">
      {id}
    </PageLink>
  );
}

export function IndexLink({ name }: { name: string }) {
  return (
    <PageLink to="/indexes/$index" params={{ index: name }} className="id" fz="inherit">
      {name}
    </PageLink>
  );
}
