import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import { forwardRef } from 'react';

/** A link to a page of the dashboard, whose address and parameters are checked. */
export const AnchorLink = createLink(
  forwardRef<HTMLAnchorElement, Omit<AnchorProps, 'href'>>(function AnchorLink(props, ref) {
    return <Anchor ref={ref} {...props} />;
  }),
);
